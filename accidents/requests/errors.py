"""What is wrong with a request: collected while it is read, raised together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accidents.errors import RequestError

_LISTED = 20
_LONGEST = 60


@dataclass(frozen=True)
class FieldProblem:
    """One fault: where it is, what stands there (shortened), what is wrong with it or allowed instead."""

    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.value}: {self.reason}" if self.value else f"{self.field}: {self.reason}"


class InvalidRequestError(RequestError):
    """A request with faults; `problems` holds all of them, the text the first ones."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  {problem}" for problem in problems[:_LISTED])
        more = f"\n  and {len(problems) - _LISTED} more" if len(problems) > _LISTED else ""
        super().__init__(f"The accident cannot be used; correct these fields or leave them out:\n{listed}{more}")


def format_value(value: Any) -> str:
    """A value as it stands in JSON, shortened."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python refuses to write out integers of thousands of digits
        text = "a value too long to show"
    return truncate(text)


def truncate(text: str) -> str:
    """A text, shortened: names of fields may be as long as whoever sends them likes."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
