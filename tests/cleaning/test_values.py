"""Coordinates, dates and the label."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from accidents.cleaning.coordinates import correct_coordinates
from accidents.cleaning.label import priority_labels
from accidents.cleaning.value_checks import accident_dates, check_dates, check_future_dates
from accidents.columns import MISSING, Table
from accidents.reading.issues import Action
from accidents.reading.layout import Layout
from accidents.reading.typed_table import ParsedFile


def corrected(department: str | None, latitude: float, longitude: float) -> tuple[float, float, str]:
    result = correct_coordinates(pd.Series([department], dtype="str"), np.array([latitude]), np.array([longitude]))
    masks = ("corrected", "outside", "incomplete")
    (done,) = [name for name in masks if getattr(result, name)[0]] or [""]
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
    assert corrected(department, *wrong) == (*right, "corrected")
    assert corrected(department, *right) == (*right, "")


def test_plausible_coordinates_outside_the_department_stay() -> None:
    assert corrected("59", 43.3, 5.4) == (43.3, 5.4, "")


@pytest.mark.parametrize("pair", [(10.0, 10.0), (60.0, 2.0), (16.2, -61.5)])
def test_coordinates_far_from_the_country_become_missing(pair: tuple[float, float]) -> None:
    latitude, longitude, done = corrected("59", *pair)
    assert np.isnan(latitude)
    assert np.isnan(longitude)
    assert done == "outside"


def test_an_incomplete_pair_becomes_missing() -> None:
    latitude, longitude, done = corrected("59", 50.6, np.nan)
    assert np.isnan(latitude)
    assert np.isnan(longitude)
    assert done == "incomplete"


def test_without_a_department_nothing_changes() -> None:
    assert corrected(None, 2.3, 48.8) == (2.3, 48.8, "")


def frame(*days: tuple[int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(days, columns=["an", "mois", "jour"], dtype="int32")


def parsed(*days: tuple[int, int, int]) -> ParsedFile:
    rows = np.arange(2, len(days) + 2, dtype=np.int32)
    return ParsedFile(Table.CARACTERISTIQUES, "caract.csv", frame(*days), rows, {}, Layout.SINCE_2019, (), {})


def test_dates_exist_or_are_missing() -> None:
    dates = accident_dates(frame((2024, 2, 29), (2023, 2, 29), (2024, 12, 31), (-1, 2, 30), (2024, -1, 31)))
    assert dates.astype(str).tolist() == ["2024-02-29", "NaT", "2024-12-31", "NaT", "NaT"]


def test_days_that_do_not_exist_become_missing() -> None:
    days = [(2024, 2, 29), (2024, 2, 30), (2024, 4, 31), (2024, 12, 31), (-1, 2, 30), (2024, -1, 31)]
    checked, (issue,) = check_dates(parsed(*days), 2024)
    assert checked.frame["jour"].tolist() == [29, MISSING, MISSING, 31, 30, 31]
    assert (issue.column, issue.rows, issue.first_rows) == ("jour", 2, (3, 4))


def test_accidents_after_today_are_in_the_future() -> None:
    file = parsed((2024, 2, 28), (2024, 2, 29), (2024, 3, 1), (2031, -1, 1))
    (issue,) = check_future_dates(file, date(2024, 2, 29))
    assert (issue.action, issue.first_rows) == (Action.STOPPED, (4,))
    assert check_future_dates(file, date(2024, 3, 1)) == []


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
