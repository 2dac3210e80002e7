"""Page and API documentation behind a reverse proxy that strips a path prefix."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.browser.conftest import OpenPage
from tests.browser.operator import Operator
from tests.serving.reverse_proxy import reverse_proxy
from tests.serving.service_process import save_small_model, service_url

pytestmark = [pytest.mark.browser, pytest.mark.long]

PREFIX = "/field/accidents"


@pytest.fixture(scope="module")
def proxied() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="serving-") as name:
        folder = Path(name)
        with (
            service_url(folder, save_small_model(folder), "--anonymous", root_path=PREFIX) as upstream,
            reverse_proxy(upstream, PREFIX) as url,
        ):
            yield url


def test_the_page_predicts_below_a_prefix(proxied: str, open_page: OpenPage) -> None:
    tab = open_page(f"{proxied}/")
    operator = Operator(tab)
    operator.preset("Rear-end bump in town")
    _, answer = operator.submit()
    assert 0 < answer["probability"] < 1
    assert tab.errors == []
    assert all(address.startswith(f"{proxied}/") for address in tab.requests), tab.requests


def test_the_documentation_calls_the_api_below_the_prefix(proxied: str, open_page: OpenPage) -> None:
    tab = open_page(f"{proxied}/docs")
    tab.page.locator(".opblock-summary", has_text="/health").first.click()
    tab.page.get_by_role("button", name="Try it out").click()
    tab.page.get_by_role("button", name="Execute").click()
    tab.page.wait_for_selector(".live-responses-table")
    assert tab.errors == []
    assert f"{proxied}/health" in tab.requests
    assert all(address.startswith((f"{proxied}/", "data:")) for address in tab.requests), tab.requests


def test_the_schema_names_the_prefix(proxied: str) -> None:
    assert requests.get(f"{proxied}/openapi.json", timeout=20).json()["servers"] == [{"url": PREFIX}]
