"""The service of two workers behind nginx with TLS, configured as docs/serving.md says."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from serving.auth import api_keys
from serving.auth.roles import Role
from tests.serving.in_process import ACCIDENT
from tests.serving.load_generator import wait_until
from tests.serving.records.databases import migrated_database
from tests.serving.service_process import (
    PROJECT,
    TIMEOUT,
    ServiceProcess,
    free_port,
    save_small_model,
    start_service,
)

NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(NGINX is None or OPENSSL is None, reason="needs nginx and openssl: apt-get install nginx-light"),
    pytest.mark.skipif(sys.platform != "linux", reason="needs further loopback addresses: 127.0.0.2 is one on Linux"),
]
HOST = "accidents.example"
PROXY, ATTACKER, NEIGHBOUR = "127.0.0.1", "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True)
class Proxied:
    """A service behind a proxy; `keys` were created before it started and never used."""

    service: ServiceProcess
    port: int
    context: ssl.SSLContext
    keys: list[str]

    def request(
        self, source: str, key: str, path: str = "/v1/model", content: Any = None, **headers: str
    ) -> tuple[int, dict[str, Any], http.client.HTTPMessage]:
        """Status, JSON content and headers of the response to a client with the address `source`, by HTTPS."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=TIMEOUT, source_address=(source, 0), context=self.context
        )
        sent = {"Host": HOST, "X-API-Key": key, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = None if content is None else json.dumps(content)
        try:
            connection.request("POST" if body else "GET", path, body, sent)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers
        finally:
            connection.close()

    def logged_client(self, request_id: str) -> str:
        """The client that the request log names."""
        line = f'"request_id":"{request_id}"'
        wait_until(lambda: line in self.service.log)
        entry = next(entry for entry in self.service.log.splitlines() if line in entry)
        return str(json.loads(entry)["client"])


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("proxied")
    engine, _ = migrated_database(f"sqlite:///{folder}/serving.db")
    keys = [api_keys.create_key(engine, f"caller {number}", Role.PREDICT).text for number in range(40)]
    engine.dispose()
    settings = {"trusted_proxies": [PROXY], "hosts": [HOST], "caller": {"lockout_seconds": 1000}}
    model = save_small_model(folder)
    # A variable that makes uvicorn's own proxy headers count everybody's has no effect.
    environment = {"FORWARDED_ALLOW_IPS": "*"}
    with (
        start_service(folder, "--model-path", str(model), environment=environment, workers=2, **settings) as service,
        nginx(folder, service.url) as (port, context),
    ):
        yield Proxied(service, port, context, keys)


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[tuple[int, ssl.SSLContext]]:
    """nginx with a self-signed certificate; yields its port, and a context that trusts the certificate."""
    assert NGINX is not None
    assert OPENSSL is not None
    certificate, private_key, port = folder / "certificate.pem", folder / "private.key", free_port()
    names = f"subjectAltName=DNS:{HOST},IP:127.0.0.1"
    command = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", names, "-keyout", str(private_key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    documented = re.findall(r"```nginx\n(server {.*?)```", (PROJECT / "docs" / "serving.md").read_text(), re.DOTALL)
    server = documented[0]
    for there, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/accidents.pem": str(certificate),
        "/etc/ssl/accidents.key": str(private_key),
        "http://127.0.0.1:8080": upstream,
    }.items():
        assert server.count(there) == 1, there
        server = server.replace(there, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    process_options = f"daemon off; master_process off; pid {folder}/nginx.pid; events {{}}"
    http_options = "access_log off; " + " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    configuration.write_text(f"{process_options}\nhttp {{ {http_options}\n{server}}}")
    log = folder / "nginx.log"
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-p", str(folder), "-e", str(log)])
    try:
        wait_until(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None, log.read_text()
        yield port, ssl.create_default_context(cafile=str(certificate))
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_wrong_keys_of_one_client_hurt_nobody_else(proxied: Proxied) -> None:
    fresh = iter(proxied.keys)
    statuses = [proxied.request(ATTACKER, f"acc_wrong_{number}")[0] for number in range(30)]
    assert statuses == [401] * 11 + [429] * 19
    assert proxied.request(NEIGHBOUR, "acc_wrong")[0] == 401
    # None of these keys was seen before by either worker.
    assert Counter(proxied.request(ATTACKER, next(fresh))[0] for _ in range(15)) == {200: 15}
    assert Counter(proxied.request(NEIGHBOUR, next(fresh))[0] for _ in range(15)) == {200: 15}
    status, content, headers = proxied.request(ATTACKER, "acc_wrong")
    assert (status, content["error"]["code"]) == (429, "locked_out")
    assert 900 < int(headers["Retry-After"]) <= 1001
    victim = proxied.service.server_pids[0]
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(set(proxied.service.server_pids) - {victim}) == 2)
    assert [proxied.request(ATTACKER, "acc_wrong")[0] for _ in range(5)] == [429] * 5
    assert proxied.request(ATTACKER, next(fresh))[0] == 200


def test_made_up_addresses_change_neither_limits_nor_log(proxied: Proxied) -> None:
    """A client that names another address, every time a new one, is still itself."""
    source = "127.0.0.4"
    spoofed_headers = [
        {"X_Forwarded_For": f"203.0.113.{number}", "Forwarded": f"for=192.0.2.{number}"} for number in range(12)
    ]
    statuses = [proxied.request(source, "acc_wrong", **headers)[0] for headers in spoofed_headers]
    assert statuses == [401] * 11 + [429]
    for number, spoofed in enumerate(("203.0.113.9", "203.0.113.9, 127.0.0.1", "unknown", "127.0.0.1", "x" * 3000)):
        status, _, _ = proxied.request(
            source, proxied.keys[-1], X_Forwarded_For=spoofed, X_Real_IP="203.0.113.9", X_Request_ID=f"spoofed-{number}"
        )
        assert status == 200
        assert proxied.logged_client(f"spoofed-{number}") == source


def test_predictions_pass_the_proxy(proxied: Proxied) -> None:
    spoofed = {"X_Forwarded_Host": "evil.example", "X_Forwarded_Proto": "gopher"}
    status, content, headers = proxied.request(NEIGHBOUR, proxied.keys[-2], "/v1/predict", ACCIDENT, **spoofed)
    assert (status, content["prediction"]) == (200, 1)
    assert proxied.logged_client(headers["X-Request-ID"]) == NEIGHBOUR
    status, content, _ = proxied.request(NEIGHBOUR, proxied.keys[-2], Host="evil.example")
    assert (status, content["error"]["code"]) == (400, "host")
