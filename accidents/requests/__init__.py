"""One accident described in JSON, nested or flat, to the arrays that features are computed from.

Strict, unlike the reading of files: what breaks the column specification is refused with its field, its value and what
is allowed, everything at once. `parse_request` is the way in, and `parse_batch` that of a batch.
"""

from accidents.features.arrays import together
from accidents.requests.errors import FieldProblem, InvalidRequestError
from accidents.requests.parsing import parse_batch, parse_request
from accidents.requests.results import ParsedBatch, ParsedRequest, ParseReport

__all__ = [
    "FieldProblem",
    "InvalidRequestError",
    "ParseReport",
    "ParsedBatch",
    "ParsedRequest",
    "parse_batch",
    "parse_request",
    "together",
]
