"""Parses JSON objects into arrays: reads the form, applies the rules that involve several fields."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from accidents.cleaning.department_boxes import department_boxes
from accidents.columns import MISSING_CODES
from accidents.features.array_columns import Entity
from accidents.features.arrays import UNKNOWN_POSITION, Arrays
from accidents.requests.array_builder import ArrayBuilder
from accidents.requests.derived_facts import DerivedFact, FactDeriver, Lookups
from accidents.requests.errors import MAX_PROBLEMS, FieldProblem, InvalidRequestError
from accidents.requests.flat import read_flat
from accidents.requests.nested import NESTED_PARTS, read_nested
from accidents.requests.reader import RequestReader
from accidents.requests.rows import POSITIONS, AccidentRows, RequestPart, Row

LEAP_YEAR = 2024
"""Stands for an unknown year, in which a day is valid that exists in some year."""

_PIECE_ACCIDENTS = 1_000
_PIECE_ROWS = 50_000
"""Vehicles and people after which a piece ends; a few bytes of JSON can stand for a thousand of them."""

_JOUR, _MOIS, _AN, _DEP, _COM, _LAT, _LONG, _NUM_ACC = (
    POSITIONS[Entity.ACCIDENT][name] for name in ("jour", "mois", "an", "dep", "com", "lat", "long", "Num_Acc")
)
_AN_NAIS = POSITIONS[Entity.PEOPLE]["an_nais"]
EMPTY_BOX = (math.nan,) * 4
"""Of a department without a box: contains nothing."""


@dataclass(frozen=True)
class ParseReport:
    """Metadata of a valid accident, besides its arrays.

    Attributes:
        missing: columns that features use and at least one row lacks, such as `accident.lum`.
        warnings: values that were given and could not be used as they are, in words.
        accident_id: its `Num_Acc`; None where it has none.
        is_flat: whether it has the flat form, which describes one vehicle and one person.
        derived: facts that follow from those that were given; `missing` does not list them.
    """

    missing: tuple[str, ...]
    warnings: tuple[str, ...]
    accident_id: int | None
    is_flat: bool
    derived: tuple[DerivedFact, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class ParsedRequest(ParseReport):
    """One valid accident with the arrays that features are computed from."""

    arrays: Arrays


@dataclass(frozen=True)
class ParsedBatch:
    """Parsed accidents of a batch.

    Attributes:
        results: for each request, in their order, its report or the error that rejects it.
        arrays: all valid accidents in the same order.
    """

    results: Sequence[ParseReport | InvalidRequestError]
    arrays: Arrays

    @property
    def valid_positions(self) -> list[int]:
        """Positions of the valid requests: element `i` is that of accident `i` of `arrays`."""
        return [position for position, result in enumerate(self.results) if isinstance(result, ParseReport)]

    @property
    def invalid_positions(self) -> list[int]:
        """Positions of the requests that were rejected."""
        return [position for position, result in enumerate(self.results) if not isinstance(result, ParseReport)]


def parse_request(content: Any, *, derive: bool = False, lookups: Lookups | None = None) -> ParsedRequest:
    """Parse one accident in the nested or the flat form.

    Args:
        content: the accident, as `json.loads` returns it.
        derive: derive facts that were not given from others (`derived_facts`).
        lookups: services that are asked for facts, where `derive` is set.

    Returns:
        The arrays of one accident, its missing columns, warnings and derived facts.

    Raises:
        InvalidRequestError: lists every invalid field with its value and what is allowed.

    Example:
        >>> request = parse_request({"lum": 5, "dep": "59", "catv": "07"})
        >>> request.arrays.vehicles.shape[0], "accident.lum" in request.missing, "road.catr" in request.missing
        (1, False, True)
        >>> parse_request({"lum": 9})
        Traceback (most recent call last):
        accidents.requests.errors.InvalidRequestError: The accident cannot be used; correct these fields ...
    """
    builder = ArrayBuilder()
    report = _parse(content, builder, derive=derive, lookups=lookups)
    return ParsedRequest(**vars(report), arrays=builder.build())


def parse_batch(contents: Iterable[Any], *, derive: bool = False, report_missing: bool = True) -> ParsedBatch:
    """Parse many accidents, each like `parse_request`, into shared arrays.

    Args:
        contents: the accidents, as `json.loads` returns them.
        derive: as in `parse_request`; no service is asked.
        report_missing: whether the reports list missing columns; without them parsing is faster.

    Returns:
        A report or an error for each, and the arrays of the valid ones; no invalid accident raises.
    """
    builder = ArrayBuilder()
    options: dict[str, bool] = {"derive": derive, "report_missing": report_missing}
    results = [_parse_or_error(content, builder, MAX_PROBLEMS, **options) for content in contents]
    return ParsedBatch(results, builder.build())


def parse_in_pieces(contents: Iterable[Any], *, derive: bool = False) -> Iterator[ParsedBatch]:
    """Parse accidents of one request in pieces, whose memory is bounded for any content.

    Args:
        contents: the accidents, as `json.loads` returns them; best a generator.
        derive: as in `parse_batch`.

    Yields:
        The accidents in order, as `parse_batch` returns them, except that of all accidents together only the first
        `MAX_PROBLEMS` invalid fields are described.
    """
    builder, results = ArrayBuilder(), list[ParseReport | InvalidRequestError]()
    remaining = MAX_PROBLEMS
    for content in contents:
        result = _parse_or_error(content, builder, remaining, derive=derive)
        if isinstance(result, InvalidRequestError):
            remaining -= len(result.problems)
        results.append(result)
        if len(results) >= _PIECE_ACCIDENTS or builder.rows >= _PIECE_ROWS:
            yield ParsedBatch(results, builder.build())
            builder, results = ArrayBuilder(), []
    if results:
        yield ParsedBatch(results, builder.build())


def parse_valid(contents: Iterable[Any], name: str, *, derive: bool) -> Iterator[Arrays]:
    """Arrays of accidents that all have to be valid, in pieces of bounded memory.

    Args:
        contents: as for `parse_in_pieces`.
        name: of their list, for errors.
        derive: as in `parse_batch`.

    Raises:
        InvalidRequestError: after the last one, if some are invalid; their fields are prefixed with `name[i].`.
    """
    problems: list[FieldProblem] = []
    first = count = 0
    for piece in parse_in_pieces(contents, derive=derive):
        for index, outcome in enumerate(piece.results, first):
            if isinstance(outcome, InvalidRequestError):
                count += outcome.count
                problems += (replace(one, field=f"{name}[{index}].{one.field}") for one in outcome.problems)
        first += len(piece.results)
        if not count:
            yield piece.arrays
    if count:
        raise InvalidRequestError(problems, count)


def _parse_or_error(
    content: Any, builder: ArrayBuilder, max_problems: int, **options: Any
) -> ParseReport | InvalidRequestError:
    try:
        return _parse(content, builder, max_problems, **options)
    except InvalidRequestError as error:
        return error.with_traceback(None)  # the traceback would keep the content in memory


def _parse(
    content: Any,
    builder: ArrayBuilder,
    max_problems: int = MAX_PROBLEMS,
    *,
    derive: bool = False,
    lookups: Lookups | None = None,
    report_missing: bool = True,
) -> ParseReport:
    """Append an accident to the builder if it is valid."""
    if not isinstance(content, Mapping) or not content:
        reader = RequestReader(max_problems=max_problems)
        reader.add_problem(
            "request", content, "must be an object: an accident with road, vehicles, people, or the flat form"
        )
        raise InvalidRequestError(reader.problems.described, reader.problems.count)
    is_flat = content.keys().isdisjoint(NESTED_PARTS)
    reader = RequestReader(flat=is_flat, max_problems=max_problems, report_missing=report_missing)
    rows = (read_flat if reader.flat else read_nested)(content, reader)
    _check_dates(rows, reader)
    deriver = FactDeriver(rows.accident, reader, lookups) if derive and not reader.problems.count else None
    if deriver:
        deriver.derive_place()
    _check_location(rows.accident, reader)
    if deriver:
        deriver.derive_conditions()
    if reader.problems.count:
        raise InvalidRequestError(reader.problems.described, reader.problems.count)
    builder.append(rows)
    accident_id = rows.accident[_NUM_ACC]
    facts = deriver.facts if deriver else {}
    return ParseReport(
        missing=tuple(name for name in reader.missing if name not in facts) if facts else reader.missing,
        warnings=reader.warnings,
        accident_id=None if accident_id in MISSING_CODES else accident_id,
        is_flat=reader.flat,
        derived=tuple(facts.values()),
    )


def _check_dates(rows: AccidentRows, reader: RequestReader) -> None:
    day, month, year = rows.accident[_JOUR], rows.accident[_MOIS], rows.accident[_AN]
    if MISSING_CODES.isdisjoint((day, month)):
        try:
            date(LEAP_YEAR if year in MISSING_CODES else year, month, day)
        except ValueError:
            reader.add_problem("jour, mois, an", f"{day}/{month}/{year}", "this day does not exist")
    if year in MISSING_CODES:
        return
    for index, person in enumerate(rows.people):
        if person[_AN_NAIS] > year:
            field = reader.field_path("an_nais", RequestPart.PEOPLE, index)
            reader.add_problem(field, person[_AN_NAIS], f"after the accident, which was in {year}")


def _check_location(row: Row, reader: RequestReader) -> None:
    """Correct coordinates as the cleaning of files does, with a warning."""
    department, commune, latitude, longitude = row[_DEP], row[_COM], row[_LAT], row[_LONG]
    if department and commune and not commune.startswith(department[:2]):
        reader.add_warning(f"commune {commune} is not in department {department}")
    if not (math.isfinite(latitude) or math.isfinite(longitude)):
        return
    latitude, longitude = (value if math.isfinite(value) else math.nan for value in (latitude, longitude))
    south, north, west, east = department_boxes().get(department, EMPTY_BOX)
    if south <= latitude <= north and west <= longitude <= east:
        return
    from accidents.cleaning.coordinates import correct_coordinates  # pandas takes half a second to import

    result = correct_coordinates(np.array([department], dtype=object), np.array([latitude]), np.array([longitude]))
    corrected = float(result.latitude[0]), float(result.longitude[0])
    row[_LAT], row[_LONG] = UNKNOWN_POSITION if math.isnan(corrected[0]) else corrected
    for applies, text in (
        (result.corrected[0], f"taken as {row[_LAT]:g}, {row[_LONG]:g}: swapped or of the wrong sign"),
        (result.outside[0], f"far from department {department}, and ignored"),
        (result.incomplete[0], "one without the other, and ignored"),
        (department in department_boxes(), f"outside department {department}"),
    ):
        if applies:
            reader.add_warning(f"coordinates {latitude:g}, {longitude:g} are {text}")
            break
