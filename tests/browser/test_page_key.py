"""The page of a service that asks for a key."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import OpenPage
from tests.browser.operator import Operator
from tests.serving.service_process import PROJECT, save_small_model, service_url

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """URL of a service that requires a key, and a key of role predict."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    environment = os.environ | {"SERVING_DATABASE_URL": f"sqlite:///{folder}/serving.db"}
    command = [sys.executable, "run.py", "keys", "create", "--name", "operator", "--role", "predict"]
    made = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=True)
    with service_url(folder, save_small_model(folder)) as address:
        yield address, made.stdout.strip()


def test_key_is_requested_and_kept_in_session_storage(guarded: tuple[str, str], open_page: OpenPage) -> None:
    address, key = guarded
    tab = open_page(address)
    page = tab.page
    page.get_by_label("API key").wait_for()
    assert not page.locator("#fields").is_visible()
    page.keyboard.type("acc_wrong")  # the field has the focus
    page.keyboard.press("Enter")
    page.locator("#key-why", has_text="The key was not accepted").wait_for()
    page.keyboard.type(key)
    page.keyboard.press("Enter")
    operator = Operator(tab)
    assert not page.get_by_label("API key").is_visible()
    assert "probability" in operator.submit()[1]
    assert key not in page.content()
    kept = "[localStorage.length, document.cookie, Object.values(sessionStorage)]"
    assert page.evaluate(kept) == [0, "", [key]]
    assert not any(key in request for request in tab.requests)
    assert operator.accessibility_violations() == []


def test_key_survives_a_reload_and_can_be_forgotten(guarded: tuple[str, str], open_page: OpenPage) -> None:
    address, key = guarded
    tab = open_page(address)
    tab.page.get_by_label("API key").fill(key)
    tab.page.keyboard.press("Enter")
    Operator(tab)
    tab.page.reload()
    operator = Operator(tab)
    operator.preset("Rear-end bump in town")
    tab.page.get_by_role("button", name="Forget the key").click()
    assert tab.page.evaluate("sessionStorage.length") == 0
    operator.press("Control+Enter")
    tab.page.get_by_label("API key").fill(key)
    with tab.page.expect_response("**/v1/predict*") as waiting:
        tab.page.keyboard.press("Enter")
    assert waiting.value.ok  # the form is submitted again with the new key
    assert len(waiting.value.request.post_data_json["vehicles"]) == 2
