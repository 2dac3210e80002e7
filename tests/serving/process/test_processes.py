"""Processes of the service: start, stop, crash, and metrics of several workers."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from sqlalchemy import create_engine, func, select

from serving.records.tables import predictions
from tests.serving.in_process import ACCIDENT, EXAMPLES, NDJSON_HEADERS, in_process_service, parse_metrics
from tests.serving.load_generator import LoadGenerator, wait_until
from tests.serving.records.databases import new_postgresql_database
from tests.serving.routes.test_json_lines import to_lines
from tests.serving.service_process import PROJECT, TIMEOUT, ServiceProcess, free_port, save_small_model, start_service
from tests.tracking.servers import postgresql

pytestmark = pytest.mark.slow


def stored(database_url: str) -> int:
    """How many predictions a database holds."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        count = connection.execute(select(func.count()).select_from(predictions)).scalar_one()
    engine.dispose()
    return int(count)


def gone(processes: list[int]) -> bool:
    return not any(psutil.pid_exists(one) and psutil.Process(one).status() != "zombie" for one in processes)


def metrics_of(service: ServiceProcess) -> dict[str, float]:
    return parse_metrics(requests.get(f"{service.url}/metrics", timeout=10).text)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("workers")
    # A proxy stands between this machine and others, not before the machine itself.
    proxy = {"HTTP_PROXY": f"http://127.0.0.1:{free_port()}"}
    chosen = ("--model-path", str(model), "--anonymous")
    settings: dict[str, Any] = {"workers": 2, "records": {"flush_seconds": 0.1}, "caller": {"lockout_seconds": 1000}}
    with start_service(folder, *chosen, environment=proxy, **settings) as service:
        yield service


@pytest.mark.long
def test_workers_aggregate_metrics(two_workers: ServiceProcess) -> None:
    before = metrics_of(two_workers)
    with LoadGenerator(two_workers.url, clients=6) as load:
        wait_until(lambda: load.results.total() > 300)
    assert load.errors == []
    for path, status in (("/v1/predict", 422), ("/nothing", 404), ("/v1/model", 200)):
        for _ in range(10):
            assert requests.get(f"{two_workers.url}{path}", timeout=10).status_code in {status, 405}
    wait_until(lambda: metrics_of(two_workers)['accidents_log_entries{state="waiting"}'] == 0)

    def growth() -> dict[str, float]:
        return {name: value - before.get(name, 0) for name, value in metrics_of(two_workers).items()}

    made = load.results.total()
    wait_until(lambda: growth()['accidents_log_entries{state="written"}'] == made)
    values = growth()
    assert sum(values.get(f'accidents_predictions_total{{prediction="{one}"}}', 0) for one in (0, 1)) == made
    assert values["accidents_probability_count"] == made
    requests_answered = sum(
        values.get(f'accidents_requests_total{{method="POST",route="{path}",status="200"}}', 0)
        for path in ("/v1/predict", "/v1/predict/batch")
    )
    assert requests_answered == values['accidents_step_seconds_count{step="model"}']
    assert values['accidents_requests_total{method="GET",route="(none)",status="404"}'] == 10
    assert values['accidents_requests_total{method="GET",route="/v1/model",status="200"}'] == 10
    assert values['accidents_requests_total{method="GET",route="/v1/predict",status="405"}'] == 10
    assert len(two_workers.server_pids) == 2
    assert stored(f"sqlite:///{two_workers.folder}/serving.db") >= made


def statuses_of_wrong_keys(service: ServiceProcess, count: int) -> list[int]:
    """Each over a connection of its own, so that every worker gets some."""
    headers = {"X-API-Key": "acc_wrong"}
    return [requests.get(f"{service.url}/v1/model", headers=headers, timeout=10).status_code for _ in range(count)]


def test_killed_worker_is_replaced_and_its_gauges_removed(two_workers: ServiceProcess) -> None:
    """The lockout, which workers share, outlives it."""
    assert statuses_of_wrong_keys(two_workers, 40) == [401] * 11 + [429] * 29
    before = metrics_of(two_workers)["accidents_probability_count"]
    victim, other = sorted(two_workers.server_pids)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(set(two_workers.server_pids) - {victim}) == 2)
    shared = [Path(path) for path in psutil.Process(other).environ()["PROMETHEUS_MULTIPROC_DIR"].split()]
    wait_until(lambda: not [*shared[0].glob(f"gauge_live*_{victim}.db")])
    response = requests.post(f"{two_workers.url}/v1/predict", json=ACCIDENT, timeout=10)
    assert response.status_code == 200
    assert metrics_of(two_workers)["accidents_probability_count"] == before + 1
    assert statuses_of_wrong_keys(two_workers, 10) == [429] * 10


def check_stop_with_supervisor(service: ServiceProcess) -> None:
    """Kill the launching process, and see that nothing goes on."""
    processes = [one.pid for one in psutil.Process(service.process.pid).children(recursive=True)]
    database_url = f"sqlite:///{service.folder}/serving.db"
    wait_until(lambda: metrics_of(service)['accidents_log_entries{state="waiting"}'] == 0)
    before = stored(database_url)
    requests.post(f"{service.url}/v1/predict", json=ACCIDENT, timeout=10)
    assert service.stop(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: gone(processes))
    time.sleep(1)
    assert service.server_pids == []
    assert stored(database_url) == before + 1


def test_workers_stop_with_the_supervisor(two_workers: ServiceProcess) -> None:
    check_stop_with_supervisor(two_workers)


@pytest.mark.long
def test_single_server_stops_with_the_supervisor(tmp_path: Path, model: Path) -> None:
    with start_service(tmp_path, "--model-path", str(model), "--anonymous") as service:
        check_stop_with_supervisor(service)


@pytest.mark.long
def test_running_requests_are_finished_at_shutdown(tmp_path: Path, model: Path) -> None:
    """SIGTERM in the middle of a long answer: it is told whole, everything is in the log, and nothing is left."""
    body = to_lines([EXAMPLES["low_risk"]] * 20_000)
    with start_service(tmp_path, "--model-path", str(model), "--anonymous") as service:
        processes = [one.pid for one in psutil.Process(service.process.pid).children(recursive=True)]
        response = requests.post(
            f"{service.url}/v1/predict/batch", data=body, headers=NDJSON_HEADERS, stream=True, timeout=60
        )
        lines = response.iter_lines(chunk_size=65536)
        first = next(lines)
        ends: list[int] = []
        stopping = threading.Thread(target=lambda: ends.append(service.stop()))
        stopping.start()
        rest = [json.loads(line) for line in lines]
        stopping.join(TIMEOUT)
        assert ends == [0]
        assert len(rest) == 19_999
        assert all("probability" in one for one in [json.loads(first), *rest])
        assert gone(processes)
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{service.url}/health", timeout=5)
    assert stored(f"sqlite:///{tmp_path}/serving.db") == 20_000


def test_unservable_model_is_reported_at_once(tmp_path: Path, model: Path) -> None:
    damaged = tmp_path / "damaged.zip"
    content = model.read_bytes()
    with zipfile.ZipFile(model) as archive:
        largest = max(archive.infolist(), key=lambda member: member.compress_size)
    middle = largest.header_offset + largest.compress_size // 2
    damaged.write_bytes(content[:middle] + bytes(100) + content[middle + 100 :])
    taken = free_port()
    configured = tmp_path / "serving.yaml"
    environment = os.environ | {"SERVING_DATABASE_URL": f"sqlite:///{tmp_path}/serving.db"}

    def run_serve(*words: str) -> tuple[int, str]:
        command = [sys.executable, "run.py", "--serve", "--anonymous", "--config", str(configured), *words]
        ended = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=50)
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stderr

    configured.write_text(f"pipeline: serving\nport: {taken}\n")
    assert run_serve("--model-path", str(tmp_path / "none.zip"))[0] == 1
    code, output = run_serve("--model-path", str(damaged))
    assert (code, "does not load" in output, "damaged: Bad CRC-32" in output) == (1, True, True)
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        other.listen()
        code, output = run_serve("--model-path", str(model))
        assert (code, "choose another with --port" in output) == (2, True)


_OF_A_REGISTRY = """
import sys, time
from pathlib import Path
from typing import Any
from serving.process.supervisor import model_file_resolver, serve
from tests.serving.in_process import settings_for
looks = []
def find():
    looks.append(1)
    if len(looks) == 2:
        raise RuntimeError("a fault of the registry's library")
    if len(looks) == 3:
        time.sleep(600)
    return model_file_resolver(Path(sys.argv[1]))()
settings = settings_for(Path(sys.argv[2]), anonymous=True, poll_seconds=0.2, port=int(sys.argv[3]))
sys.exit(serve(settings, find, lambda service: print("serving", flush=True)))
"""
"""Serves a model of a registry that fails at the second look, and at the third does not answer."""


@pytest.mark.long
def test_failing_or_hanging_registry_blocks_neither_service_nor_stop(tmp_path: Path, model: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", _OF_A_REGISTRY, str(model), str(tmp_path), str(port)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "serving\n"
        url = f"http://127.0.0.1:{port}"

        def failed() -> bool:
            return "\naccidents_model_reload_failed 1.0" in requests.get(f"{url}/metrics", timeout=10).text

        wait_until(failed)
        time.sleep(1)  # the third look is under way
        assert requests.post(f"{url}/v1/predict", json=ACCIDENT, timeout=10).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 0


def test_server_imports_neither_mlflow_nor_zenml_and_ctrl_c_exits_cleanly(tmp_path: Path, model: Path) -> None:
    """Whatever is asked; Python itself tells what it imports."""
    chosen = ("--model-path", str(model), "--anonymous")
    with start_service(tmp_path, *chosen, environment={"PYTHONPROFILEIMPORTTIME": "1"}) as service:
        for path in ("/v1/model", "/v1/input-features", "/metrics", "/docs", "/openapi.json"):
            assert requests.get(service.url + path, timeout=30).status_code == 200
        for path in ("/v1/predict?reasons=3", "/v1/explain"):
            assert requests.post(service.url + path, json=ACCIDENT, timeout=30).status_code == 200
        labelled = {"accidents": [ACCIDENT] * 20, "priority": [0, 1] * 10}
        assert requests.post(f"{service.url}/v1/evaluate", json=labelled, timeout=30).status_code == 200
        wait_until(lambda: f"{service.url}/docs" in service.log)
        os.killpg(service.process.pid, signal.SIGINT)
        assert service.process.wait(TIMEOUT) == 0
        assert "Traceback" not in service.log
        imported = set(re.findall(r"^import time: .*\|\s*(\w+)", service.log, re.MULTILINE))
    assert {"fastapi", "lightgbm", "accidents", "serving"} <= imported
    assert not {"mlflow", "zenml", "great_expectations", "matplotlib", "tracking"} & imported


@pytest.mark.long
def test_service_works_with_postgresql(tmp_path: Path, model: Path) -> None:
    pytest.importorskip("pgserver", reason="PostgreSQL comes with the package pgserver, which is not for every machine")
    with postgresql() as server:
        database_url = new_postgresql_database(server)
        with in_process_service(tmp_path, model, records={"database_url": database_url}) as api:
            predictions = [api.post("/v1/predict", one).json() for one in EXAMPLES.values()]
            batch = api.post("/v1/predict/batch", {"accidents": [ACCIDENT] * 50}).json()["results"]
            for replaced in (False, True):
                outcome = {"prediction_id": predictions[0]["prediction_id"], "priority": 1}
                assert api.post("/v1/feedback", outcome).json()["replaced"] is replaced
            assert api.post("/v1/predict", ACCIDENT, None).status_code == 401
        assert stored(database_url) == len(predictions) + len(batch)
