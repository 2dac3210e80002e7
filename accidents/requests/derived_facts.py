"""Facts of a request that follow from others: department, light, and what services say about address and weather.

A fact that was given is never replaced, and each one that was derived is reported with what it follows from. All are
derived here, once a request was read and before its arrays are built, whatever the request came by.
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from accidents.cleaning.department_boxes import EVERYWHERE, department_boxes, territory_box
from accidents.columns import MISSING_CODES, TABLES, Table
from accidents.features.array_columns import Entity
from accidents.geography.departments import department_at, department_of_commune, time_zone
from accidents.requests.reader import RequestReader
from accidents.requests.rows import POSITIONS, Row

_POSITION = POSITIONS[Entity.ACCIDENT]
_BUILT_UP = 2
_DAY, _TWILIGHT, _UNLIT, _LIT = 1, 2, 3, 5
_CODES = TABLES[Table.CARACTERISTIQUES]
_DEPARTMENT = _CODES["dep"].pattern
_ADDRESS = "the address"


class LookupFailedError(Exception):
    """A service did not find or tell what was asked; the message says why."""


@dataclass(frozen=True)
class Place:
    """A place that was found by its address: coordinates in degrees, INSEE code of the commune, address as found."""

    latitude: float
    longitude: float
    commune: str
    label: str


class Lookups(Protocol):
    """Services that are asked for facts."""

    def place(self, address: str, commune: str | None) -> Place | None:
        """The place of an address, in a commune if that is known; None where no service is configured.

        Raises:
            LookupFailedError: it was not found, or the service does not answer in time.
        """

    def weather(self, latitude: float, longitude: float, time: datetime) -> int | None:
        """Code `atm` of the weather at a place and a time with its time zone; None where no service is configured.

        Raises:
            LookupFailedError: the service does not know it, or does not answer in time.
        """


@dataclass(frozen=True)
class DerivedFact:
    """A fact that was derived.

    Attributes:
        field: its column, such as `accident.lum`.
        value: its value, as a request would have it.
        meaning: its meaning, where it is a code.
        source: what it follows from, in words.
    """

    field: str
    value: int | float | str
    meaning: str
    source: str

    def __str__(self) -> str:
        """For people, such as `accident.lum 5 (night with lighting), from date, time and place`."""
        meaning = f" ({self.meaning})" if self.meaning else ""
        return f"{self.field} {self.value}{meaning}, from {self.source}"


def unnamed_source(source: str) -> str:
    """A source of a derived fact without the address that was found.

    >>> unnamed_source("the address, found as 8 Boulevard du Port 80000 Amiens"), unnamed_source("the commune")
    ('the address', 'the commune')
    """
    return _ADDRESS if source.startswith(_ADDRESS) else source


class FactDeriver:
    """Derives the facts of one accident.

    Args:
        row: the accident and its road, which are completed.
        reader: gets a warning for every lookup that failed.
        lookups: services to ask; None for no service.

    Attributes:
        facts: what was derived, by field.
    """

    def __init__(self, row: Row, reader: RequestReader, lookups: Lookups | None = None) -> None:
        self.row, self.reader, self.lookups = row, reader, lookups
        self.facts: dict[str, DerivedFact] = {}

    def derive_place(self) -> None:
        """Coordinates and commune from the address, and the department from the commune."""
        address = self.row[_POSITION["adr"]]
        if self.lookups and address and not any(math.isfinite(self._value(name)) for name in ("lat", "long")):
            try:
                place = self.lookups.place(address, self._value("com"))
            except LookupFailedError as error:
                self.reader.add_warning(f"no coordinates from the address: {error}")
                place = None
            if place:
                source = f"{_ADDRESS}, found as {place.label}"
                self._set("lat", place.latitude, source)
                self._set("long", place.longitude, source)
                self._set("com", place.commune, source)
        department = department_of_commune(self._value("com") or "")
        if re.fullmatch(_DEPARTMENT, department):
            self._set("dep", department, "the commune")

    def derive_conditions(self) -> None:
        """Department from the coordinates, light and weather from place and time; after coordinates were checked."""
        latitude, longitude = self._value("lat"), self._value("long")
        located = math.isfinite(latitude) and math.isfinite(longitude)
        if located and not self._value("dep") and (department := department_at(latitude, longitude)):
            self._set("dep", department, "the coordinates")
        lit, weather = (self._value(name) not in MISSING_CODES for name in ("lum", "atm"))
        if lit and (weather or not self.lookups):
            return
        department, time = self._value("dep"), self._time()
        if time is None:
            return
        if located and self.lookups and self._value("atm") in MISSING_CODES:
            self._derive_weather(self.lookups, latitude, longitude, time)
        if not located:
            box = department_boxes().get(department) or territory_box(department)
            south, north, west, east = box
            latitude, longitude, located = (south + north) / 2, (west + east) / 2, box != EVERYWHERE
        if located and self._value("lum") in MISSING_CODES:
            self._derive_light(latitude, longitude, time)

    def _derive_light(self, latitude: float, longitude: float, time: datetime) -> None:
        from accidents.geography.daylight import Daylight, daylight

        light, built_up = daylight(latitude, longitude, time), self._value("agg")
        if light is Daylight.NIGHT and built_up not in MISSING_CODES:
            code = _LIT if built_up == _BUILT_UP else _UNLIT
            self._set("lum", code, f"date, time and place, {'inside' if code == _LIT else 'outside'} a built-up area")
        elif light is not Daylight.NIGHT:
            self._set("lum", _DAY if light is Daylight.DAY else _TWILIGHT, "date, time and place")

    def _derive_weather(self, lookups: Lookups, latitude: float, longitude: float, time: datetime) -> None:
        try:
            if (code := lookups.weather(latitude, longitude, time)) is not None:
                self._set("atm", code, "the weather service")
        except LookupFailedError as error:
            self.reader.add_warning(f"no weather: {error}")

    def _time(self) -> datetime | None:
        """Time of the accident with the time zone of its department; None where a part is missing."""
        year, month, day, minutes = (self._value(name) for name in ("an", "mois", "jour", "hrmn"))
        department = self._value("dep")
        if not MISSING_CODES.isdisjoint((year, month, day, minutes)) or not department:
            return None
        hour, minute = divmod(minutes, 60)
        return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(time_zone(department)))

    def _value(self, name: str) -> Any:
        return self.row[_POSITION[name]]

    def _set(self, name: str, value: float | str, source: str) -> None:
        """Set a value unless it is known."""
        known = self._value(name)
        given = math.isfinite(known) and known not in MISSING_CODES if isinstance(known, int | float) else known
        if not given:
            self.row[_POSITION[name]] = value
            meaning = _CODES[name].codes.get(value, "") if isinstance(value, int) else ""
            self.facts[f"accident.{name}"] = DerivedFact(f"accident.{name}", value, meaning, source)
