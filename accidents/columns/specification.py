"""What a column specification is: the vocabulary in which the four BAAC tables are described.

Here live the types alone. The columns themselves stand in one module a table; schemas, readers, the data dictionary
and request models are derived from them elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

MISSING = -1
"""Marker of a missing integer or code, as the published files write it since 2019."""


class Table(StrEnum):
    """The four files of an edition, by their published names."""

    CARACTERISTIQUES = "caracteristiques"
    LIEUX = "lieux"
    VEHICULES = "vehicules"
    USAGERS = "usagers"


class ColumnKind(StrEnum):
    """How a cell is typed once read; the value is the dtype of the column in a typed table."""

    ID = "int64"
    CODE = "int16"
    INTEGER = "int32"
    TIME = "minutes since midnight, int16"
    NUMBER = "float64"
    TEXT = "str"

    @property
    def dtype(self) -> str:
        """Name of the pandas dtype of a typed column."""
        return "int16" if self is ColumnKind.TIME else str(self.value)


class Availability(IntEnum):
    """When a fact is known, in order; a feature is known once all of its columns are."""

    STRICT = 0
    """A bystander can tell it at once: where, when, light, weather, what kinds of vehicles, any pedestrian."""
    CALL = 1
    """A caller can tell it when asked: manoeuvre, impact, obstacle, age band, sex, seat."""
    SCENE = 2
    """The police form tells it: safety equipment, trip, the pedestrian's action, exact ages."""
    AFTER = 3
    """Only the outcome tells it. Never a feature."""

    @property
    def label(self) -> str:
        """Lower-case name, as written in configurations and documents."""
        return self.name.lower()


LEVELS = tuple(known.label for known in Availability if known is not Availability.AFTER)
"""Levels of information that a model can be trained at, from least to most."""


@dataclass(frozen=True)
class Column:
    """One published column: its type, its allowed values and when it is known.

    `codes` lists the allowed values of a `Kind.CODE` column with their English meanings; `letters` maps codes that are
    published as letters to the integers that stand for them here. `minimum` and `maximum` bound integers and numbers,
    both inclusive, in `unit`. A 0 outside the code list or range means "not recorded", like -1, `.` and an empty cell.
    `first_year` and `last_year` bound the editions that publish the column; `other_names` are names it bore elsewhere.
    `nullable` is False where a row without a value cannot be used at all.
    """

    table: Table
    name: str
    kind: ColumnKind
    meaning: str
    availability: Availability
    codes: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    letter_codes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    pattern: str = ""
    first_year: int = 2005
    last_year: int | None = None
    aliases: tuple[str, ...] = ()
    nullable: bool = True

    def published_in(self, year: int) -> bool:
        """Whether the edition of `year` has this column."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)

    @property
    def zero_is_missing(self) -> bool:
        """Whether a 0 means "not recorded": it does where neither code list nor range has it."""
        if self.kind is ColumnKind.CODE:
            return 0 not in self.codes
        if self.kind is ColumnKind.NUMBER and self.unit == "degrees":
            return True  # files write 0 where no coordinate was taken; none is exactly 0 on French roads
        if self.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER}:
            return self.minimum is not None and self.minimum > 0
        return False

    def describe_allowed_values(self) -> str:
        """The allowed values in words, for error messages and documents."""
        if self.codes:
            written = {code: letter for letter, code in self.letter_codes.items()}
            return ", ".join(f"{written.get(code, code)} {text}" for code, text in self.codes.items())
        if self.kind is ColumnKind.TIME:
            return "a time of day such as 17:15"
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:.12g} to {self.maximum:.12g} {self.unit}".rstrip()
        return {ColumnKind.ID: "digits", ColumnKind.TEXT: self.pattern or "text"}.get(self.kind, "a number")
