"""Coordinates, dates and the label."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from accidents.cleaning import dates
from accidents.cleaning.coordinates import correct_coordinates
from accidents.cleaning.label import priority_labels


def mended(department: str | None, latitude: float, longitude: float) -> tuple[float, float, str]:
    result = correct_coordinates(pd.Series([department], dtype="str"), np.array([latitude]), np.array([longitude]))
    done = "mended" if result.mended[0] else "outside" if result.outside[0] else "half" if result.half[0] else ""
    return float(result.latitude[0]), float(result.longitude[0]), done


@pytest.mark.parametrize(
    ("department", "wrong", "right"),
    [
        ("59", (3.06, 50.63), (50.63, 3.06)),
        ("29", (48.39, 4.49), (48.39, -4.49)),
        ("19", (45.16, -1.54), (45.16, 1.54)),
        ("971", (16.24, 61.53), (16.24, -61.53)),
        ("974", (20.88, 55.45), (-20.88, 55.45)),
        ("976", (45.16, -12.79), (-12.79, 45.16)),
        ("976", (45.23, 12.76), (-12.76, 45.23)),
        ("2B", (9.44, 42.68), (42.68, 9.44)),
        ("973", (-4.93, 52.3), (4.93, -52.3)),
    ],
)
def test_wrong_coordinates_of_a_department(
    department: str, wrong: tuple[float, float], right: tuple[float, float]
) -> None:
    assert mended(department, *wrong) == (*right, "mended")
    assert mended(department, *right) == (*right, "")


def test_plausible_coordinates_outside_the_department_stay() -> None:
    assert mended("59", 43.3, 5.4) == (43.3, 5.4, "")


@pytest.mark.parametrize("pair", [(10.0, 10.0), (60.0, 2.0), (16.2, -61.5)])
def test_coordinates_far_from_the_country_become_missing(pair: tuple[float, float]) -> None:
    latitude, longitude, done = mended("59", *pair)
    assert np.isnan(latitude)
    assert np.isnan(longitude)
    assert done == "outside"


def test_half_a_pair_becomes_missing() -> None:
    latitude, longitude, done = mended("59", 50.6, np.nan)
    assert np.isnan(latitude)
    assert np.isnan(longitude)
    assert done == "half"


def test_without_a_department_nothing_changes() -> None:
    assert mended(None, 2.3, 48.8) == (2.3, 48.8, "")


def frame(*days: tuple[int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(days, columns=["an", "mois", "jour"], dtype="int32")


def test_days_that_do_not_exist() -> None:
    table = frame((2024, 2, 29), (2023, 2, 29), (2024, 4, 31), (2024, 12, 31), (-1, 2, 30), (2024, -1, 31))
    assert dates.nonexistent_days(table).tolist() == [False, True, True, False, False, False]
    assert str(dates.accident_dates(table)[0]) == "2024-02-29"


def test_future_days() -> None:
    table = frame((2024, 2, 28), (2024, 2, 29), (2024, 3, 1), (2031, -1, 1))
    assert dates.after(table, date(2024, 2, 29)).tolist() == [False, False, True, False]


@pytest.mark.parametrize(
    ("injuries", "label"),
    [([1], 0), ([4, 1], 0), ([2], 1), ([3, 1], 1), ([-1], -1), ([1, -1], -1), ([-1, 3], 1), ([2, -1, 4], 1)],
)
def test_label(injuries: list[int], label: int) -> None:
    accidents = np.array([7, 9])
    people = np.array([9] + [7] * len(injuries))
    result = priority_labels(people, np.array([1, *injuries], dtype=np.int16), accidents)
    assert result.tolist() == [label, 0]
    assert result.dtype == np.int8
