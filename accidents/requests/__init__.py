"""One accident described in JSON, nested or flat, to the arrays that features are computed from.

Strict, unlike the reading of files: what breaks the column specification is refused with its field, its value and what
is allowed, everything at once. `parse` is the way in, and `parse_many` that of a batch.
"""

from accidents.features.arrays import together
from accidents.requests.parsing import parse, parse_many
from accidents.requests.problems import Problem, RefusedError
from accidents.requests.request import Notes, Request, Requests

__all__ = ["Notes", "Problem", "RefusedError", "Request", "Requests", "parse", "parse_many", "together"]
