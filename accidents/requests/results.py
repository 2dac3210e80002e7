"""What requests become."""

from collections.abc import Sequence
from dataclasses import dataclass

from accidents.features.arrays import Arrays
from accidents.requests.errors import InvalidRequestError


@dataclass(frozen=True)
class ParseReport:
    """What is to be said about an accident that was read, besides its arrays.

    `missing` names the published columns that features use and the request does not give, such as `accident.lum`;
    `warnings` say what was given and could not be used as it stands. `accident` is its `Num_Acc` if given.
    """

    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    accident: int | None


@dataclass(frozen=True)
class ParsedRequest(ParseReport):
    """One accident ready for `accidents.features`."""

    arrays: Arrays


@dataclass(frozen=True)
class ParsedBatch:
    """Many requests, read together.

    `outcomes` has one entry for each in their order: its notes, or the error that refuses it. `arrays` holds the
    accidents of those that were not refused, in the same order.
    """

    outcomes: Sequence[ParseReport | InvalidRequestError]
    arrays: Arrays

    @property
    def accepted(self) -> list[int]:
        """Positions of the requests that were not refused: that of each accident of `arrays`."""
        return [position for position, outcome in enumerate(self.outcomes) if isinstance(outcome, ParseReport)]
