"""Hypothesis strategies of accidents with any columns in any usual spelling, ids, addresses and places."""

from typing import Any

from hypothesis import strategies as st

from accidents.columns import Availability, Column, ColumnKind
from accidents.requests.rows import COLUMNS, RequestPart

MARK = "Secret"
"""Is in every text that must not be kept."""

_TEXTS = {
    "dep": st.sampled_from(["01", 24, "2A", 75, "971"]),
    "com": st.sampled_from(["01004", "24322", "2a004", 75115, "97105"]),
    "voie": st.sampled_from(
        ["D438", "RN 104 Secret", "A6", 12, "SECRET (RUE DU)", "11 SECRET (RUE DU)", " 0", "-1", ""]
    ),
    "adr": st.sampled_from(["3 rue Secret", f"{MARK} 48.60123"]),
}
_LINKS = ("id_vehicule", "num_veh")
_DRAWN_SEPARATELY = (*_LINKS, "Num_Acc", "Accident_Id", "lat", "long", "jour", "mois", "an", "an_nais")


@st.composite
def nested(draw: st.DrawFn) -> dict[str, Any]:
    """An accident in the nested form."""
    size = draw(st.integers(1, 4))
    links = draw(st.sampled_from([("num_veh",), ("id_vehicule",), _LINKS])) if size > 1 else ()
    vehicles = [draw(_row(RequestPart.VEHICLES)) | _ids(draw, links, number) for number in range(size)]
    people = []
    for _ in range(draw(st.integers(1, 5))):
        given_links = links and draw(st.sampled_from([links, *((link,) for link in links)]))
        people.append(draw(_row(RequestPart.PEOPLE)) | _ids(draw, given_links, draw(st.integers(0, size - 1))))
        people[-1] |= draw(st.fixed_dictionaries({}, optional={"an_nais": st.integers(1900, 2018)}))
    accident = draw(_row(RequestPart.ACCIDENT)) | draw(place_and_time()) | {"Num_Acc": 202400012345}
    return {"accident": accident, "road": draw(_row(RequestPart.ROAD)), "vehicles": vehicles, "people": people}


def place_and_time() -> st.SearchStrategy[dict[str, Any]]:
    """Coordinates in every writing, and a day that exists."""
    degrees = st.floats(-60, 60)
    written = st.one_of(
        degrees,
        st.integers(-60, 60),
        degrees.map("{:.9f}".format),
        degrees.map(lambda number: f" {number:.7f}".replace(".", ",")),
    )
    written |= st.sampled_from(["", None, "-1", -1])
    days = {"jour": st.integers(1, 28), "mois": st.integers(1, 12), "an": st.integers(2019, 2024)}
    return st.fixed_dictionaries({}, optional={"lat": written, "long": written, **days})


def _row(part: RequestPart) -> st.SearchStrategy[dict[str, Any]]:
    names = {}
    for name, column in COLUMNS[part].items():
        if column.name not in _DRAWN_SEPARATELY:
            names[name] = st.one_of(_values(column), st.none(), st.just(-1))
    optional = {name: strategy for name, strategy in names.items() if name == COLUMNS[part][name].name}
    return st.fixed_dictionaries({}, optional=optional)


def _values(column: Column) -> st.SearchStrategy[Any]:
    if column.availability is Availability.AFTER:
        return st.sampled_from([MARK, 4, "4"])  # ignored, but must be a number or a text
    if column.codes:
        codes = st.sampled_from(sorted(column.codes))
        return st.one_of(codes, codes.map(str), codes.map("{:02d}".format))
    if column.kind is ColumnKind.TEXT:
        return _TEXTS.get(column.name, st.just(MARK))
    if column.kind is ColumnKind.TIME:
        return st.sampled_from(["08:45", "0:05", "2359", ""])
    if column.kind is ColumnKind.ID:
        return st.integers(155_000_000, 155_999_999)
    return st.integers(int(column.minimum or 0) or 1, int(column.maximum or 1000))


def _ids(draw: st.DrawFn, names: tuple[str, ...], number: int) -> dict[str, Any]:
    vehicle = 155_000_100 + number
    writings = {
        "id_vehicule": st.sampled_from([vehicle, str(vehicle), f" {vehicle}", float(vehicle)]),
        "num_veh": st.sampled_from([f"{'ABCD'[number]}01", f" {'ABCD'[number]}01 "]),
    }
    return {name: draw(writings[name]) for name in names}
