"""Databases, ZenML server and MLflow server, each with secrets of its own."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import requests

from scripts.team.processes import Process, free_port, process, program

_NO_TELEMETRY = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """The address of an empty database `zenml`."""
    server, install = program("mariadbd"), program("mariadb-install-db")
    data, port, password = folder / "data", free_port(), token_hex(32)
    folder.mkdir(parents=True, exist_ok=True)
    owner = f"--user={pwd.getpwuid(os.getuid()).pw_name}"
    login = "--auth-root-authentication-method=socket"  # nobody logs in as root over TCP
    subprocess.run(  # noqa: S603  # a program of Debian
        [install, "--no-defaults", f"--datadir={data}", login, "--skip-test-db", owner], check=True, capture_output=True
    )
    (folder / "init.sql").write_text(
        f"CREATE DATABASE zenml;\nCREATE USER 'zenml'@'%' IDENTIFIED BY '{password}';\n"
        "GRANT ALL ON zenml.* TO 'zenml'@'%';\n"
    )
    command = [server, "--no-defaults", f"--datadir={data}", f"--socket={folder / 'sock'}", f"--port={port}", owner]
    command += ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={folder / 'init.sql'}"]
    with process(command, folder) as running:
        running.wait_until(lambda: "ready for connections" in running.log.read_text(errors="replace"))
        yield f"mysql://zenml:{password}@127.0.0.1:{port}/zenml"


@contextmanager
def postgresql(folder: Path, *databases: str) -> Iterator[dict[str, str]]:
    """The addresses of empty databases, by name. PostgreSQL refuses root: then its user of Debian runs it."""
    server, initialise = program("postgres"), program("initdb")
    user = "postgres" if os.getuid() == 0 else None
    port, password = free_port(), token_hex(32)
    with tempfile.TemporaryDirectory(prefix="accidents-postgresql-") as home:  # where that user may enter
        data, secret = Path(home, "cluster"), Path(home, "password")
        secret.write_text(password)
        if user:
            for path in (home, secret):
                shutil.chown(path, user, user)
        options: dict[str, Any] = {"user": user, "cwd": home, "capture_output": True}
        create = [initialise, f"--pgdata={data}", "--username=postgres", f"--pwfile={secret}", "--encoding=UTF8"]
        subprocess.run([*create, "--auth=scram-sha-256", "--no-sync"], check=True, **options)  # noqa: S603
        sql = "".join(f"CREATE DATABASE {name};\n" for name in databases)
        single = [server, "--single", "-D", str(data), "postgres"]
        subprocess.run(single, input=sql.encode(), check=True, **options)  # noqa: S603
        command = [server, "-D", str(data), "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
        with process([*command, "-c", "unix_socket_directories="], folder, user=user) as running:
            running.wait_until(lambda: "ready to accept connections" in running.log.read_text(errors="replace"))
            yield {name: f"postgresql://postgres:{password}@127.0.0.1:{port}/{name}" for name in databases}


@dataclass(frozen=True)
class ZenmlServer:
    """A ZenML server, and the password of its user `admin`."""

    url: str
    password: str
    process: Process

    def client_variables(self) -> dict[str, str]:
        """The environment by which a client reaches it, with the key of a new service account."""
        return {"ZENML_STORE_URL": self.url, "ZENML_STORE_API_KEY": service_account_key(self.url, self.password)}


@contextmanager
def zenml_server(folder: Path, database: str) -> Iterator[ZenmlServer]:
    """A ZenML server that encrypts the secrets of stacks."""
    port, password = free_port(), token_hex(32)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}
    environment = kept | {
        "ZENML_SERVER": "true", "ZENML_SERVER_DEPLOYMENT_TYPE": "other", "ZENML_SERVER_AUTO_ACTIVATE": "1",
        "ZENML_SERVER_JWT_SECRET_KEY": token_hex(32), "ZENML_SECRETS_STORE_TYPE": "sql",
        "ZENML_SECRETS_STORE_ENCRYPTION_KEY": token_hex(32), "ZENML_STORE_URL": database,
        "ZENML_DEFAULT_USER_NAME": "admin", "ZENML_DEFAULT_USER_PASSWORD": password,
        "ZENML_CONFIG_PATH": str(folder / "config"), "ZENML_ANALYTICS_OPT_IN": "false",
    }  # fmt: skip
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--host", "127.0.0.1"]
    with process([*command, "--port", str(port)], folder, environment) as running:
        url = f"http://127.0.0.1:{port}"
        running.wait_for(f"{url}/api/v1/info")
        yield ZenmlServer(url, password, running)


def service_account_key(url: str, password: str) -> str:
    """The key of a new service account of a ZenML server; `password` is that of its user `admin`."""
    session = requests.Session()

    def post(path: str, **content: Any) -> Any:
        answer = session.post(f"{url}/api/v1/{path}", timeout=60, **content)
        answer.raise_for_status()
        return answer.json()

    token = post("login", data={"username": "admin", "password": password})["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    account = post("service_accounts", json={"name": "pipelines", "active": True})["id"]
    return str(post(f"service_accounts/{account}/api_keys", json={"name": "key"})["body"]["key"])


@contextmanager
def mlflow_server(folder: Path, database: str, *artifacts: str, **variables: str) -> Iterator[str]:
    """The address of an MLflow server; `artifacts` are the options that say where files go and who writes them."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    # The address of the database has a password: in the command, other users of the machine could read it.
    environment = kept | _NO_TELEMETRY | {"MLFLOW_BACKEND_STORE_URI": database} | variables
    with process([*command, *artifacts], folder, environment) as running:
        running.wait_for(f"http://127.0.0.1:{port}/health", range(200, 201))
        yield f"http://127.0.0.1:{port}"
