"""Prometheus and Alertmanager (Debian packages) with the configuration of `monitoring/`, on free ports of 127.0.0.1."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.serving.load_generator import wait_until
from tests.serving.service_process import PROJECT, TIMEOUT, free_port

MONITORING = PROJECT / "monitoring"
SCRAPE_SECONDS = 1


def program(*names: str) -> str:
    """Path of a program; the test is skipped where it is missing."""
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.skip(f"{names[0]} is missing (Debian packages prometheus and prometheus-alertmanager)")
    return found


def read_yaml(file: Path) -> Any:
    """Content of a YAML file."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@contextmanager
def running(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    """A process, once a URL answers; ended with the block."""
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            wait_until(lambda: process.poll() is not None or _answers(ready))
            assert process.poll() is None, Path(log.name).read_text()
            yield
        finally:
            process.terminate()
            process.wait(TIMEOUT)


@contextmanager
def prometheus(folder: Path, service: str, key: str, alertmanager: str = "127.0.0.1:9") -> Iterator[str]:
    """URL of a Prometheus that scrapes a service every second."""
    configuration = read_yaml(MONITORING / "prometheus.yml")
    configuration["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), f"{SCRAPE_SECONDS}s")
    configuration["rule_files"] = [str(MONITORING / name) for name in configuration["rule_files"]]
    configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    (scrape,) = configuration["scrape_configs"]
    scrape["static_configs"][0]["targets"] = [service.removeprefix("http://")]
    (folder / scrape["authorization"]["credentials_file"]).write_text(key)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus"),
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/tsdb",
        f"--web.listen-address={address}",
    ]
    with running(command, folder, f"http://{address}/-/ready"):
        yield f"http://{address}"


@contextmanager
def alertmanager(folder: Path, webhook: str) -> Iterator[str]:
    """Address of an Alertmanager whose receivers have the host `webhook`, a URL."""
    configuration = read_yaml(MONITORING / "alertmanager.yml")
    for receiver in configuration["receivers"]:
        (hook,) = receiver["webhook_configs"]
        hook["url"] = f"{webhook}/{receiver['name']}"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    command = [
        program("prometheus-alertmanager", "alertmanager"),
        f"--config.file={folder}/alertmanager.yml",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with running(command, folder, f"http://{address}/-/ready"):
        yield address


def series(url: str, expression: str) -> list[Mapping[str, Any]]:
    """Result of an instant query."""
    response = requests.get(f"{url}/api/v1/query", params={"query": expression}, timeout=30)
    response.raise_for_status()
    result: list[Mapping[str, Any]] = response.json()["data"]["result"]
    return result


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False
