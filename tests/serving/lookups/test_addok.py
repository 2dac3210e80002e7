"""Addresses from a real geocoder of the French address API: addok with a handful of addresses."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from accidents.configuration.serving import LookupSettings
from accidents.requests import parse_request
from accidents.requests.derived_facts import LookupFailedError
from serving.lookups.services import Services
from tests.serving.service_process import TIMEOUT, free_port

REDIS = shutil.which("redis-server")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(REDIS is None, reason="addok needs redis-server: apt-get install redis-server"),
]
PACKAGES = ("addok==1.3.2", "addok-fr==1.1.0", "addok-france==1.2.0")
CONFIGURATION = """
REDIS = {{"host": "127.0.0.1", "port": {port}}}
FILTERS = {filters}
QUERY_PROCESSORS_PYPATHS = ["addok_france.extract_address", "addok_france.clean_query"]
SEARCH_RESULT_PROCESSORS_PYPATHS = [
    "addok.helpers.results.match_housenumber", "addok_france.make_labels", "addok.helpers.results.score_by_importance",
    "addok.helpers.results.score_by_ngram_distance",
]
PROCESSORS_PYPATHS = [
    "addok.helpers.text.tokenize", "addok.helpers.text.normalize", "addok_france.flag_housenumber",
    "addok.helpers.text.synonymize", "addok_fr.phonemicize",
]
"""


def street(code: str, postcode: str, city: str, name: str, latitude: float, longitude: float) -> dict[str, Any]:
    """A street as the Base Adresse Nationale publishes it for addok, with the house number 8 in its middle."""
    place = {"lat": latitude, "lon": longitude}
    own = {"id": f"{code}_{name}", "type": "street", "name": name, "postcode": postcode, "citycode": code, "city": city}
    return own | place | {"importance": 0.6, "housenumbers": {"8": place}}


STREETS = [
    street("80021", "80000", "Amiens", "Boulevard du Port", 49.897443, 2.290084),
    street("95127", "95000", "Cergy", "Boulevard du Port", 49.031, 2.062),
    street("59350", "59000", "Lille", "Grand Place", 50.6366, 3.0635),
    street("97411", "97400", "Saint-Denis", "Rue de Paris", -20.8785, 55.4497),
]


@pytest.fixture(scope="module", params=[["citycode"], []], ids=["with the filter", "without"])
def services(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Lookups that ask addok, with and without its filter by commune."""
    folder = tmp_path_factory.mktemp("addok")
    programs = install(folder)
    redis, port = free_port(), free_port()
    configuration = folder / "addok.conf"
    configuration.write_text(CONFIGURATION.format(port=redis, filters=request.param))
    (folder / "streets.json").write_text("".join(f"{json.dumps(one)}\n" for one in STREETS))
    addok = [programs / "addok", "--config", configuration]
    with ExitStack() as processes:
        start(processes, [REDIS, "--port", redis, "--bind", "127.0.0.1", "--save", "", "--dir", folder])
        time.sleep(1)
        for command in (["batch", folder / "streets.json"], ["ngrams"]):
            subprocess.run([*map(str, addok), *map(str, command)], check=True, capture_output=True, timeout=TIMEOUT)
        start(processes, [*addok, "serve", "--host", "127.0.0.1", "--port", port])
        url = f"http://127.0.0.1:{port}/search/"
        wait_for(url)
        found = Services(LookupSettings(geocoder=url, timeout_seconds=5, pause_seconds=0))
        yield found
        found.close()


def install(folder: Path) -> Path:
    """Install addok in an environment of its own; returns the folder of its programs."""
    subprocess.run([sys.executable, "-m", "venv", folder / "environment"], check=True)
    programs = folder / "environment" / "bin"
    done = subprocess.run([programs / "pip", "install", "-q", *PACKAGES], capture_output=True, text=True, timeout=600)
    if done.returncode:
        pytest.skip(f"addok cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    return programs


def start(processes: ExitStack, command: list[Any]) -> None:
    """Start a process that ends with the stack."""
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.callback(process.wait, TIMEOUT)
    processes.callback(process.terminate)


def wait_for(url: str) -> None:
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        try:
            requests.get(url, params={"q": "lille"}, timeout=5).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.2)
    raise AssertionError("addok does not answer")


@pytest.mark.parametrize(
    ("address", "commune", "expected"),
    [
        ("8 boulevard du Port, 95000 Cergy", None, "95127"),
        ("8 bd du port amiens", None, "80021"),
        ("boulevard du port", "80021", "80021"),
        ("BOULEVARD DU PORT", "95127", "95127"),
        ("grand place lille", None, "59350"),
        ("rue de paris 97400 saint-denis", None, "97411"),
    ],
)
def test_addresses_are_found(services: Services, address: str, commune: str | None, expected: str) -> None:
    place = services.for_request().place(address, commune)
    assert place
    assert place.commune == expected
    (own,) = [one for one in STREETS if one["citycode"] == expected]
    assert (place.latitude, place.longitude) == pytest.approx((own["lat"], own["lon"]), abs=1e-5)
    assert own["city"] in place.label


@pytest.mark.parametrize(
    ("address", "commune"), [("avenue introuvable xyzzy", None), ("boulevard du port", "59350"), ("?", None)]
)
def test_unknown_addresses_are_not(services: Services, address: str, commune: str | None) -> None:
    with pytest.raises(LookupFailedError):
        services.for_request().place(address, commune)


def test_an_accident_gets_its_place(services: Services) -> None:
    content = {"accident": {"adr": "8 boulevard du port 80000 amiens"}, "vehicles": [{}], "people": [{}]}
    request = parse_request(content, derive=True, lookups=services.for_request())
    assert {fact.field: fact.value for fact in request.derived} == {
        "accident.lat": 49.897443,
        "accident.long": 2.290084,
        "accident.com": "80021",
        "accident.dep": "80",
    }
