"""Groups, limits and positions against what their words say, the calendar and plain arithmetic."""

import datetime as dt
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from accidents.columns import TABLES, Table
from accidents.features import code_groups, feature_frame, kernels
from accidents.features.array_columns import Entity
from accidents.features.catalogue import CATALOGUE
from accidents.features.cells import BITS, SPOT_SIZE, insee_number, locate_cells, spot_centres
from accidents.features.code_groups import PARTY_OF_CATV, Party
from accidents.features.specification import Aggregate, Aggregation
from tests.features.generated import random_accidents
from tests.features.test_compute import rows_of

KINDS = {
    "bicycle|pedelec": Party.BICYCLE,
    "personal device": Party.PERSONAL_DEVICE,
    "moped|under 50 cm3": Party.MOPED,
    "50 to 125 cm3": Party.LIGHT_MOTORCYCLE,
    "over 125 cm3": Party.MOTORCYCLE,
    "light quadricycle|quad": Party.QUAD,
    "car": Party.CAR,
    "van": Party.VAN,
    "special vehicle|farm tractor": Party.SPECIAL_VEHICLE,
    "bus|coach": Party.BUS,
    "lorry.*|tractor unit": Party.LORRY,
    "train|tram": Party.RAIL_VEHICLE,
}
"""Kind of party by words in the meaning of a vehicle category."""


def test_every_vehicle_category_has_the_kind_that_its_meaning_names() -> None:
    cells = {
        code: party
        for code, meaning in TABLES[Table.VEHICULES]["catv"].codes.items()
        for words, party in KINDS.items()
        if re.search(rf"\b({words})$", meaning)
    }
    assert cells == PARTY_OF_CATV


def test_age_counts_hold_the_ages_in_their_phrases() -> None:
    people = rows_of(21, 400)[Entity.PEOPLE]
    features = feature_frame(random_accidents(21, 400))
    tested = 0
    for name in ("children", "youths", "young_adults", "middle_aged", "seniors", "aged"):
        phrase = CATALOGUE[name].description
        match = re.fullmatch(r"people (?:under (\d+)|of (\d+) to (\d+)|of (\d+) and over)", phrase)
        assert match, phrase
        under, first, last, least = (int(number) if number else None for number in match.groups())
        ages = people["age"]
        if under is not None:
            here = ages.between(0, under - 1)
        else:
            here = ages.between(first if first is not None else least, last if last is not None else 110)
        np.testing.assert_array_equal(features[name], here.groupby(people["accident"]).sum(), err_msg=name)
        tested += here.sum()
    assert tested > 200


def test_weekdays_have_the_names_of_the_calendar() -> None:
    names = {day: f"{dt.date(2024, 1, 1) + dt.timedelta(days=day):%A}" for day in range(7)}
    assert CATALOGUE["weekday"].categories == names


def test_a_formula_names_up_to_four_codes() -> None:
    def formula(*codes: int) -> str:
        return Aggregate("some", "some", Entity.VEHICLES, Aggregation.COUNT, where={"kind": frozenset(codes)}).formula

    assert formula(1, 2, 3, 7) == "number of vehicles where kind in {1 bicycle, 2 personal device, 3 moped, 7 car}"
    assert formula(1, 2, 3, 7, 8) == "number of vehicles where kind in {1, 2, 3, 7, 8}"


@pytest.mark.parametrize("band", range(len(code_groups.AGE_BANDS)))
def test_the_words_of_a_band_are_the_ages_in_it(band: int) -> None:
    people = rows_of(22, 400)[Entity.PEOPLE]
    first, *last = (int(number) for number in re.findall(r"\d+", code_groups.band_words(band)))
    inside = people["age"].between(first, last[0] if last else 110)
    assert inside.any()
    unknown = (people["age"] < 0) if band == code_groups.REFERENCE_BAND else False
    np.testing.assert_array_equal(people["band"] == band, inside | unknown)
    assert code_groups.band_words(code_groups.REFERENCE_BAND) == "25 to 44 years"


def test_groups_share_no_code_and_leave_out_what_is_documented() -> None:
    columns = {
        "ROAD": TABLES[Table.LIEUX]["catr"],
        "SURFACE": TABLES[Table.LIEUX]["surf"],
        "WEATHER": TABLES[Table.CARACTERISTIQUES]["atm"],
    }
    for name, column in columns.items():
        grouped = [code for codes in getattr(code_groups, name).values() for code in codes]
        assert len({*grouped}) == len(grouped), name
        assert {column.codes[code] for code in column.codes.keys() - {*grouped}} <= {"other"}, name
    assert sorted(hour for hours in code_groups.DAYTIME.values() for hour in hours) == [*range(24)]
    assert sorted(month for months in code_groups.SEASON.values() for month in months) == [*range(1, 13)]


@given(st.dates(dt.date(1600, 1, 1), dt.date(2800, 12, 31)), st.integers(-1, 1439))
@example(dt.date(2000, 2, 29), 0)
@example(dt.date(2100, 3, 1), 59)
@settings(deadline=None, max_examples=300)
def test_the_calendar(day: dt.date, minutes: int) -> None:
    row = np.array([[minutes, day.day, day.month, day.year, -9, -9]], np.int16)
    kernels.derive_time(row, 0, 1, 2, 3, 4, 5)
    assert row[0, 4:].tolist() == [minutes // 60, day.weekday()]


@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_date_with_a_gap_has_no_weekday(gap: int) -> None:
    row = np.array([[60, 1, 1, 2024, -9, -9]], np.int16)
    row[0, 1 + gap] = -1
    kernels.derive_time(row, 0, 1, 2, 3, 4, 5)
    assert row[0, 4:].tolist() == [1, -1]


def test_an_age_is_recorded_from_0_to_110() -> None:
    births = np.array([2024, 2025, 1914, 1913, -1], np.int16)
    age = np.zeros(5, np.int16)
    kernels.derive_age(np.array([2024], np.int16), births, np.array([0, 5]), code_groups.OLDEST, age)
    assert age.tolist() == [0, -1, 110, -1, -1]


def test_a_person_takes_the_greatest_of_vehicles_of_the_same_id() -> None:
    kinds, out = np.array([7, 11, 5, 2], np.int16), np.zeros(4, np.int16)
    vehicles, people = np.array([1, 1, 1, 2]), np.array([1, 3, 1, 2])
    kernels.join_vehicles(kinds, vehicles, np.array([0, 3, 4]), people, np.array([0, 2, 4]), out)
    assert out.tolist() == [11, -1, -1, 2]


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(-180, 180)), min_size=1, max_size=20))
@settings(deadline=None, max_examples=60)
def test_spots_and_areas_are_the_cells_of_a_grid(coordinates: list[tuple[float, float]]) -> None:
    points = np.array(coordinates)
    cells = locate_cells(np.ones((len(points), 3), np.int64), np.ones(len(points), np.int16), points)
    assert (np.abs(spot_centres(cells[:, 4]) - points) <= SPOT_SIZE / 2 + 1e-9).all()
    for column, height in ((3, 0.15), (4, 0.02)):
        offset = 1 << (BITS - 1)
        row, cell = (cells[:, column] >> BITS) - offset, (cells[:, column] & ((1 << BITS) - 1)) - offset
        np.testing.assert_array_equal(row, np.floor(points[:, 0] / height))
        np.testing.assert_array_equal(cell, np.floor(points[:, 1] / (height * 1.5)))


def test_a_spot_is_about_two_kilometres_wide_and_high_in_the_middle_of_france() -> None:
    height, width = SPOT_SIZE * 111.2 * np.array([1, np.cos(np.radians(46.5))])
    assert height == pytest.approx(2.2, abs=0.1)
    assert width == pytest.approx(height, rel=0.05)


ROADS = st.tuples(
    st.sampled_from([insee_number(text) for text in ("01", "2A", "75", "971")]),
    st.sampled_from([insee_number(text) for text in ("01004", "2A004", "75115", "97105")]),
    st.one_of(st.integers(1, 99_999), st.integers(1 << 20, (1 << 20) + (1 << 32) - 1)),
    st.sampled_from([1, 2, 3, 4, 9]),
)


@given(st.lists(ROADS, min_size=1, max_size=12))
@example([(2, 34, 438 + (1 << 32), 3), (2, 34, 438, 3)])
@settings(deadline=None, max_examples=100)
def test_different_roads_have_different_keys(roads: list[tuple[int, int, int, int]]) -> None:
    places = np.array([road[:3] for road in roads], np.int64)
    categories = np.array([road[3] for road in roads], np.int16)
    cells = locate_cells(places, categories, np.zeros((len(roads), 2)))[:, 2].tolist()
    identity = [
        (commune, road) if road >= 1 << 20 else (department, category, road)
        for department, commune, road, category in roads
    ]
    assert len({*cells}) == len({*identity}) == len({*zip(cells, identity, strict=True)})
    assert min(cells) >= 0
