"""Terminal prompts for the facts of one accident; each has a default, taken with Enter."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from accidents.columns import TABLES, Column, Table
from accidents.errors import RequestError
from accidents.requests.values import parse_value

ReadLine = Callable[[str], str]
T = TypeVar("T")

_MAIN, _ROAD, _VEHICLE = (TABLES[table] for table in (Table.CARACTERISTIQUES, Table.LIEUX, Table.VEHICULES))
_DRIVER, _PEDESTRIAN = {"catu": 1, "place": 1}, {"catu": 3, "place": 10}
_DAYLIGHT, _NIGHT_WITH_LIGHT = "1", "5"
_OTHER_COLLISION, _SIDE, _CHAIN = "6", "3", "4"
_MAX_AGE = 110


def prompt_accident(read_line: ReadLine = input, now: datetime | None = None) -> dict[str, Any]:
    """Prompt for one accident and return it in the nested form of a request.

    Args:
        read_line: shows a prompt and returns the answer, as `input` does.
        now: the default date and time; the present where None.

    Raises:
        RequestError: the input ended before the last prompt.
    """
    print("One accident: Enter takes what stands in brackets, ? shows what is allowed.")
    try:
        return _prompt_all(read_line, now or datetime.now().astimezone())
    except EOFError:
        raise RequestError("the input ended before all questions were answered") from None


def _prompt_all(read_line: ReadLine, now: datetime) -> dict[str, Any]:
    day = _prompt(read_line, "date", f"{now:%d/%m/%Y}", _parse_date)
    minutes = _prompt_column(read_line, _MAIN["hrmn"], f"{now:%H:%M}")
    question = f"{_VEHICLE['catv'].meaning} of each vehicle (catv), separated by commas"
    kinds = _prompt(read_line, question, "7, 7", _parse_vehicle_types)
    drivers = _prompt(read_line, "ages of their drivers in the same order, as far as known", "", _parse_ages)
    pedestrians = _prompt(read_line, "ages of pedestrians that the first vehicle hit", "", _parse_ages)
    daylight = 7 * 60 <= minutes < 19 * 60
    light = _DAYLIGHT if daylight else _NIGHT_WITH_LIGHT
    collision = {1: _OTHER_COLLISION, 2: _SIDE}.get(len(kinds), _CHAIN)
    defaults = {"dep": "75", "com": "", "agg": "2", "lum": light, "atm": "1", "int": "1", "col": collision}
    time = f"{minutes // 60:02d}:{minutes % 60:02d}"
    accident = {"jour": day.day, "mois": day.month, "an": day.year, "hrmn": time}
    accident |= {name: _prompt_column(read_line, _MAIN[name], default) for name, default in defaults.items()}
    road = {name: _prompt_column(read_line, _ROAD[name], default) for name, default in (("catr", "4"), ("vma", "50"))}
    vehicles = [{"num_veh": f"A{number:02d}", "catv": kind} for number, kind in enumerate(kinds, start=1)]
    driver_ages = [*drivers, *[None] * len(kinds)]
    people = [
        _DRIVER | {"num_veh": vehicle["num_veh"]} | _birth_year(age, day.year)
        for vehicle, age in zip(vehicles, driver_ages, strict=False)
    ]
    people += [_PEDESTRIAN | {"num_veh": "A01"} | _birth_year(age, day.year) for age in pedestrians]
    return {"accident": accident, "road": road, "vehicles": vehicles, "people": people}


def _birth_year(age: int | None, year: int) -> dict[str, int]:
    return {} if age is None else {"an_nais": year - age}


def _prompt_column(read_line: ReadLine, column: Column, default: str) -> Any:
    return _prompt(read_line, f"{column.meaning} ({column.name})", default, partial(parse_value, column))


def _prompt(read_line: ReadLine, question: str, default: str, parse: Callable[[str], T]) -> T:
    """Repeat a prompt until its answer can be parsed."""
    while True:
        text = read_line(f"{question} [{default or 'not known'}]: ").strip() or default
        try:
            return parse(text)
        except ValueError as error:
            print(f"  {text}: {error}")


def _parse_date(text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%d/%m/%Y")  # noqa: DTZ007 - accidents bear local dates
    except ValueError:
        raise ValueError("is no date; allowed: a day such as 31/12/2024") from None
    parse_value(_MAIN["an"], day.year)
    return day


def _parse_vehicle_types(text: str) -> list[Any]:
    return [parse_value(_VEHICLE["catv"], part) for part in text.split(",")]


def _parse_ages(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) <= _MAX_AGE for part in parts):
        raise ValueError(f"are no ages; allowed: years up to {_MAX_AGE}, separated by commas")
    return [int(part) for part in parts]
