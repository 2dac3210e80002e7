"""Environment variables that commands set: services of this machine are reached without a proxy."""

import os

import pytest
from requests.utils import should_bypass_proxies

from accidents.configuration.environment import load_environment


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["", "example.org", "example.org, localhost", "*"])
def test_services_of_this_machine_are_reached_without_a_proxy(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(each, "")  # restored at the end
        del os.environ[each]
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    load_environment()
    assert should_bypass_proxies("http://127.0.0.1:8000/invocations", None)
    assert should_bypass_proxies("http://localhost:5000", None)
    assert should_bypass_proxies("http://example.org", None) == bool(value)
    assert value or not should_bypass_proxies("http://another.example", None)
    before = os.environ["no_proxy"]
    load_environment()
    assert os.environ["no_proxy"] == before
