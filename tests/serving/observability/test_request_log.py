"""The request log: JSON lines with request ids and without content of accidents."""

import json
import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from serving.observability.telemetry import Logger
from tests.serving.service_process import create_admin_key, save_small_model, start_service

PERSONAL: dict[str, Any] = {
    "accident": {"Num_Acc": 987654321987, "lat": 47.123456, "long": 1.987654, "com": "41018", "dep": "41", "an": 2024},
    "road": {"voie": "RUE DES LILAS"},
    "vehicles": [{"id_vehicule": 55555777, "num_veh": "Q77"}],
    "people": [{"num_veh": "Q77", "catu": 1, "an_nais": 1931, "sexe": 2}],
}
TRACES = ("987654321987", "47.12", "1.98765", "41018", "LILAS", "55555777", "Q77", "1931")
DRAWN = ("at", "ms", "request_id", "span_id", "trace_id")
"""What has any digits."""


@pytest.mark.slow
def test_log_lines_are_json_with_request_ids_and_without_personal_data(tmp_path: Path) -> None:
    key = create_admin_key(tmp_path)
    headers = {"X-API-Key": key}
    model = save_small_model(tmp_path)
    with start_service(tmp_path, "--model-path", str(model)) as service:
        url = service.url
        wrong = PERSONAL | {"people": [{"num_veh": "Q77", "an_nais": "1931x"}], "LILAS": "RUE DES LILAS"}

        def post(path: str, content: Any, **more: str) -> requests.Response:
            return requests.post(url + path, json=content, headers=headers | more, timeout=10)

        responses = [
            post("/v1/predict?reasons=3&road=LILAS", PERSONAL),
            post("/v1/explain", PERSONAL),
            post("/v1/predict", wrong),
            post("/v1/predict/batch", {"accidents": [PERSONAL, wrong]}),
            requests.post(f"{url}/v1/predict", data=b'{"voie": LILAS', headers=headers, timeout=10),
            requests.get(f"{url}/RUE-DES-LILAS/1931", headers=headers, timeout=10),
            post("/v1/predict", PERSONAL, **{"X-API-Key": f"{key[:-1]}_"}),
            post("/v1/predict", PERSONAL, **{"X-Request-ID": "mine-1"}),
            post("/v1/predict", PERSONAL, **{"X-Request-ID": "LILAS 1"}),
        ]
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"LILAS / 1931\r\n\r\n")
            assert connection.recv(1000)
        model.write_bytes(b"no model any more")
        requests.post(f"{url}/v1/admin/reload", headers=headers, timeout=30)
        assert service.stop() == 0
        lines = service.log.splitlines()
    other_lines = [line for line in lines if not line.startswith("{")]
    assert len(other_lines) == 3, other_lines
    entries = [json.loads(line) for line in lines if line.startswith("{")]
    for entry in entries:
        assert {"at", "level", "event"} <= entry.keys()
        assert datetime.fromisoformat(entry["at"]).tzinfo is not None
    by_id = {entry["request_id"]: entry for entry in entries if entry["event"] == "request"}
    assert "mine-1" in by_id
    for answer in responses:
        entry = by_id[answer.headers["x-request-id"]]
        assert entry["status"] == answer.status_code
        assert entry["caller"] == (None if answer.status_code == 401 else key.split("_")[1])
        assert entry["ms"] > 0
    assert by_id[responses[5].headers["x-request-id"]]["route"] == "(none)"
    events = [entry["event"] for entry in entries]
    assert events.count("ready") == 1
    assert "model rejected" in events
    assert key.split("_", 2)[2][:20] not in "\n".join(lines)
    told = [{name: value for name, value in entry.items() if name not in DRAWN} for entry in entries]
    text = "\n".join([*other_lines, *map(json.dumps, told)])
    assert not [trace for trace in TRACES if trace in text]


def test_exception_is_logged_with_its_stack(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    logger = Logger()
    try:
        raise KeyError("12 RUE DES LILAS")
    except KeyError as error:
        logger.log_exception("id", error)
    text = capfdbinary.readouterr().err
    assert b"LILAS" not in text
    entry = json.loads(text)
    assert (entry["event"], entry["level"], entry["request_id"]) == ("exception", "error", "id")
    assert entry["error"] == "KeyError"
    assert __file__ in entry["stack"][-1]
