"""What stands before and beside the service: the API, nginx with TLS, Prometheus and Alertmanager.

The configuration is that of `deploy/compose` and `monitoring`, with addresses and folders of this machine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from accidents.configuration.paths import PROJECT_ROOT
from scripts.team.processes import free_port, process, program

_COMPOSE = PROJECT_ROOT / "deploy" / "compose"


@contextmanager
def service(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of the service of the published model, without TLS."""
    port = free_port()
    folder.mkdir()
    own = {"host": "127.0.0.1", "port": port, "hosts": [], "trusted_proxies": ["127.0.0.1"]}
    settings = {"serving": yaml.safe_load((_COMPOSE / "serving.yaml").read_text()) | own}
    settings["training"] = {"pipeline": "training", "models_folder": str(folder / "models")}
    command = [sys.executable, str(PROJECT_ROOT / "run.py"), "--serve"]
    for name, content in settings.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
        command += ["--config", str(folder / f"{name}.yaml")]
    with process(command, folder, environment) as running:
        running.wait_for(f"http://127.0.0.1:{port}/ready", range(200, 201))
        yield f"http://127.0.0.1:{port}"


@dataclass(frozen=True)
class Proxy:
    """A proxy with TLS, and the file of its certificate."""

    url: str
    certificate: Path


@contextmanager
def proxy(folder: Path, upstream: str) -> Iterator[Proxy]:
    """A proxy, nginx, with TLS, and a certificate that it has signed itself."""
    nginx, openssl = program("nginx"), program("openssl")
    port = free_port()
    folder.mkdir()
    subprocess.run(  # noqa: S603  # a program of Debian
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "tls.key",
         "-out", folder / "tls.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    addresses = {"listen 8443": f"listen 127.0.0.1:{port}", "http://serving:8080": upstream}
    folders = {"/run/secrets/": f"{folder}/", " /tmp/": f" {folder}/"}
    configuration = _filled(_COMPOSE / "nginx.conf", folder, addresses | folders)
    # Else nginx of root gives its workers to another user, who may not enter the folder.
    user = " user root;" if os.getuid() == 0 else ""
    command = [nginx, "-p", str(folder), "-e", "stderr", "-c", str(configuration), "-g", f"daemon off;{user}"]
    with process(command, folder) as running:
        running.wait_for(f"http://127.0.0.1:{port}/")  # plain HTTP gets status 400
        yield Proxy(f"https://127.0.0.1:{port}", folder / "tls.pem")


@contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    """The address of Alertmanager."""
    port = free_port()
    command = [program("prometheus-alertmanager"), f"--storage.path={folder}"]
    command += [f"--config.file={PROJECT_ROOT / 'monitoring' / 'alertmanager.yml'}", "--cluster.listen-address="]
    with process([*command, f"--web.listen-address=127.0.0.1:{port}"], folder) as running:
        running.wait_for(f"http://127.0.0.1:{port}/-/ready", range(200, 201))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def prometheus(folder: Path, upstream: str, alerts: str | None) -> Iterator[str]:
    """The address of Prometheus, which reads the metrics of the service and sends alerts to Alertmanager."""
    port = free_port()
    folder.mkdir()
    addresses = {"/etc/accidents/rules": str(PROJECT_ROOT / "monitoring" / "rules"), "serving:8080": _host(upstream)}
    addresses["alertmanager:9093"] = _host(alerts) if alerts else "127.0.0.1:9093"
    configuration = _filled(_COMPOSE / "prometheus.yml", folder, addresses)
    command = [program("prometheus"), f"--config.file={configuration}"]
    command += [f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"]
    with process(command, folder) as running:
        running.wait_for(f"http://127.0.0.1:{port}/-/ready", range(200, 201))
        yield f"http://127.0.0.1:{port}"


def _host(url: str) -> str:
    return url.removeprefix("http://")


def _filled(file: Path, folder: Path, changes: Mapping[str, str]) -> Path:
    """A copy of a file in the folder, with other words."""
    text = file.read_text()
    for old in changes:
        if old not in text:
            raise ValueError(f"{file} does not have {old!r}")
    words = re.compile("|".join(map(re.escape, changes)))
    (folder / file.name).write_text(words.sub(lambda found: changes[found[0]], text))
    return folder / file.name
