"""The page in a browser, as operators use it."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser.conftest import DESKTOP, OpenPage
from tests.browser.operator import Operator

pytestmark = pytest.mark.browser

SMALL_PHONE = {"width": 360, "height": 780}
WINDOWS = {"desktop": DESKTOP, "phone": SMALL_PHONE}
PRESETS = ("Pedestrian hit by a moped", "Motorcycle against car on a country road", "Rear-end bump in town")
COMPUTED_COLUMNS = {
    "Num_Acc",
    "id_vehicule",
    "id_usager",
    "num_veh",
    "jour",
    "mois",
    "an",
    "hrmn",
    "an_nais",
    "dep",
    "lat",
    "long",
}
"""Columns that the page computes from other fields."""


@pytest.fixture
def operator(api: str, open_page: OpenPage) -> Iterator[Operator]:
    """An operator at a desktop; errors of the page fail the test."""
    tab = open_page(api)
    yield Operator(tab)
    assert [error for error in tab.errors if "422" not in error] == []
    assert all(address.startswith(f"{api}/") for address in tab.requests), tab.requests


def test_prediction_by_keyboard_only(operator: Operator) -> None:
    operator.tab_to("Town")
    operator.type("Melun")
    operator.tab_to("Built-up area")
    operator.press("ArrowRight", "ArrowRight")
    operator.tab_to("Light")
    operator.press("ArrowRight")
    operator.tab_to("Speed limit (km/h)")
    operator.type("50")
    operator.tab_to("Vehicle category")
    operator.type("moped")
    operator.tab_to("Age (years)")
    operator.type("25")
    operator.tab_to("+ Pedestrian hit")
    operator.press("Enter")
    operator.type("70")
    sent, answer = operator.submit()
    year = sent["accident"]["an"]
    assert sent["accident"].items() >= {"dep": "77", "com": "77288", "agg": 2, "lum": 1}.items()
    assert sent["road"] == {"vma": 50}
    assert sent["vehicles"] == [{"num_veh": "A01", "catv": 2, "obsm": 1}]
    assert sent["people"] == [
        {"num_veh": "A01", "catu": 1, "place": 1, "an_nais": year - 25},
        {"num_veh": "A01", "catu": 3, "place": 10, "an_nais": year - 70},
    ]
    assert re.search(r"riority\. Probability [\d.]+ %, priority from [\d.]+ %", operator.announcement())
    assert operator.page.locator(".verdict").is_visible()
    assert len(answer["reasons"]) == 5
    assert operator.keys < 100  # a minute at less than two a second


def test_focus_is_visible(operator: Operator) -> None:
    for label in ("Town", "Map of France", "Light", "Vehicle category", "+ Vehicle"):
        operator.tab_to(label)
        width = operator.page.evaluate(
            "parseFloat(getComputedStyle(document.activeElement.closest('.chip')?.querySelector('span')"
            " ?? document.activeElement).outlineWidth)"
        )
        assert width >= 2, label


def test_date_and_time_default_to_now(operator: Operator) -> None:
    sent, _ = operator.submit()
    accident = sent["accident"]
    hour, minute = map(int, accident["hrmn"].split(":"))
    submitted = datetime(accident["an"], accident["mois"], accident["jour"], hour, minute)  # noqa: DTZ001 - local, as the page's
    assert abs(datetime.now() - submitted) < timedelta(minutes=5)  # noqa: DTZ005


@pytest.mark.parametrize("title", PRESETS)
def test_result_shows_the_response_of_the_service(title: str, operator: Operator) -> None:
    operator.field("Latitude").fill("48.6")
    operator.field("Longitude").fill("2.89")
    operator.preset(title)
    sent, answer = operator.submit()
    assert sent["accident"].items() >= {"dep": "77", "lat": 48.6, "long": 2.89}.items()
    shown = operator.page.locator("#answer").inner_text()
    priority = answer["prediction"] == 1
    assert ("▲ Priority" in shown, "▽ Not priority" in shown) == (priority, not priority)
    percent = float(re.search(r"([\d.]+) %\nprobability", shown).group(1))  # type: ignore[union-attr]
    assert percent == pytest.approx(100 * answer["probability"], abs=0.51)
    for reason in answer["reasons"]:
        assert reason["text"].lower() in shown.lower()
        assert f"{abs(reason['contribution']):.2f}" in shown
    towards, away = (operator.page.locator(f".bar.{side}").count() for side in ("above", "below"))
    assert towards == sum(reason["contribution"] >= 0 for reason in answer["reasons"])
    assert towards + away == 5
    assert f"{len(answer['missing'])} inputs were not known" in shown
    assert answer["prediction_id"] in shown
    assert f"{answer['model']['name']}, version {answer['model']['version']}" in shown


def test_warnings_are_shown_and_missing_inputs_link_to_their_fields(operator: Operator) -> None:
    operator.field("Department").fill("75")
    operator.page.get_by_text("More about the road and the place").click()
    operator.page.get_by_label(re.compile("^Commune")).fill("77317")
    _, answer = operator.submit()
    assert answer["warnings"]
    for warning in answer["warnings"]:
        assert warning.lower() in operator.page.locator(".note.warning").inner_text().lower()
    assert "accident.atm" in answer["missing"]  # light would follow from the time by day
    operator.page.locator(".missing summary").click()
    operator.page.locator(".missing").get_by_role("button", name="Weather", exact=True).click()
    assert operator.page.evaluate("document.activeElement.closest('.field').textContent").strip().startswith("Weather")


def test_what_to_ask_next_links_to_its_field(operator: Operator) -> None:
    operator.field("Department").fill("59")
    _, answer = operator.submit()
    assert len(answer["ask"]) == 3
    buttons = operator.page.locator(".ask-next button")
    assert buttons.count() == 3
    for number in range(3):
        buttons.nth(number).click()
        focused = "document.activeElement.closest('.field')"
        assert operator.page.evaluate(f"{focused} !== null && {focused}.checkVisibility()")
        label = buttons.nth(number).inner_text().split(": ")[-1].replace("Coordinates", "Latitude")
        assert label in operator.page.evaluate(f"{focused}.textContent")


def test_prediction_id_can_be_copied(api: str, open_page: OpenPage) -> None:
    operator = Operator(open_page(api, permissions=["clipboard-read", "clipboard-write"]))
    _, answer = operator.submit()
    operator.page.get_by_role("button", name="Copy the prediction id").click()
    operator.page.get_by_text("Copied").wait_for()
    assert operator.page.evaluate("navigator.clipboard.readText()") == answer["prediction_id"]


def test_invalid_input_is_reported_at_its_field(operator: Operator) -> None:
    operator.preset(PRESETS[1])
    operator.field("Speed limit (km/h)").fill("999")
    operator.field("Latitude").fill("abc")
    operator.field("Occupants of a public transport vehicle", 1).evaluate("field => field.value = 5000")
    _, refused = operator.submit()
    fields = {problem["field"] for problem in refused["error"]["problems"]}
    assert fields == {"road.vma", "accident.lat", "vehicles[1].occutc"}
    assert len(operator.errors()) == 3
    limit = operator.field("Speed limit (km/h)")
    assert limit.get_attribute("aria-invalid") == "true"
    described = limit.get_attribute("aria-describedby")
    assert "5 to 130 km/h" in operator.page.locator(f"[id='{described}']").inner_text()
    assert operator.field("Latitude").evaluate("field => field === document.activeElement")
    assert operator.field("Occupants of a public transport vehicle", 1).get_attribute("aria-invalid") == "true"
    assert operator.field("Occupants of a public transport vehicle", 0).get_attribute("aria-invalid") is None
    assert operator.field("Occupants of a public transport vehicle", 1).is_visible()  # unfolded
    operator.page.locator(".error-note").get_by_role("button", name=re.compile("^Vehicle 2: Occupants")).click()
    assert operator.field("Occupants of a public transport vehicle", 1).evaluate(
        "one => one === document.activeElement"
    )
    operator.field("Occupants of a public transport vehicle", 1).fill("")
    operator.field("Latitude").fill("")
    limit.fill("80")
    assert operator.errors() == []
    assert limit.get_attribute("aria-invalid") is None
    assert "probability" in operator.submit()[1]
    assert operator.page.locator(".error-note").count() == 0


@pytest.mark.parametrize(
    ("label", "text", "message"),
    [("Age (years)", "200", "0 to 120 years"), ("Department", "Atlantis", "is not a department")],
)
def test_input_that_cannot_be_converted_is_reported_at_its_field(
    label: str, text: str, message: str, operator: Operator
) -> None:
    operator.field(label).fill(text)
    operator.press("Control+Enter")
    assert message in " ".join(operator.errors())
    assert operator.field(label).evaluate("field => field === document.activeElement")
    assert not any("/v1/predict" in address for address in operator.tab.requests)


def test_vehicles_and_people_are_added_and_removed(operator: Operator) -> None:
    page = operator.page
    page.get_by_role("button", name="+ Vehicle").click()
    page.get_by_role("button", name="+ Vehicle").click()
    for number, kind in enumerate(("car", "bus", "bicycle")):
        operator.field("Vehicle category", number).select_option(label=kind)
    page.get_by_role("button", name="+ Passenger").nth(1).click()
    page.get_by_role("button", name="Remove vehicle A").click()
    assert page.locator(".vehicle > legend").all_inner_texts() == ["Vehicle A", "Vehicle B"]
    sent, _ = operator.submit()
    assert [(vehicle["num_veh"], vehicle["catv"]) for vehicle in sent["vehicles"]] == [("A01", 37), ("B01", 1)]
    assert [(person["num_veh"], person["catu"]) for person in sent["people"]] == [("A01", 1), ("A01", 2), ("B01", 1)]
    page.get_by_role("button", name="Remove person 1 of vehicle a").click()
    page.get_by_role("button", name="Remove vehicle B").click()
    assert page.get_by_role("button", name="Remove vehicle A").count() == 0  # an accident has a vehicle
    sent, _ = operator.submit()
    assert [(person["num_veh"], person["catu"]) for person in sent["people"]] == [("A01", 2)]


def test_outdated_result_is_marked(operator: Operator) -> None:
    operator.submit()
    answer = operator.page.locator("#answer")
    assert "stale" not in answer.get_attribute("class")
    operator.choose("Collision", "rear-end")
    assert "stale" in answer.get_attribute("class")
    operator.choose("Collision", "not known")
    assert "stale" not in answer.get_attribute("class")


def test_new_accident_clears_the_form(operator: Operator) -> None:
    before, _ = operator.submit()
    operator.field("Town").fill("Brest (29)")
    operator.preset(PRESETS[2])
    operator.page.get_by_role("button", name="New accident").click()
    after, _ = operator.submit()
    for moment in ("an", "mois", "jour", "hrmn"):
        before["accident"].pop(moment), after["accident"].pop(moment)
    assert after == before
    assert after == {"accident": {}, "road": {}, "vehicles": [{"num_veh": "A01"}], "people": after["people"]}


def test_fields_and_codes_come_from_the_service(api: str, operator: Operator) -> None:
    parts: dict[str, list[dict[str, Any]]] = requests.get(f"{api}/v1/input-features", timeout=10).json()["parts"]
    operator.page.get_by_role("button", name="+ Pedestrian hit").click()
    for column in (column for part in parts.values() for column in part if column["name"] not in COMPUTED_COLUMNS):
        label = column["meaning"][0].upper() + column["meaning"][1:]
        if column["unit"]:
            label += f" ({column['unit']})"
        field = operator.page.locator(".field").filter(has=operator.page.get_by_text(label, exact=True)).first
        shown = field.locator("option").all_text_contents() or field.locator(".chip").all_text_contents()
        expected_codes = [text for text in column["codes"].values() if not text.startswith("unused")]
        assert sorted(set(shown) - {"not known"}) == sorted(set(expected_codes)) or column["name"] == "vma", label


def test_lost_connection_keeps_the_form(operator: Operator) -> None:
    operator.preset(PRESETS[0])
    operator.page.context.set_offline(True)
    operator.press("Control+Enter")
    operator.page.get_by_text("The service does not answer").first.wait_for()
    operator.page.context.set_offline(False)
    sent, answer = operator.submit()
    assert sent["vehicles"][0]["catv"] == 2
    assert "probability" in answer
    operator.tab.errors.clear()  # the browser's own words on the lost request


@pytest.mark.parametrize(
    ("window", "scheme"),
    [
        ("desktop", "light"),
        ("phone", "dark"),
        pytest.param("desktop", "dark", marks=pytest.mark.long),
        pytest.param("phone", "light", marks=pytest.mark.long),
    ],
)
def test_page_has_no_serious_accessibility_violations(
    window: str, scheme: str, api: str, open_page: OpenPage, tmp_path: Path
) -> None:
    tab = open_page(api, WINDOWS[window], color_scheme=scheme)
    operator = Operator(tab)
    assert operator.accessibility_violations() == []
    operator.preset(PRESETS[1])
    tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    operator.field("Speed limit (km/h)").fill("999")
    operator.submit()
    assert operator.accessibility_violations() == []
    operator.field("Speed limit (km/h)").fill("80")
    operator.submit()
    tab.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert operator.accessibility_violations() == []
    assert tab.overflow() <= 0
    assert tab.picture(tmp_path / "page.png").stat().st_size > 50_000
    operator.field("Speed limit (km/h)").fill("90")
    assert operator.accessibility_violations() == []


def test_result_scrolls_into_view_on_a_phone(api: str, open_page: OpenPage) -> None:
    tab = open_page(api, SMALL_PHONE, has_touch=True, is_mobile=True)
    operator = Operator(tab)
    assert tab.overflow() <= 0
    tab.page.get_by_role("button", name=PRESETS[1]).tap()
    tab.page.locator("#ask").tap()
    tab.page.locator(".verdict").wait_for()
    top, height = tab.page.evaluate(
        "(({top}) => [top, innerHeight])(document.querySelector('.verdict').getBoundingClientRect())"
    )
    assert 0 <= top < height / 2
    assert re.fullmatch(r"(Not p|P)riority, [\d.]+ %", tab.page.locator("#brief").inner_text())
    assert all(height >= 24 and width >= 24 for width, height in tab.sizes("#fields button:not([hidden])"))
    assert tab.overflow() <= 0
    assert tab.errors == []
    assert operator.accessibility_violations() == []
