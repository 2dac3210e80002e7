"""Validation errors of a request: collected while it is parsed, raised together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accidents.errors import RequestError

_LISTED_PROBLEMS = 20
_MAX_LENGTH = 60


@dataclass(frozen=True)
class FieldProblem:
    """One invalid field: its path, its value (truncated) and the reason or the allowed values."""

    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value}: {self.reason}" if self.value else f"{self.field}: {self.reason}"


class InvalidRequestError(RequestError):
    """A request with invalid fields: all of them in `problems`, the first 20 in the message."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  {problem}" for problem in problems[:_LISTED_PROBLEMS])
        hidden = len(problems) - _LISTED_PROBLEMS
        more = f"\n  and {hidden} more" if hidden > 0 else ""
        super().__init__(f"The accident cannot be used; correct these fields or leave them out:\n{listed}{more}")


def format_value(value: Any) -> str:
    """Truncated representation of a JSON value, for error messages."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python refuses to print integers of thousands of digits
        text = "a value too long to show"
    return truncate(text)


def truncate(text: str) -> str:
    """The first 60 characters of a text; names of fields come from the client and may have any length.

    >>> truncate("lum"), len(truncate("x" * 100))
    ('lum', 61)
    """
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]}…"
