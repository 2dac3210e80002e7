"""Validation errors of a request: collected while it is parsed, raised together.

The memory that they take is bounded: all invalid fields are counted, only the first ones are described.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from reprlib import Repr
from typing import Any

from accidents.errors import RequestError

MAX_PROBLEMS = 50
"""Number of invalid fields of a request that are described."""

_PROBLEMS_IN_MESSAGE = 20
_MAX_LENGTH = 60


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One invalid field: its path, its value (truncated) and the reason or the allowed values."""

    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value}: {self.reason}" if self.value else f"{self.field}: {self.reason}"


class Problems:
    """Invalid fields of a request.

    Args:
        limit: number of them to describe; further ones are counted.

    Attributes:
        count: number of invalid fields.
        described: the first `limit` of them.
    """

    def __init__(self, limit: int = MAX_PROBLEMS) -> None:
        self.count = 0
        self.described: list[FieldProblem] = []
        self._limit = limit

    def add(self, field: str, value: Any, reason: str) -> None:
        """Count an invalid field, and describe it if it is among the first."""
        self.count += 1
        if self.count <= self._limit:
            self.described.append(FieldProblem(truncate(field) or "''", format_value(value), reason))


class InvalidRequestError(RequestError):
    """A request with invalid fields.

    Attributes:
        problems: the first of them.
        count: number of all of them.
    """

    def __init__(self, problems: Sequence[FieldProblem], count: int) -> None:
        super().__init__(problems, count)
        self.problems, self.count = tuple(problems), count

    def __str__(self) -> str:
        listed = "\n".join(f"  {problem}" for problem in self.problems[:_PROBLEMS_IN_MESSAGE])
        hidden = self.count - min(len(self.problems), _PROBLEMS_IN_MESSAGE)
        more = f"\n  and {hidden} more" if hidden > 0 else ""
        return f"The accident cannot be used; correct these fields or leave them out:\n{listed}{more}"


class _BoundedRepr(Repr):
    """`repr` that reads no more of a value than a message shows."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = self.maxlist = self.maxdict = _MAX_LENGTH

    def repr_str(self, x: str, level: int) -> str:  # noqa: ARG002
        return repr(x[: _MAX_LENGTH + 1])


_bounded_repr = _BoundedRepr().repr


def format_value(value: Any) -> str:
    """Truncated representation of a JSON value, for error messages."""
    try:
        text = _bounded_repr(value)
    except (ValueError, RecursionError):  # Python refuses to print integers of thousands of digits
        text = "a value too long to show"
    return truncate(text)


def truncate(text: str) -> str:
    """The first 60 characters of a text; names of fields come from the client and may have any length.

    >>> truncate("lum"), len(truncate("x" * 100))
    ('lum', 61)
    """
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
