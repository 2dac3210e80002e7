"""Types of the column specification: tables, kinds of columns, availability, and `Column` itself.

The columns are defined in one module a table.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

MISSING = -1
"""Marker of an integer, code or time that a file does not record, as in the files published since 2019."""

UNKNOWN = -2
"""Marker of an integer, code or time that a caller does not know or was not asked for; no published file has it."""

MISSING_CODES = frozenset({MISSING, UNKNOWN})
"""Markers of an integer, code or time without a value."""

LARGEST_ID = 2**63 - 1
"""Ids of vehicles until 2018 have 19 digits."""


class Table(StrEnum):
    """The four files of an edition, by their published names."""

    CARACTERISTIQUES = "caracteristiques"
    LIEUX = "lieux"
    VEHICULES = "vehicules"
    USAGERS = "usagers"


class ColumnKind(StrEnum):
    """Kind of value of a column; the value is its dtype in a typed table."""

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
    """When a value is available, in order; a feature is available once all of its columns are."""

    STRICT = 0
    """At once, from a bystander: where, when, light, weather, kinds of vehicles, any pedestrian."""
    CALL = 1
    """During the call, on request: manoeuvre, impact, obstacle, age band, sex, seat."""
    SCENE = 2
    """From the police form: safety equipment, trip, action of a pedestrian, exact ages."""
    AFTER = 3
    """From the outcome only; never a feature."""

    @property
    def label(self) -> str:
        """Lower-case name, as in configurations, the API and documents.

        >>> Availability.SCENE.label
        'scene'
        """
        return self.name.lower()


LEVELS = tuple(availability.label for availability in Availability if availability is not Availability.AFTER)
"""Levels of information that a model can be trained at, from least to most."""


@dataclass(frozen=True)
class RetiredCode:
    """A code that editions no longer use.

    Attributes:
        meaning: what it meant.
        last_year: last edition that uses it.
        now: the code of the present list with this meaning.
    """

    meaning: str
    last_year: int
    now: int


@dataclass(frozen=True)
class Column:
    """One published column. A 0 outside the code list or range means missing, like -1, `.` and an empty cell.

    Attributes:
        table: the table that has the column.
        name: its published name.
        kind: kind of its values.
        meaning: a short description.
        availability: when its value is available.
        codes: allowed values of a `ColumnKind.CODE` column, with their English meanings.
        letter_codes: integers that stand for codes which are published as letters.
        retired: codes that only former editions use; readers translate them to those of the present list.
        minimum: smallest allowed integer or number, in `unit`.
        maximum: largest allowed integer or number, in `unit`.
        unit: unit of numbers; empty where they have none.
        pattern: regular expression of the allowed text; empty where any text is allowed.
        first_year: first edition that publishes the column.
        last_year: last edition that publishes the column; None where it still is.
        aliases: other names of the column in the header of some editions.
        nullable: False where a row with a missing value cannot be used.
    """

    table: Table
    name: str
    kind: ColumnKind
    meaning: str
    availability: Availability
    codes: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    letter_codes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    retired: Mapping[int, RetiredCode] = field(default_factory=lambda: MappingProxyType({}))
    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""
    pattern: str = ""
    first_year: int = 2005
    last_year: int | None = None
    aliases: tuple[str, ...] = ()
    nullable: bool = True

    def published_in(self, year: int) -> bool:
        """Whether the edition of `year` publishes this column."""
        return self.first_year <= year and (self.last_year is None or year <= self.last_year)

    def retired_in(self, year: int) -> list[int]:
        """Retired codes that the edition of `year` may use."""
        return [code for code, retired in self.retired.items() if year <= retired.last_year]

    @property
    def is_code_text(self) -> bool:
        """Whether the text is a code or number, which other programs may write with decimals; an address is not."""
        return self.kind is ColumnKind.TEXT and self.name != "adr"

    @property
    def is_free_text(self) -> bool:
        """Whether any text is allowed: an address, the name of a road."""
        return self.kind is ColumnKind.TEXT and not self.pattern

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest allowed number; ids are positive and fit int64."""
        if self.kind is ColumnKind.ID:
            return self.minimum or 1, self.maximum or LARGEST_ID
        return -math.inf if self.minimum is None else self.minimum, math.inf if self.maximum is None else self.maximum

    @property
    def zero_is_missing(self) -> bool:
        """Whether a 0 means missing: it does where neither code list nor range contains it."""
        if self.kind is ColumnKind.ID:
            return True
        if self.kind is ColumnKind.CODE:
            return 0 not in self.codes
        if self.kind is ColumnKind.NUMBER and self.unit == "degrees":
            return True  # files write 0 where no coordinate was taken; none is exactly 0 on French roads
        if self.kind in {ColumnKind.INTEGER, ColumnKind.NUMBER}:
            return self.minimum is not None and self.minimum > 0
        return False

    def describe_allowed_values(self) -> str:
        """The allowed values as text, for error messages and documents."""
        if self.codes:
            written = {code: letter for letter, code in self.letter_codes.items()}
            return ", ".join(f"{written.get(code, code)} {text}" for code, text in self.codes.items())
        if self.kind is ColumnKind.TIME:
            return "a time of day such as 17:15"
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum:.12g} to {self.maximum:.12g} {self.unit}".rstrip()
        return {ColumnKind.ID: "digits", ColumnKind.TEXT: self.pattern or "text"}.get(self.kind, "a number")
