"""Asks on a terminal for the facts of one accident; every question has a default that Enter takes."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from accidents.columns import TABLES, Table

_FACTS = (
    (Table.CARACTERISTIQUES, "dep", "75"),
    (Table.CARACTERISTIQUES, "agg", "2"),
    (Table.CARACTERISTIQUES, "lum", "1"),
    (Table.CARACTERISTIQUES, "atm", "1"),
    (Table.CARACTERISTIQUES, "int", "1"),
    (Table.CARACTERISTIQUES, "col", "3"),
    (Table.LIEUX, "catr", "4"),
    (Table.LIEUX, "vma", "50"),
)
_PARTS = {Table.CARACTERISTIQUES: "accident", Table.LIEUX: "road"}


def ask(read: Callable[[str], str] = input, now: datetime | None = None) -> dict[str, Any]:
    """Ask for one accident and return it in the nested form of a request."""
    moment = now or datetime.now().astimezone()
    print("One accident: Enter takes what stands in brackets, ? lists what is allowed.")
    date = _answer(read, "date", moment.strftime("%d/%m/%Y"), "a date such as 31/12/2024")
    time = _answer(read, "time", moment.strftime("%H:%M"), "a time of day such as 17:15")
    day, _, rest = date.partition("/")
    month, _, year = rest.partition("/")
    request: dict[str, Any] = {"accident": {"jour": day, "mois": month, "an": year, "hrmn": time}, "road": {}}
    for table, name, default in _FACTS:
        column = TABLES[table][name]
        request[_PARTS[table]][name] = _answer(read, f"{column.meaning} ({name})", default, column.allowed())
    request["vehicles"], request["people"] = _who(read, int(year) if year.isdigit() else moment.year)
    return request


def _who(read: Callable[[str], str], year: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Vehicles, each with a driver, and pedestrians, who are hit by the first of them."""
    category = TABLES[Table.VEHICULES]["catv"]
    kinds = _answer(read, "vehicles, by category (catv), separated by commas", "7,7", category.allowed()).split(",")
    drivers = _ages(read, "ages of their drivers, if known", "")
    pedestrians = _ages(read, "ages of pedestrians hit, if any", "")
    vehicles = [{"num_veh": f"A{number:02d}", "catv": kind.strip()} for number, kind in enumerate(kinds, start=1)]
    people: list[dict[str, Any]] = [
        {"num_veh": vehicle["num_veh"], "catu": 1, "place": 1} | _birth(drivers[number : number + 1], year)
        for number, vehicle in enumerate(vehicles)
    ]
    people += [{"num_veh": "A01", "catu": 3, "place": 10} | _birth([age], year) for age in pedestrians]
    return vehicles, people


def _ages(read: Callable[[str], str], question: str, default: str) -> list[str]:
    text = _answer(read, question, default, "ages in years separated by commas, or nothing")
    return [age.strip() for age in text.split(",") if age.strip()]


def _birth(ages: list[str], year: int) -> dict[str, Any]:
    """Year of birth from an age; what is no number stays as typed, to be refused with its reason."""
    if not ages:
        return {}
    return {"an_nais": year - int(ages[0]) if ages[0].isdigit() else ages[0]}


def _answer(read: Callable[[str], str], question: str, default: str, allowed: str) -> str:
    while (text := read(f"{question} [{default or 'none'}]: ").strip()) == "?":
        print(f"  allowed: {allowed}")
    return text or default
