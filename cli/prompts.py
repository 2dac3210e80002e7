"""Asks on a terminal for the facts of one accident; every question has a default that Enter takes."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from accidents.columns import TABLES, Column, Table
from accidents.errors import RequestError
from accidents.requests.values import parse_value

Read = Callable[[str], str]
T = TypeVar("T")

_MAIN, _ROAD, _VEHICLE = (TABLES[table] for table in (Table.CARACTERISTIQUES, Table.LIEUX, Table.VEHICULES))
_DRIVER, _PEDESTRIAN = {"catu": 1, "place": 1}, {"catu": 3, "place": 10}
_DAYLIGHT, _NIGHT_WITH_LIGHT = "1", "5"
_OTHER_COLLISION, _SIDE, _CHAIN = "6", "3", "4"
_OLDEST = 110


def ask(read: Read = input, now: datetime | None = None) -> dict[str, Any]:
    """Ask for one accident and return it in the nested form of a request.

    Args:
        read: shows a question and returns what was typed.
        now: the default date and time; the present where None.

    Raises:
        RequestError: the input ended before the last question.
    """
    print("One accident: Enter takes what stands in brackets, ? shows what is allowed.")
    try:
        return _asked(read, now or datetime.now().astimezone())
    except EOFError:
        raise RequestError("the input ended before all questions were answered") from None


def _asked(read: Read, now: datetime) -> dict[str, Any]:
    day = _answer(read, "date", f"{now:%d/%m/%Y}", _date)
    minutes = _about(read, _MAIN["hrmn"], f"{now:%H:%M}")
    kinds = _answer(read, f"{_VEHICLE['catv'].meaning} of each vehicle (catv), separated by commas", "7, 7", _kinds)
    drivers = _answer(read, "ages of their drivers in the same order, as far as known", "", _ages)
    pedestrians = _answer(read, "ages of pedestrians that the first vehicle hit", "", _ages)
    daylight = 7 * 60 <= minutes < 19 * 60
    accident = {
        "jour": day.day,
        "mois": day.month,
        "an": day.year,
        "hrmn": f"{minutes // 60:02d}:{minutes % 60:02d}",
        "dep": _about(read, _MAIN["dep"], "75"),
        "com": _about(read, _MAIN["com"], ""),
        "agg": _about(read, _MAIN["agg"], "2"),
        "lum": _about(read, _MAIN["lum"], _DAYLIGHT if daylight else _NIGHT_WITH_LIGHT),
        "atm": _about(read, _MAIN["atm"], "1"),
        "int": _about(read, _MAIN["int"], "1"),
        "col": _about(read, _MAIN["col"], _usual_collision(len(kinds))),
    }
    road = {"catr": _about(read, _ROAD["catr"], "4"), "vma": _about(read, _ROAD["vma"], "50")}
    vehicles = [{"num_veh": f"A{number:02d}", "catv": kind} for number, kind in enumerate(kinds, start=1)]
    known = [*drivers, *[None] * len(kinds)]
    people = [
        _DRIVER | {"num_veh": vehicle["num_veh"]} | _born(age, day.year)
        for vehicle, age in zip(vehicles, known, strict=False)
    ]
    people += [_PEDESTRIAN | {"num_veh": "A01"} | _born(age, day.year) for age in pedestrians]
    return {"accident": accident, "road": road, "vehicles": vehicles, "people": people}


def _usual_collision(vehicles: int) -> str:
    return {1: _OTHER_COLLISION, 2: _SIDE}.get(vehicles, _CHAIN)


def _born(age: int | None, year: int) -> dict[str, int]:
    return {} if age is None else {"an_nais": year - age}


def _about(read: Read, column: Column, default: str) -> Any:
    return _answer(read, f"{column.meaning} ({column.name})", default, partial(parse_value, column))


def _answer(read: Read, question: str, default: str, understand: Callable[[str], T]) -> T:
    """Ask until the answer is understood."""
    while True:
        text = read(f"{question} [{default or 'not known'}]: ").strip() or default
        try:
            return understand(text)
        except ValueError as error:
            print(f"  {text}: {error}")


def _date(text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%d/%m/%Y")  # noqa: DTZ007 - accidents bear local dates
    except ValueError:
        raise ValueError("is no date; allowed: a day such as 31/12/2024") from None
    parse_value(_MAIN["an"], day.year)
    return day


def _kinds(text: str) -> list[Any]:
    return [parse_value(_VEHICLE["catv"], part) for part in text.split(",")]


def _ages(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) <= _OLDEST for part in parts):
        raise ValueError(f"are no ages; allowed: years up to {_OLDEST}, separated by commas")
    return [int(part) for part in parts]
