"""`make team`: a training, a promotion and a prediction through servers as processes; none of them remains."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from accidents.models import model_types
from scripts.team.processes import INSTALLATIONS, MissingProgramError, program
from tests.conftest import PROJECT

MARK = "ACCIDENTS_TEAM_TEST"


class Team:
    """A running `make team`, and what it has printed."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.log = folder / "printed.log"
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        for path in (folder, self.temporary):  # PostgreSQL runs as another user where root starts it
            path.chmod(0o755)
        ready = ("-o", f"{sys.prefix}/.ready", "-o", ".venv-store/.ready", f"VENV={sys.prefix}")
        environment = os.environ | {MARK: str(folder), "TMPDIR": str(self.temporary), "MLFLOW_TRACKING_URI": "none"}
        with self.log.open("wb") as out:
            self.make = subprocess.Popen(
                ["make", *ready, "team", *arguments], cwd=PROJECT, env=environment, stdout=out, stderr=out,
                start_new_session=True,
            )  # fmt: skip

    @property
    def printed(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        while text not in self.printed:
            assert self.make.poll() is None, self.printed[-3000:]
            time.sleep(0.2)

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it; returns the exit code."""
        os.killpg(self.make.pid, signal.SIGINT)
        return self.make.wait(120)

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def listening(self) -> set[tuple[str, int]]:
        """Addresses and ports on which its processes listen."""
        found = (connection for process in self.processes() for connection in process.net_connections("inet"))
        return {tuple(connection.laddr) for connection in found if connection.status == psutil.CONN_LISTEN}

    def assert_gone(self) -> None:
        """No process runs and no file remains."""
        assert not self.processes()
        assert not list(self.temporary.iterdir())


@contextmanager
def team(*arguments: str) -> Iterator[Team]:
    for name in INSTALLATIONS:
        try:
            program(name)
        except MissingProgramError as error:
            pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="accidents-test-"))
    started = Team(folder, *arguments)
    try:
        yield started
    finally:
        if started.make.poll() is None:
            started.interrupt()
        for process in started.processes():
            process.kill()
        shutil.rmtree(folder)


def printed_answer(text: str) -> Any:
    """The prediction that was printed."""
    return json.JSONDecoder().raw_decode(text[text.index("\n{") + 1 :])[0]


@pytest.mark.long
def test_team_trains_and_predicts_until_ctrl_c() -> None:
    with team("KEEP=1") as running:
        running.wait_for("the servers run until Ctrl-C")
        printed = running.printed
        (folder,) = running.temporary.glob("accidents-team-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        listening = running.listening()
        assert len(listening) > 10
        assert {address for address, _ in listening} == {"127.0.0.1"}
        variables = dict(re.findall(r"^(\w+)='?(.*?)'?$", (folder / "variables.env").read_text(), re.MULTILINE))

        commands = " ".join(word for process in running.processes() for word in process.cmdline())
        passwords = [variables["SERVING_DATABASE_URL"].split("@")[0], variables["AWS_SECRET_ACCESS_KEY"]]
        assert not any(password in commands for password in passwords)  # which all users of the machine see

        metrics = {
            file.name.removesuffix("_metrics.json"): json.loads(file.read_text())
            for file in (folder / "reports" / "metrics").glob("*_metrics.json")
        }
        assert metrics.keys() == set(model_types())
        assert all(0.7 < found["roc_auc"] < 1 for found in metrics.values()), metrics
        best = json.loads((folder / "models" / "best_model.json").read_text())["model_type"]
        answer = printed_answer(printed)
        assert (answer["model"]["type"], answer["model"]["version"]) == (best, "1")
        assert (answer["prediction"], answer["interpretation"]) == (1, "Priority")

        certificate = folder / "proxy" / "tls.pem"
        url = re.search(r"service with TLS +(\S+)", printed)[1]  # type: ignore[index]
        key = {"X-API-Key": variables["SERVING_API_KEY"]}
        example = json.loads((PROJECT / "examples" / "low_risk.json").read_text())
        low = requests.post(f"{url}/v1/predict", json=example, headers=key, verify=certificate, timeout=60).json()
        assert low["probability"] < answer["probability"]
        assert requests.post(f"{url}/v1/predict", json=example, verify=certificate, timeout=60).status_code == 401
        assert requests.get(f"{url}/metrics", verify=certificate, timeout=60).status_code == 404
        prometheus = re.search(r"Prometheus +(\S+)", printed)[1]  # type: ignore[index]
        wait_until_scraped(prometheus)

        assert running.interrupt() == -signal.SIGINT  # of make, which ends as a shell expects
        assert "error:" not in running.printed
        running.assert_gone()


def wait_until_scraped(prometheus: str) -> None:
    end = time.monotonic() + 60
    query = {"query": 'up{job="accidents"} == 1'}
    while not requests.get(f"{prometheus}/api/v1/query", params=query, timeout=10).json()["data"]["result"]:
        assert time.monotonic() < end
        time.sleep(1)


@pytest.mark.long
def test_team_ends_by_itself() -> None:
    with team() as running:
        assert running.make.wait(900) == 0, running.printed[-3000:]
        assert 0 < printed_answer(running.printed)["probability"] < 1
        running.assert_gone()


@pytest.mark.long
def test_an_interrupted_training_leaves_nothing() -> None:
    with team() as running:
        running.wait_for("`build_features` has started")
        assert running.interrupt() == -signal.SIGINT
        assert "error:" not in running.printed
        running.assert_gone()


def test_a_missing_program_is_one_sentence() -> None:
    code = "from scripts.team import __main__, processes; processes._FOLDERS = (); exit(__main__.main([]))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: initdb is not installed: apt-get install postgresql\n"
