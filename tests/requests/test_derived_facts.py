"""Facts that follow from others: never over what was given, and the same as if they had been given."""

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accidents.columns import UNKNOWN
from accidents.features.array_columns import COLUMN_POSITIONS, Entity
from accidents.requests import ParsedRequest, parse_batch, parse_in_pieces, parse_request
from accidents.requests.derived_facts import LookupFailedError, Place

LUM, ATM = (COLUMN_POSITIONS[Entity.ACCIDENT][name] for name in ("lum", "atm"))
LILLE = {"lat": 50.63, "long": 3.06}
NIGHT = {"an": 2024, "mois": 12, "jour": 24, "hrmn": "23:30"}


def parse(lookups: Any = None, *, derive: bool = True, **accident: Any) -> ParsedRequest:
    content = {"accident": accident, "vehicles": [{"catv": 7}], "people": [{"catu": 1}]}
    return parse_request(content, derive=derive, lookups=lookups)


def derived(request: ParsedRequest) -> dict[str, Any]:
    return {fact.field.removeprefix("accident."): fact.value for fact in request.derived}


@pytest.mark.parametrize(
    ("accident", "expected"),
    [
        (NIGHT | LILLE | {"agg": 2}, {"dep": "59", "lum": 5}),
        (NIGHT | LILLE | {"agg": 1}, {"dep": "59", "lum": 3}),
        (NIGHT | LILLE, {"dep": "59"}),  # whether there is street light is not known
        (NIGHT | LILLE | {"hrmn": "12:00"}, {"dep": "59", "lum": 1}),
        (NIGHT | {"dep": "59", "hrmn": "17:05"}, {"lum": 2}),
        (NIGHT | {"dep": "974", "hrmn": "17:05"}, {"lum": 1}),  # summer and local time on the other side of the earth
        (NIGHT | {"com": "2A004", "hrmn": "12:00"}, {"dep": "2A", "lum": 1}),
        (NIGHT | {"com": "98818", "hrmn": "12:00"}, {"dep": "988", "lum": 1}),
        ({"com": "97411"}, {"dep": "974"}),
        ({"com": "99999"}, {}),  # no department
        (NIGHT, {}),
        (LILLE, {"dep": "59"}),
        ({"lat": 45.0, "long": -12.0, "hrmn": "12:00"}, {}),
        (NIGHT | {"dep": "59", "hrmn": -1}, {}),
        (NIGHT | {"dep": "59", "an": None}, {}),
    ],
)
def test_facts_follow(accident: dict[str, Any], expected: dict[str, Any]) -> None:
    request = parse(**accident)
    assert derived(request) == expected
    assert not {f"accident.{name}" for name in expected} & set(request.missing)
    plain = parse(**accident, derive=False)
    assert plain.derived == ()
    assert set(plain.missing) == set(request.missing) | {f"accident.{name}" for name in expected}


@given(
    accident=st.fixed_dictionaries(
        {},
        optional={
            "an": st.integers(2010, 2030),
            "mois": st.integers(1, 12),
            "jour": st.integers(1, 28),
            "hrmn": st.times().map(lambda time: f"{time:%H:%M}"),
            "lum": st.sampled_from((1, 2, 3, 4, 5)),
            "agg": st.sampled_from((1, 2)),
            "dep": st.sampled_from(("59", "75", "2B", "973", "988")),
            "com": st.sampled_from(("59350", "2B033", "97302")),
            "lat": st.floats(-25, 52, allow_subnormal=False),
            "long": st.floats(-65, 170, allow_subnormal=False),
        },
    )
)
@settings(deadline=None)  # the first coordinates to correct import pandas
def test_what_was_given_stays_and_a_derived_fact_counts_like_a_given_one(accident: dict[str, Any]) -> None:
    request = parse(**accident)
    facts = derived(request)
    assert not facts.keys() & accident.keys()
    given_too = parse(**{**accident, **facts}, derive=False)
    for name in ("accident", "places", "coordinates"):
        assert np.array_equal(getattr(request.arrays, name), getattr(given_too.arrays, name), equal_nan=True)
    if "lum" in accident:
        assert request.arrays.accident[0, LUM] == accident["lum"]


def test_all_entrances_derive_alike() -> None:
    contents = [
        {"accident": NIGHT | LILLE | {"agg": 2}, "vehicles": [{}], "people": [{}]},
        {**NIGHT, **LILLE, "agg_": 2},
        {"lum": 9},
        {"dep": "59"},
    ]
    batch = parse_batch(contents, derive=True)
    (piece,) = parse_in_pieces(contents, derive=True)
    facts = [derived(parse_request(content, derive=True)) for content in (*contents[:2], contents[3])]
    for results in (batch.results, piece.results):
        assert [derived(report) for report in results if hasattr(report, "derived")] == facts  # type: ignore[arg-type]
    assert batch.arrays.accident[:, LUM].tolist() == [5, 5, UNKNOWN]


class Recorded:
    """Lookups with fixed answers, and the questions they got."""

    def __init__(self, place: Place | None = None, weather: int | None = None, failure: str = "") -> None:
        self.found, self.code, self.failure, self.asked = place, weather, failure, list[Any]()

    def place(self, address: str, commune: str | None) -> Place | None:
        self.asked.append((address, commune))
        return self._answer(self.found)

    def weather(self, latitude: float, longitude: float, time: datetime) -> int | None:
        self.asked.append((latitude, longitude, time.isoformat()))
        return self._answer(self.code)

    def _answer(self, answer: Any) -> Any:
        if self.failure:
            raise LookupFailedError(self.failure)
        return answer


GRAND_PLACE = Place(50.6366, 3.0635, "59350", "Grand Place 59000 Lille")


def test_address_and_weather_come_from_services() -> None:
    lookups = Recorded(GRAND_PLACE, weather=2)
    request = parse(lookups, **NIGHT, agg=2, adr="Grand Place, Lille")
    assert derived(request) == {"lat": 50.6366, "long": 3.0635, "com": "59350", "dep": "59", "atm": 2, "lum": 5}
    assert lookups.asked == [("Grand Place, Lille", None), (50.6366, 3.0635, "2024-12-24T23:30:00+01:00")]
    assert request.arrays.accident[0, ATM] == 2
    assert str(request.derived[0]) == "accident.lat 50.6366, from the address, found as Grand Place 59000 Lille"
    assert not request.warnings


def test_services_are_not_asked_for_what_is_known_or_not_to_be_derived() -> None:
    lookups = Recorded(GRAND_PLACE, weather=2)
    parse(lookups, **NIGHT, **LILLE, atm=1, adr="Grand Place, Lille")
    parse(lookups, **NIGHT, adr="Grand Place, Lille", derive=False)
    parse(lookups, dep="59")
    assert lookups.asked == []
    assert derived(parse(lookups, com="59512", adr="Grand Place"))["dep"] == "59"
    assert lookups.asked == [("Grand Place", "59512")]


def test_a_failed_lookup_is_a_warning() -> None:
    request = parse(Recorded(failure="no answer within 1 s"), **NIGHT, **LILLE, agg=2)
    assert request.warnings == ("no weather: no answer within 1 s",)
    assert derived(request) == {"dep": "59", "lum": 5}
    request = parse(Recorded(failure="no answer within 1 s"), **NIGHT, com="59350", adr="Grand Place")
    assert request.warnings == ("no coordinates from the address: no answer within 1 s",)
    assert derived(request) == {"dep": "59"}
