"""Address search and derived facts on the page, with a geocoder and a weather service on this machine."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.operator import Operator
from tests.serving.in_process import in_process_service
from tests.serving.lookups.services import PLACES, Services, running_services
from tests.serving.service_process import save_small_model

pytestmark = [pytest.mark.browser, pytest.mark.long]
LABEL = "8 Boulevard du Port 80000 Amiens"


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with running_services() as found:
        yield found


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, services: Services) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("address")
    model = save_small_model(folder)
    with in_process_service(folder, model, anonymous=True, lookups=services.settings()) as client:
        yield client.url


def test_an_address_sets_the_place_and_the_answer_names_what_was_derived(
    url: str, services: Services, open_page: OpenPage, tmp_path: Path
) -> None:
    services.reset()
    other: Any = deepcopy(PLACES["features"][0])  # type: ignore[index]
    other["properties"] |= {"label": "8 Boulevard du Port 95000 Cergy", "citycode": "95127"}
    services.places = [*PLACES["features"], other]  # type: ignore[misc]
    services.weather_codes = [61] * 24
    operator = Operator(open_page(url))
    operator.field("Address").fill("8 boulevard du port")
    operator.press("Enter")
    operator.page.get_by_role("button", name=LABEL).click()
    assert operator.field("Address").input_value() == LABEL
    assert float(operator.field("Latitude").input_value()) == 49.897443
    assert operator.field("Department").input_value() == "80"
    assert operator.page.locator(".pin").is_visible()
    asked, answer = operator.submit()
    assert asked["accident"]["com"] == "80021"
    assert "adr" not in asked["accident"]
    derived = operator.page.locator(".derived").inner_text()
    assert {fact["field"] for fact in answer["derived"]} >= {"accident.atm"}
    assert "light rain from the weather service" in derived
    assert operator.accessibility_violations() == []
    operator.tab.picture(tmp_path / "page.png")
    operator.field("Latitude").fill("48.85")
    assert operator.field("Address").input_value() == ""


def test_an_address_that_was_not_looked_for_goes_with_the_question(
    url: str, services: Services, open_page: OpenPage
) -> None:
    services.reset()
    operator = Operator(open_page(url))
    operator.field("Address").fill("8 bd du port")
    services.places[0] = deepcopy(services.places[0])
    services.places[0]["properties"]["score"] = 0.9
    asked, answer = operator.submit()
    assert asked["accident"]["adr"] == "8 bd du port"
    assert {"accident.lat", "accident.com", "accident.dep"} <= {fact["field"] for fact in answer["derived"]}


def test_an_unknown_address_and_a_failure_are_told(url: str, services: Services, open_page: OpenPage) -> None:
    services.reset()
    services.places = []
    operator = Operator(open_page(url))
    for answer, text in ((None, "No such address."), (lambda one: one.send_json(500, {}), "does not answer")):
        services.answer = answer
        operator.field("Address").fill(f"nowhere {text}")
        operator.page.get_by_role("button", name="Find", exact=True).click()
        operator.page.get_by_text(text).first.wait_for()
    assert operator.field("Latitude").input_value() == ""


def test_without_a_geocoder_there_is_no_address_field(api: str, open_page: OpenPage) -> None:
    operator = Operator(open_page(api))
    assert operator.field("Address").count() == 0
    operator.field("Latitude").fill("50.63")
    operator.field("Longitude").fill("3.06")
    _, answer = operator.submit()
    assert "accident.atm" in answer["missing"]
