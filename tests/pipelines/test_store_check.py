"""ZenML's server, database or configuration that cannot be used is one paragraph, and stays as it is."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import zenml

from pipelines import store_check
from pipelines.store_check import StoreError
from tests.conftest import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.traced]

UNKNOWN = "5b7ab8cf-9a0c-4b0e-9f3b-1b0c4b4e1e11"


@pytest.fixture
def serve() -> Iterator[Callable[[str], str]]:
    """Serves a text under every path; returns the address."""
    servers = []

    def start(body: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (json.dumps({"version": "99.1.0"}), r"is of version 99.1.0, and ZenML here of version"),
        (json.dumps({"version": "0.1.0"}), r"is of version 0.1.0, and ZenML here of version"),
        ("<html>", r"does not answer as a ZenML server"),
        ("[]", r"does not answer as a ZenML server"),
    ],
)
def test_a_server_of_another_version_or_kind_is_refused(serve: Callable[[str], str], body: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        store_check._check_server(serve(body), SimpleNamespace(http_timeout=5))


def test_a_server_of_this_version_is_accepted_and_one_that_is_away_named(serve: Callable[[str], str]) -> None:
    store_check._check_server(serve(json.dumps({"version": zenml.__version__})), SimpleNamespace())
    with pytest.raises(StoreError, match=r"http://127.0.0.1:9 does not answer \(no connection\); start it"):
        store_check._check_server("http://127.0.0.1:9", SimpleNamespace())


def test_a_database_of_a_newer_zenml_is_refused_and_not_written_to(tmp_path: Path) -> None:
    file = tmp_path / "zenml.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('99.1.0')")
    database.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match=r"zenml.db is of a newer version \(99.1.0\) than ZenML here"):
        store_check._check_database_version(file)
    assert file.read_bytes() == before
    with sqlite3.connect(file) as database:
        database.execute("UPDATE alembic_version SET version_num = '0.90.0'")  # which ZenML upgrades
    database.close()
    store_check._check_database_version(file)
    file.write_bytes(b"x" * 5000)
    with pytest.raises(StoreError, match="file is not a database; move it away"):
        store_check._check_database_version(file)


@pytest.mark.long
@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ZENML_STORE_URL": "http://127.0.0.1:9"}, "the ZenML server http://127.0.0.1:9 does not answer"),
        ({"ZENML_STORE_URL": "mysql://u:hush@127.0.0.1:9/zenml"}, "the ZenML store mysql://127.0.0.1:9/zenml"),
        ({"ZENML_ACTIVE_STACK_ID": UNKNOWN}, f"ZENML_ACTIVE_STACK_ID={UNKNOWN}: there is no such stack"),
        ({"ZENML_ACTIVE_PROJECT_ID": UNKNOWN}, f"ZENML_ACTIVE_PROJECT_ID={UNKNOWN}: there is no such project"),
        ({"ZENML_CONFIG_PATH": "{file}", "ZENML_LOCAL_STORES_PATH": ""}, "ZenML cannot keep its configuration there"),
        ({"ZENML_CONFIG_PATH": "/proc/nowhere", "ZENML_LOCAL_STORES_PATH": ""}, "/proc/nowhere: ZenML cannot keep"),
        ({"ZENML_CONFIG_PATH": "{broken}"}, "not a usable configuration of ZenML"),
    ],
)
@pytest.mark.parametrize("command", [("stack", "list"), ("registry", "list-models"), ("--training",)])
def test_a_fault_is_one_paragraph(
    tmp_path: Path, variables: dict[str, str], message: str, command: tuple[str, ...]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.yaml").write_text("a: [")
    places = {name: str(tmp_path / name) for name in ("file", "broken")}
    own = {"ZENML_CONFIG_PATH": str(tmp_path / "config"), "ZENML_LOCAL_STORES_PATH": str(tmp_path / "stores")}
    values = {name: value.format(**places) for name, value in variables.items()}
    environment = {name: value for name, value in (os.environ | own | values).items() if value}
    ended = subprocess.run(
        [sys.executable, "run.py", *command], cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 1, ended.stderr
    *before, last = ended.stderr.strip().splitlines()
    assert last.startswith("error: ")
    assert message in last
    assert "hush" not in ended.stdout + ended.stderr
    assert "Traceback" not in "".join(before)


@pytest.mark.long
def test_a_read_only_home_is_one_paragraph(tmp_path: Path) -> None:
    unprivileged = []
    if os.geteuid() == 0:  # who may write everywhere
        if shutil.which("setpriv") is None:
            pytest.skip("setpriv is not installed: apt-get install util-linux")
        unprivileged = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    home = tmp_path / "home"
    home.mkdir(0o555)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}
    command = [*unprivileged, sys.executable, "run.py", "stack", "list"]

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=PROJECT, env=kept | {"HOME": str(home)}, capture_output=True, text=True)

    assert run().stderr.startswith(f"error: {home}/.config: ZenML cannot keep its configuration there")
    home.chmod(0o755)
    assert run().returncode == 0
    store = [home / ".config", *(home / ".config").rglob("*")]
    for path in store:
        path.chmod(path.stat().st_mode & ~0o222)
    ended = run()
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert "zenml.db: it may not be written; check the rights of file and folder" in ended.stderr
    for path in store:
        path.chmod(path.stat().st_mode | 0o200)
