"""Clouds on this machine: environments of their SDKs, servers that answer in their place, and the sending of a run."""

import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PROJECT

SEND_TRAINING = """
import json, os, sys
from pipelines.session import prepare_process

prepare_process()
from zenml.client import Client
from zenml.config import DockerSettings
from zenml.config.schedule import Schedule as ZenmlSchedule

from cli.schedule import orchestrator_expression
from cli.schedule_files import Schedule
from stacks.definition import find_stack_file, read_stack_file
from stacks.registration import register_stack

stack, image, configuration = sys.argv[1:]
register_stack(read_stack_file(find_stack_file(stack), os.environ), os.environ)
Client().activate_stack(stack)
from pipelines.training import training

docker = DockerSettings(parent_image=image, skip_build=True)
settings = {"docker": docker, "orchestrator": {"synchronous": False}}
arguments = {"configuration": json.loads(configuration), "fingerprint": "", "track": False}
run = training.with_options(settings=settings)(**arguments)
steps = Client().get_pipeline_run(run.id).snapshot.step_configurations
print(json.dumps({
    name: {"memory": step.config.resource_settings.memory, "retries": step.config.retry.max_retries,
           "upstream": sorted(step.spec.upstream_steps)}
    for name, step in steps.items()
}))
planned = Schedule("training", "0 3 * * 1", "UTC", ())
cron = orchestrator_expression(planned, Client().active_stack.orchestrator.flavor)
training.with_options(settings=settings, schedule=ZenmlSchedule(name="nightly", cron_expression=cron))(**arguments)
"""
CONFIGURATION = json.dumps({"training": {"models": ["lightgbm"]}})

Reply = tuple[int, Any]


def environment_of(cloud: str) -> str:
    """The Python of the environment of a cloud; the test is skipped where it has not been made."""
    python = PROJECT / f".venv-{cloud}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no environment of [{cloud}]: make install VENV=.venv-{cloud} LOCK=requirements-{cloud}.lock")
    return str(python)


def process(*arguments: str, folder: Path, python: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A process of Python in the project, with a configuration folder of ZenML of its own."""
    dropped = ("ZENML_", "AWS_", "AZURE_", "GOOGLE_", "MLFLOW_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    environment = kept | {"ZENML_CONFIG_PATH": str(folder / "config"), **variables}
    command = [python, "-W", "ignore", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)


def run(code: str, *arguments: str, folder: Path, python: str = sys.executable, **variables: str) -> str:
    """What the code prints."""
    ended = process("-c", code, *arguments, folder=folder, python=python, **variables)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


def printed_json(output: str) -> Any:
    """The line of an output that is a JSON object."""
    return json.loads(next(line for line in output.splitlines() if line.startswith("{")))


@contextmanager
def api_server(answer: Callable[[str, str, Any], Reply], certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """The address of a server that answers what `answer` returns for method, path and body; HTTPS with a certificate.

    A body that is not JSON is passed as text.
    """

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_json = "json" in self.headers.get("Content-Type", "")
            status, body = answer(self.command, self.path, json.loads(text) if text and is_json else text)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _do  # noqa: N815  # named by the library

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http{'s' if certificate else ''}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
