"""Reader of the flat form: 39 fields about one person, their vehicle, the road and the accident.

Of the others it has only their numbers, `nb_vehicules` vehicles and `nb_victim` people. The accident it becomes has
further vehicles of unknown kind and further people of whom everything is missing. Each vehicle that the described
person does not drive gets a driver, up to `nb_victim` people; the remaining people have no role and are in the vehicle
described. A number that is 0 or missing counts as 1, and is reported as missing. Where the others matter, use the
nested form. Callers fill in this form and write -1 for what they do not know: each missing value is `UNKNOWN`.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from accidents.columns import MISSING, MISSING_CODES, TABLES, UNKNOWN, Availability, Column, ColumnKind, Table
from accidents.features.array_columns import Entity
from accidents.requests.errors import truncate
from accidents.requests.reader import RequestReader, is_index_column
from accidents.requests.rows import (
    COLUMNS,
    MAX_ROWS,
    OVER,
    POSITIONS,
    UNUSED,
    AccidentRows,
    RequestPart,
    Row,
    empty_row,
)
from accidents.requests.values import fast_parser, parse_value

DRIVER = 1
"""Code of a driver in `catu`."""

_AN = POSITIONS[Entity.ACCIDENT]["an"]
_CATU = POSITIONS[Entity.PEOPLE]["catu"]
_ACCIDENT = ("an", "mois", "jour", "hrmn", "lum", "dep", "com", "agg_", "int", "atm", "col", "lat", "long")
_ROAD = ("catr", "circ", "surf", "situ", "vma", "v1", "vosp", "prof", "plan", "larrout", "infra")
_VEHICLE = ("catv", "obsm", "motor", "obs")
_PERSON = ("place", "catu", "sexe", "secu1", "an_nais", "locp", "actp", "etatp")
COUNT_FIELDS = {
    name: Column(table, name, ColumnKind.INTEGER, meaning, Availability.STRICT, minimum=1, maximum=MAX_ROWS)
    for name, table, meaning in (
        ("nb_vehicules", Table.VEHICULES, "number of vehicles"),
        ("nb_victim", Table.USAGERS, "number of people"),
    )
} | {"year_acc": TABLES[Table.CARACTERISTIQUES]["an"]}
"""Fields that no published table has."""

ROW_COUNTS = ("nb_vehicules", "nb_victim")
_COUNT_PARSERS = {name: fast_parser(column) for name, column in COUNT_FIELDS.items()}

FLAT_FIELDS = frozenset((*_ACCIDENT, *_ROAD, *_VEHICLE, *_PERSON, *COUNT_FIELDS))
"""The 39 fields. `Num_Acc` is allowed besides, and `grav` is ignored."""

_UNKNOWN_REASON = f"unknown field; the flat form has {', '.join(sorted(FLAT_FIELDS))}"
_IGNORED = ("grav",)
_MAX_AGE = 130
SYNONYMS = {
    "hour": Column(
        Table.CARACTERISTIQUES, "hour", ColumnKind.INTEGER, "hour", Availability.STRICT, minimum=0, maximum=23
    ),
    "victim_age": Column(
        Table.USAGERS, "victim_age", ColumnKind.INTEGER, "age", Availability.CALL, minimum=0, maximum=_MAX_AGE
    ),
}
"""Fields that stand for `hrmn` and `an_nais`."""
_COLUMNS = {name: column for columns in COLUMNS.values() for name, column in columns.items()} | COUNT_FIELDS
_NAMES = {
    RequestPart.ACCIDENT: (*_ACCIDENT, "Num_Acc"),
    RequestPart.ROAD: _ROAD,
    RequestPart.VEHICLES: _VEHICLE,
    RequestPart.PEOPLE: (*_PERSON, *_IGNORED),
}
FIELDS = {name: part for part, names in _NAMES.items() for name in names}
"""All fields but `COUNT_FIELDS` in the order of reading, with their parts."""

_FIELD_POSITIONS = {
    part: tuple(
        {
            POSITIONS[OVER[part]][COLUMNS[part][name].name]
            for name in names
            if COLUMNS[part][name].name in POSITIONS[OVER[part]]
        }
    )
    for part, names in _NAMES.items()
}
_NUMERIC = {
    name
    for name in FLAT_FIELDS
    if _COLUMNS[name].kind in {ColumnKind.CODE, ColumnKind.INTEGER, ColumnKind.NUMBER} and name != "actp"
}
_MISSING_NUMBER = re.compile(r"[^0-9]*|\s*-1(?:[.,]0)?\s*")
_PUBLISHED_NAMES = FLAT_FIELDS | {"Num_Acc", *_IGNORED}
_FIELD_NAMES = {name.casefold(): name for name in (*_PUBLISHED_NAMES, *SYNONYMS)}


def read_flat(content: Mapping[str, Any], reader: RequestReader) -> AccidentRows:
    """Read the flat form; problems are collected in `reader`."""
    if not content.keys() <= _PUBLISHED_NAMES:
        content = _replace_synonyms(_with_published_names(content, reader), reader)
    if reader.report_missing:
        _warn_of_numbers_as_text(content, reader)

    accident = _read_part(RequestPart.ACCIDENT, content, empty_row(Entity.ACCIDENT), reader)
    accident = _read_part(RequestPart.ROAD, content, accident, reader)
    vehicle = _read_part(RequestPart.VEHICLES, content, empty_row(Entity.VEHICLES), reader)
    person = _read_part(RequestPart.PEOPLE, content, empty_row(Entity.PEOPLE), reader)
    counts = {name: _count(name, content.get(name), reader) for name in COUNT_FIELDS}
    if counts["year_acc"] not in {*MISSING_CODES, accident[_AN]}:
        if accident[_AN] in MISSING_CODES:
            accident[_AN] = counts["year_acc"]
        else:
            reader.add_problem("year_acc", content["year_acc"], f"differs from an, which is {accident[_AN]}")
    reader.add_missing(name for name in ROW_COUNTS if counts[name] in MISSING_CODES)
    vehicles, people = (max(counts[name], 1) for name in ROW_COUNTS)
    driven = range(1 if person[_CATU] == DRIVER else 0, vehicles)[: people - 1]
    driver = empty_row(Entity.PEOPLE)
    driver[_CATU] = DRIVER
    passengers = people - 1 - len(driven)
    return AccidentRows(
        accident,
        [vehicle] + [empty_row(Entity.VEHICLES)] * (vehicles - 1),
        [person] + [driver] * len(driven) + [empty_row(Entity.PEOPLE)] * passengers,
        [0, *driven, *[0] * passengers],
    )


def read_field(name: str, raw: Any, reader: RequestReader) -> Any:
    """The value that `read_flat` reads from one field, whatever the others are; None where it is not used."""
    if name in COUNT_FIELDS:
        return _count(name, raw, reader)
    part = FIELDS[name]
    return _read_part(part, {name: raw}, empty_row(OVER[part]), reader)[field_position(name)]


def field_position(name: str) -> int:
    """Position of a field in the row of its part."""
    part = FIELDS[name]
    return POSITIONS[OVER[part]].get(COLUMNS[part][name].name, UNUSED)


def _read_part(part: RequestPart, content: Mapping[str, Any], row: Row, reader: RequestReader) -> Row:
    # null is what a field is that is left out
    given = {name: value for name in _NAMES[part] if (value := content.get(name)) is not None}
    reader.read_object(part, given, row)
    for position in _FIELD_POSITIONS[part]:
        value = row[position]
        if value == MISSING and type(value) is int:  # -1.0 is a longitude
            row[position] = UNKNOWN
        elif value != value:  # noqa: PLR0124 - only NaN differs from itself
            row[position] = math.inf
    return row


def _count(name: str, raw: Any, reader: RequestReader) -> int:
    value = _COUNT_PARSERS[name](raw) if isinstance(raw, int | str) else None
    return int(reader.parse_field(COUNT_FIELDS[name], raw, name) if value is None else value)


def _with_published_names(content: Mapping[str, Any], reader: RequestReader) -> dict[str, Any]:
    """The fields under their published names: without byte order mark, in any case, without columns of row numbers."""
    result: dict[str, Any] = {}
    for name, value in content.items():
        plain = name.strip(' \t"\ufeff')
        field = _FIELD_NAMES.get(plain.casefold())
        if field is None and is_index_column(plain) and isinstance(value, int | float | str) and len(content) > 1:
            reader.add_warning(f"the field {truncate(name)!r} numbers rows and was ignored")
        elif field is None:
            reader.add_problem(name, value, _UNKNOWN_REASON)
        elif field in result:
            reader.add_problem(name, value, f"occurs twice, also as {field}")
        else:
            result[field] = value
            if field != name:
                reader.add_warning(f"the field {truncate(name)!r} is taken as {field}")
    return result


def _replace_synonyms(content: dict[str, Any], reader: RequestReader) -> dict[str, Any]:
    """Replace `hour` by `hrmn` and `victim_age` by `an_nais`; where both are given they have to agree."""
    hour, age = (reader.parse_field(column, content.pop(name, None), name) for name, column in SYNONYMS.items())
    time, year, accident_year, birth = (_value(content, name) for name in ("hrmn", "an", "year_acc", "an_nais"))
    if hour not in MISSING_CODES and time in MISSING_CODES:
        content["hrmn"] = f"{hour:02d}:00"
        reader.add_warning(f"hour {hour} is taken as hrmn {hour:02d}:00")
    elif hour not in {*MISSING_CODES, time // 60}:
        reader.add_problem("hour", hour, f"differs from hrmn, which is {content['hrmn']}")
    year = accident_year if year in MISSING_CODES else year
    if age not in MISSING_CODES and year in MISSING_CODES:
        reader.add_problem("victim_age", age, "needs an, the year of the accident")
    elif age not in MISSING_CODES and birth in MISSING_CODES:
        content["an_nais"] = year - age
        reader.add_warning(f"victim_age {age} is taken as an_nais {year - age}")
    elif age not in MISSING_CODES and year - age - birth not in {0, 1}:
        reader.add_problem("victim_age", age, f"differs from an_nais, which is {birth}")
    return content


def _value(content: Mapping[str, Any], name: str) -> int:
    """A valid value of a field; missing where it is invalid, which its reader reports."""
    try:
        value = parse_value(_COLUMNS[name], content.get(name))
    except ValueError:
        return UNKNOWN
    return value if isinstance(value, int) else UNKNOWN


def _warn_of_numbers_as_text(content: Mapping[str, Any], reader: RequestReader) -> None:
    names = [
        name
        for name, value in content.items()
        if type(value) is str and name in _NUMERIC and not _MISSING_NUMBER.fullmatch(value)
    ]
    if names:
        reader.add_warning(f"numbers written as text were converted: {', '.join(names)}")
