"""Departments by commune and coordinates, and daylight, against known places and recorded accidents."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accidents.geography.daylight import Daylight, daylight
from accidents.geography.departments import department_at, department_of_commune, in_ring, time_zone
from benchmarks.derived_facts import main
from tests.browser.test_page_places import PLACES


@pytest.mark.parametrize(("point", "department"), PLACES.items())
def test_the_department_of_a_point_is_that_of_the_page(point: tuple[float, float], department: str) -> None:
    assert department_at(*point) == (department or None)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_point_has_one_department_or_none(latitude: float, longitude: float) -> None:
    department = department_at(latitude, longitude)
    assert department is None or (time_zone(department) == "Europe/Paris") == (not department.startswith("97"))


def test_points_in_a_ring() -> None:
    ring = np.array([[0, 0], [4, 0], [4, 4], [2, 1], [0, 4], [0, 0]], dtype=float)
    x, y = np.array([2, 2, 1, 3, 5, -1]), np.array([0.5, 2, 1, 1, 1, 1])
    assert in_ring(ring, x, y).tolist() == [True, False, True, True, False, False]


def test_the_department_of_a_commune() -> None:
    codes = {"01001": "01", "2B033": "2B", "75056": "75", "97105": "971", "97502": "975", "98818": "988"}
    assert {code: department_of_commune(code) for code in codes} == codes


def test_every_department_has_a_time_zone() -> None:
    for department in ("59", "2A", *(f"97{digit}" for digit in range(1, 9)), "986", "987", "988"):
        assert ZoneInfo(time_zone(department))
    offsets = {code: datetime(2024, 1, 1, tzinfo=ZoneInfo(time_zone(code))).utcoffset() for code in ("75", "974")}
    assert len({*offsets.values()}) == 2


@pytest.mark.parametrize(
    ("place", "time", "expected"),
    [  # about ten minutes from sunrise, sunset and the end of civil twilight
        ((48.857, 2.352), "2024-03-20T05:45", Daylight.TWILIGHT),
        ((48.857, 2.352), "2024-03-20T06:05", Daylight.DAY),
        ((48.857, 2.352), "2024-03-20T17:55", Daylight.DAY),
        ((48.857, 2.352), "2024-03-20T18:15", Daylight.TWILIGHT),
        ((48.857, 2.352), "2024-03-20T18:45", Daylight.NIGHT),
        ((-20.882, 55.45), "2024-12-21T14:30", Daylight.DAY),
        ((-20.882, 55.45), "2024-12-21T16:30", Daylight.NIGHT),
    ],
)
def test_daylight(place: tuple[float, float], time: str, expected: Daylight) -> None:
    assert daylight(*place, datetime.fromisoformat(time).replace(tzinfo=UTC)) is expected


@pytest.mark.long
@pytest.mark.real
def test_derived_facts_agree_with_recorded_ones(
    real_baac: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["derived_facts", "--source", str(real_baac / "2024")])
    main()
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    shares = {row[0].lstrip("| "): float(row[3].rstrip("% |")) for row in rows[2:6]}
    assert shares["light, from date, time, coordinates and built-up area"] > 87
    assert shares["department, from the commune"] == 100
    assert shares["department, from the coordinates"] > 98
