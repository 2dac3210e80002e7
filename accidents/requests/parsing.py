"""From JSON objects to requests: the form, the rules that take several fields, the arrays."""

import math
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from accidents.columns import MISSING
from accidents.features.array_columns import Over
from accidents.requests.array_builder import ArrayBuilder
from accidents.requests.errors import InvalidRequestError
from accidents.requests.flat import read_flat
from accidents.requests.nested import NESTED_PARTS, read_nested
from accidents.requests.reader import RequestReader
from accidents.requests.results import ParsedBatch, ParsedRequest, ParseReport
from accidents.requests.rows import POSITIONS, AccidentRows, RequestPart, Row

if TYPE_CHECKING:
    from accidents.cleaning.coordinates import Box

_LEAP_YEAR = 2024
_JOUR, _MOIS, _AN, _DEP, _COM, _LAT, _LONG, _NUM_ACC = (
    POSITIONS[Over.ACCIDENT][name] for name in ("jour", "mois", "an", "dep", "com", "lat", "long", "Num_Acc")
)
_AN_NAIS = POSITIONS[Over.PEOPLE]["an_nais"]
_NOWHERE = (math.nan,) * 4


def parse_request(content: Any) -> ParsedRequest:
    """Read one accident in the nested or the flat form, as `json.loads` gives it.

    Raises:
        RefusedError: a `RequestError` that lists every field with a fault, its value and what is allowed.
    """
    gathering = ArrayBuilder()
    notes = _read(content, gathering)
    return ParsedRequest(notes.missing, notes.warnings, notes.accident, gathering.arrays())


def parse_batch(contents: Iterable[Any]) -> ParsedBatch:
    """Parse many accidents, each like `parse_request`, into shared arrays; invalid ones become errors in the result."""
    gathering = ArrayBuilder()
    outcomes: list[ParseReport | InvalidRequestError] = []
    for content in contents:
        try:
            outcomes.append(_read(content, gathering))
        except InvalidRequestError as error:
            outcomes.append(error)
    return ParsedBatch(outcomes, gathering.arrays())


def _read(content: Any, gathering: ArrayBuilder) -> ParseReport:
    """Add an accident that is not refused to the others."""
    if not isinstance(content, Mapping) or not content:
        reader = RequestReader()
        reader.refuse(
            "request", content, "must be an object: an accident with road, vehicles, people, or the flat form"
        )
        raise InvalidRequestError(reader.problems)
    form, reader = _form(content)
    _check_dates(form, reader)
    _check_places(form.accident, reader)
    if reader.problems:
        raise InvalidRequestError(reader.problems)
    gathering.add(form)
    accident = form.accident[_NUM_ACC]
    return ParseReport(reader.missing, tuple(reader.warnings), None if accident == MISSING else accident)


def _form(content: Mapping[str, Any]) -> tuple[AccidentRows, RequestReader]:
    reader = RequestReader(flat=content.keys().isdisjoint(NESTED_PARTS))
    return (read_flat if reader.flat else read_nested)(content, reader), reader


def _check_dates(form: AccidentRows, reader: RequestReader) -> None:
    row = form.accident
    day, month, year = row[_JOUR], row[_MOIS], row[_AN]
    if MISSING not in (day, month):
        try:
            date(_LEAP_YEAR if year == MISSING else year, month, day)
        except ValueError:
            reader.refuse("jour, mois, an", f"{day}/{month}/{year}", "this day does not exist")
    if year == MISSING:
        return
    for number, person in enumerate(form.people):
        if person[_AN_NAIS] > year:
            field = reader.field("an_nais", RequestPart.PEOPLE, number)
            reader.refuse(field, person[_AN_NAIS], f"after the accident, which was in {year}")


def _check_places(row: Row, reader: RequestReader) -> None:
    """Treat coordinates as the cleaning of files does, and say so."""
    department, commune, latitude, longitude = row[_DEP], row[_COM], row[_LAT], row[_LONG]
    if department and commune and not commune.startswith(department[:2]):
        reader.warn(f"commune {commune} is not in department {department}")
    if math.isnan(latitude) and math.isnan(longitude):
        return
    south, north, west, east = _boxes().get(department, _NOWHERE)
    if south <= latitude <= north and west <= longitude <= east:
        return
    from accidents.cleaning import coordinates

    mended = coordinates.correct_coordinates(
        np.array([department], dtype=object), np.array([latitude]), np.array([longitude])
    )
    row[_LAT], row[_LONG] = float(mended.latitude[0]), float(mended.longitude[0])
    for what, text in (
        (mended.mended[0], f"taken as {row[_LAT]:g}, {row[_LONG]:g}: swapped or of the wrong sign"),
        (mended.outside[0], f"far from department {department}, and ignored"),
        (mended.half[0], "one without the other, and ignored"),
        (department in _boxes(), f"outside department {department}"),
    ):
        if what:
            reader.warn(f"coordinates {latitude:g}, {longitude:g} are {text}")
            break


@cache
def _boxes() -> "dict[str, Box]":
    from accidents.cleaning.coordinates import department_boxes  # pandas takes half a second to import

    return department_boxes()
