"""Every alert once, from scrape to webhook: Prometheus and Alertmanager with the rules and routes of `monitoring/`.

A stand-in serves the metrics of a real service, in which every value leaves its limit. Windows and waiting times of
the rules are seconds in place of minutes.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.http_receiver import Receiver, http_receiver
from tests.monitoring import prometheus_server
from tests.monitoring.prometheus_server import alertmanager, prometheus, read_yaml
from tests.monitoring.test_rules import ALERTS
from tests.serving.in_process import ACCIDENT, in_process_service
from tests.serving.load_generator import wait_until
from tests.serving.service_process import save_small_model

_RECEIVERS = {"critical": "/on-call", "warning": "/team"}
_WINDOWS = {"1d": "60s", "30m": "15s", "15m": "15s", "10m": "1s", "5m": "10s", "1h": "1s", "2m": "1s", "1m": "1s"}

Change = Callable[[float, float], float]
"""The new value of a sample, from its value and the seconds since the start."""


def growing(rate: float) -> Change:
    return lambda value, seconds: value + rate * seconds


def constant(value: float) -> Change:
    return lambda *_: value


CHANGES: dict[str, Change] = {
    r'accidents_requests_total\{.*status="500"\}': growing(5),
    r'accidents_request_seconds_bucket\{le="\+Inf",route="/v1/predict"\}': growing(10),
    r'accidents_request_seconds_bucket\{le="10.0",route="/v1/predict"\}': growing(10),
    r"accidents_cpu_seconds_total": growing(2),
    r"accidents_drift_share": constant(0.6),
    r"accidents_drift_alarm": constant(1),
    r"accidents_monitored_timestamp_seconds": constant(0),
    r'accidents_outcome_probability_count\{outcome="[01]"\}': growing(50),
    r'accidents_outcome_probability_sum\{outcome="1"\}': growing(5),
    r"accidents_model_trained_timestamp_seconds": constant(0),
    r"accidents_model_reload_failed": constant(1),
    r'accidents_log_entries\{state="dropped"\}': growing(1),
    r"accidents_database_available": constant(0),
    r"accidents_disk_free_bytes\{.*\}": constant(1),
}
"""What leaves its limit. Predictions do not grow: AccidentsNoPredictions."""


def changed(text: str, seconds: float) -> str:
    """Metrics in which every sample of `CHANGES` is changed."""
    lines = []
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        change = next((one for pattern, one in CHANGES.items() if re.fullmatch(pattern, name)), None)
        lines.append(line if line.startswith("#") or not change else f"{name} {change(float(value), seconds)}")
    return "\n".join(lines) + "\n"


@contextmanager
def broken_service(metrics: str) -> Iterator[ThreadingHTTPServer]:
    """Serves the changed metrics on a free port."""
    started = time.monotonic()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # named by the library
            body = changed(metrics, time.monotonic() - started).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def real_metrics(folder: Path) -> str:
    """Metrics of a service that has answered, failed and stored outcomes."""
    with in_process_service(folder, save_small_model(folder)) as api:
        for outcome in (0, 1):
            answer = api.post("/v1/predict", ACCIDENT).json()
            assert api.post("/v1/feedback", {"prediction_id": answer["prediction_id"], "priority": outcome}).ok
        api.state.metrics.observe_request("/v1/predict", "POST", 500, 11.0)
        api.state.update_metrics()
        return api.get("/metrics").text


def quick(monitoring: Path, folder: Path) -> Path:
    """A copy of `monitoring/` whose windows and waiting times are seconds."""
    (folder / "rules").mkdir(parents=True)
    pattern = re.compile(r"(\[|for: |group_wait: |group_interval: )(\d+[smhd])")
    for file in ("prometheus.yml", "alertmanager.yml", "rules/alerts.yml", "rules/recording.yml"):
        text = (monitoring / file).read_text(encoding="utf-8")
        text = pattern.sub(lambda found: found[1] + _WINDOWS.get(found[2], "1s"), text)
        (folder / file).write_text(text, encoding="utf-8")
    return folder


def received(receiver: Receiver) -> dict[str, str]:
    """Paths at which firing alerts arrived, by name."""
    return {
        alert["labels"]["alertname"]: path
        for path, body in receiver.bodies
        for alert in json.loads(body)["alerts"]
        if alert["status"] == "firing"
    }


@pytest.mark.long
def test_every_alert_reaches_its_receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = real_metrics(tmp_path)
    names = {line.rpartition(" ")[0] for line in metrics.splitlines()}
    for pattern in CHANGES:
        assert any(re.fullmatch(pattern, name) for name in names), pattern
    quickened = quick(prometheus_server.MONITORING, tmp_path / "monitoring")
    monkeypatch.setattr(prometheus_server, "MONITORING", quickened)
    assert {rule["alert"] for rule in read_yaml(quickened / "rules/alerts.yml")["groups"][0]["rules"]} == {*ALERTS}
    with http_receiver() as receiver, alertmanager(tmp_path, receiver.url) as address:
        with broken_service(metrics) as service:
            target = f"http://127.0.0.1:{service.server_port}"
            with prometheus(tmp_path, target, "key", address):
                wait_until(lambda: received(receiver).keys() >= ALERTS.keys() - {"AccidentsDown"})
                service.shutdown()
                service.server_close()
                wait_until(lambda: "AccidentsDown" in received(receiver))
        found = received(receiver)
    assert found == {name: _RECEIVERS[rule["labels"]["severity"]] for name, rule in ALERTS.items()}
