"""Parsing and validation of accidents in JSON, nested or flat, into the arrays that features are computed from.

Values that break the column specification are rejected, all of them in one error that names field, value and allowed
values; readers of files are more lenient. `parse_request` parses one accident, `parse_batch` many, and
`parse_in_pieces` any number in bounded memory.
"""

from accidents.requests.errors import FieldProblem, InvalidRequestError
from accidents.requests.parsing import (
    ParsedBatch,
    ParsedRequest,
    ParseReport,
    parse_batch,
    parse_in_pieces,
    parse_request,
    parse_valid,
)

__all__ = [
    "FieldProblem",
    "InvalidRequestError",
    "ParseReport",
    "ParsedBatch",
    "ParsedRequest",
    "parse_batch",
    "parse_in_pieces",
    "parse_request",
    "parse_valid",
]
