"""Dashboards are what the code says, and every query of them has data while the service works."""

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from scripts.dashboards.panels import DASHBOARDS
from scripts.dashboards.pictures import draw
from scripts.dashboards.queries import Series, query_range, read_queries
from tests.http_receiver import http_receiver
from tests.monitoring.prometheus_server import alertmanager, prometheus, series
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import wait_until
from tests.serving.service_process import ServiceProcess, create_admin_key, save_small_model, start_service

NOT_MEASURED = "accidents_drift_share"
"""NaN until a pipeline measures drift."""


@dataclass
class Monitored:
    """A service under simulated traffic, its key, and the Prometheus that scrapes it."""

    service: ServiceProcess
    key: str
    prometheus: str


def test_dashboards_are_what_the_code_says(project: Path) -> None:
    command = [sys.executable, "-m", "scripts.dashboards", "--check"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[Monitored]:
    folder = tmp_path_factory.mktemp("monitored")
    key, model = create_admin_key(folder), save_small_model(folder)
    headers = {"X-API-Key": key}
    with (
        start_service(folder, "--model-path", str(model), workers=2) as service,
        prometheus(folder, service.url, key) as url,
    ):
        command = [sys.executable, "run.py", "simulate", "--url", service.url, "--key", key, "--seconds", "40"]
        traffic = subprocess.Popen([*command, "--outcomes-after", "2"], cwd=project, stderr=subprocess.DEVNULL)
        labelled = {"accidents": [ACCIDENT] * 4, "priority": [1, 0, 1, 1]}
        while traffic.poll() is None:
            requests.post(f"{service.url}/v1/evaluate", json=labelled, headers=headers, timeout=30)
            requests.post(f"{service.url}/v1/predict", json={"accident": {"lum": 9}}, headers=headers, timeout=30)
            requests.post(f"{service.url}/v1/predict", json=ACCIDENT, timeout=30)  # without a key
            time.sleep(1)
        assert traffic.returncode == 0
        yield Monitored(service, key, url)


@pytest.mark.long
@pytest.mark.parametrize("dashboard", DASHBOARDS)
def test_no_panel_is_empty(dashboard: str, monitored: Monitored, tmp_path: Path) -> None:
    end = time.time()
    for query in read_queries(dashboard, "30s"):
        lines: list[Series] = query_range(monitored.prometheus, query, end - 60, end, 1)
        assert lines, f"{query.panel}: {query.expression}"
        if NOT_MEASURED not in query.expression:
            assert any(not math.isnan(value) for line in lines for value in line.values), query
    draw(dashboard, monitored.prometheus, 1, tmp_path / "dashboard.png")
    assert (tmp_path / "dashboard.png").stat().st_size > 20_000


@pytest.mark.long
def test_recorded_values_exist_and_no_alert_fires_without_a_reason(monitored: Monitored, project: Path) -> None:
    """A busy machine is a reason."""
    recorded = [
        line.split()[-1]
        for line in (project / "monitoring/rules/recording.yml").read_text().splitlines()
        if "record:" in line
    ]
    for name in recorded:
        assert series(monitored.prometheus, name), name
    assert series(monitored.prometheus, "accidents_workers")[0]["value"][1] == "2"
    assert {one["metric"]["alertname"] for one in series(monitored.prometheus, "ALERTS")} <= {
        "AccidentsErrorRate", "AccidentsLatency", "AccidentsSaturation", "AccidentsCalibration", "AccidentsDisk"
    }  # fmt: skip


@pytest.mark.long
def test_an_alert_goes_from_scrape_to_webhook(tmp_path: Path) -> None:
    key, model = create_admin_key(tmp_path), save_small_model(tmp_path)
    with (
        http_receiver() as receiver,
        alertmanager(tmp_path, receiver.url) as address,
        start_service(tmp_path, "--model-path", str(model)) as service,
        prometheus(tmp_path, service.url, key, address) as url,
    ):
        wait_until(lambda: any(one["value"][1] == "1" for one in series(url, 'up{job="accidents"}')))
        service.stop()
        wait_until(lambda: receiver.bodies)
    path, body = receiver.bodies[0]
    assert path == "/on-call"
    assert b'"alertname":"AccidentsDown"' in body
    assert b"does not answer Prometheus" in body
