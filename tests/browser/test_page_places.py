"""Places on the page of the service: the map, towns, departments and coordinates, kept in step."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.browser.conftest import OpenPage
from tests.browser.operator import Operator

pytestmark = [pytest.mark.browser, pytest.mark.long]

PLACES = {
    (48.8566, 2.3522): "75",
    (48.892, 2.206): "92",
    (43.2965, 5.3698): "13",
    (41.9192, 8.7386): "2A",
    (42.6976, 9.4509): "2B",
    (48.39, -4.486): "29",
    (16.2411, -61.5331): "971",
    (14.6161, -61.0588): "972",
    (4.9224, -52.3135): "973",
    (-20.8823, 55.4504): "974",
    (-12.7806, 45.2278): "976",
    (46.0, -6.0): "",  # the Atlantic
    (52.52, 13.4): "",  # Berlin
}


@pytest.fixture
def operator(api: str, open_page: OpenPage) -> Operator:
    return Operator(open_page(api))


def point(operator: Operator) -> tuple[float, float]:
    return float(operator.field("Latitude").input_value()), float(operator.field("Longitude").input_value())


def test_typed_coordinates_set_department_and_marker(operator: Operator) -> None:
    for (latitude, longitude), department in PLACES.items():
        operator.field("Latitude").fill(str(latitude))
        operator.field("Longitude").fill(str(longitude))
        assert operator.field("Department").input_value() == department, (latitude, longitude)
        assert operator.page.locator(".pin").is_visible()


def test_typed_department_is_kept_and_contradictions_are_reported(operator: Operator) -> None:
    operator.field("Department").fill("77")
    operator.field("Latitude").fill("48.8566")
    operator.field("Longitude").fill("2.3522")
    assert operator.field("Department").input_value() == "77"
    assert "the coordinates lie in 75 Paris" in operator.page.locator("#department-name").inner_text()
    sent, _ = operator.submit()
    assert sent["accident"].items() >= {"dep": "77", "lat": 48.8566, "long": 2.3522}.items()


@pytest.mark.parametrize(("typed", "code"), [("2a", "2A"), ("1", "01"), ("cote d or", "21"), ("La Réunion", "974")])
def test_department_is_found_by_number_and_name(typed: str, code: str, operator: Operator) -> None:
    operator.field("Department").fill(typed)
    sent, _ = operator.submit()
    assert sent["accident"]["dep"] == code
    assert operator.page.locator(".department.chosen").count() == 1


def test_click_on_the_map_sets_the_place(operator: Operator) -> None:
    operator.field("Department").fill("63")
    operator.press("Tab")
    operator.page.locator("#map").click(position={"x": 230, "y": 150})
    latitude, longitude = point(operator)
    assert 45.2 < latitude < 46.3
    assert 2.3 < longitude < 4.0
    assert operator.field("Department").input_value() == "63"
    assert operator.page.locator(".pin").is_visible()
    assert "Puy-de-Dôme (63)" in operator.announcement()


def test_map_works_by_keyboard(operator: Operator) -> None:
    operator.tab_to("Map of France")
    operator.press("Enter")
    before = point(operator)
    operator.press("ArrowUp")
    operator.page.wait_for_timeout(500)  # the map slides
    operator.press("Enter")
    after = point(operator)
    assert after[0] > before[0]
    assert after[1] == pytest.approx(before[1], abs=0.05)
    assert "answer" not in operator.page.locator("#answer").inner_text().split()[1:2]


def test_zooming_shows_smaller_towns(operator: Operator) -> None:
    def towns() -> set[str]:
        return set(operator.page.locator(".town").all_inner_texts())

    far = towns()
    assert "Paris" in far
    assert "Melun" not in far
    operator.field("Department").fill("77")
    operator.press("Tab")
    assert "Melun" in towns()
    operator.field("Show on the map").select_option("La Réunion")
    assert "Saint-Pierre" in towns()


def test_town_sets_place_department_and_commune(operator: Operator) -> None:
    operator.field("Town").fill("saint-etienne")
    assert "Saint-Étienne (42)" in operator.page.locator("#towns option").evaluate_all(
        "all => all.map(one => one.value)"
    )
    operator.press("Tab")
    assert operator.field("Town").input_value() == "Saint-Étienne (42)"
    assert "Its centre is taken" in operator.page.locator("#town-hint").inner_text()
    assert point(operator) == pytest.approx((45.434, 4.39), abs=0.02)
    sent, _ = operator.submit()
    assert sent["accident"].items() >= {"dep": "42", "com": "42218"}.items()
    operator.page.locator("#map").click(position={"x": 200, "y": 120})
    assert operator.field("Town").input_value() == ""
    sent, _ = operator.submit()
    assert sent["accident"]["dep"] == "42"
    assert "com" not in sent["accident"]
    assert re.search(r"[\d.]+ km from ", operator.page.locator("#department-name").inner_text())


def test_town_typed_last_counts_on_immediate_submit(operator: Operator) -> None:
    operator.tab_to("Town")
    operator.type("Brest")
    sent, _ = operator.submit()
    assert sent["accident"].items() >= {"dep": "29", "com": "29019"}.items()


def test_pasted_pair_of_coordinates_fills_both_fields(api: str, open_page: OpenPage) -> None:
    operator = Operator(open_page(api, permissions=["clipboard-read", "clipboard-write"]))
    operator.page.evaluate("navigator.clipboard.writeText('48,6000; 2,8900')")
    operator.field("Latitude").focus()
    operator.press("Control+V")
    assert point(operator) == (48.6, 2.89)
    assert operator.field("Department").input_value() == "77"


@pytest.mark.real
def test_real_accidents_lie_in_the_departments_of_the_map(real_baac: Path, api: str, open_page: OpenPage) -> None:
    """The cells along borders are counted from these very accidents; the outlines by themselves reach 94 %."""
    file = next((real_baac / "2024").glob("caract*.csv"))
    table = pd.read_csv(file, sep=";", dtype=str, usecols=["dep", "lat", "long"]).dropna()
    points = np.column_stack([table[name].str.replace(",", ".").astype(float) for name in ("lat", "long")])
    departments = open_page(api).page.evaluate(
        "async points => { const {Departments} = await import('/page/departments.js');"
        " const all = await Departments.load('/page/outlines/departments.geojson');"
        " return points.map(([latitude, longitude]) => all.at(latitude, longitude)); }",
        points.tolist(),
    )
    assert np.mean(np.array(departments) == table["dep"].to_numpy()) > 0.97
