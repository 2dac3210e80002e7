"""A team's servers on this machine: train on stack `team`, promote, predict through TLS, and stop everything.

python -m scripts.team [--keep]    --keep: the servers run until Ctrl-C

The servers are those of compose.yaml, as processes on free ports of 127.0.0.1. Their data, the models and the reports
are in a temporary folder for the user alone, which is removed in the end. docs/deploy.md.
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

import requests
import yaml
from dotenv import dotenv_values

from accidents.configuration.paths import PROJECT_ROOT
from scripts.team import frontend, servers
from scripts.team.processes import INSTALLATIONS, MissingProgramError, ServerError, process, program
from scripts.team.store import s3_server

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_OF_OTHER_SERVERS = (
    "ARTIFACT_BUCKET", "AWS_", "DAGSHUB_", "MLFLOW_", "NOTIFY_URLS", "OTEL_", "PUBLISHED_MODELS", "SERVING_", "ZENML_",
)  # fmt: skip
_OPTIONAL = {"prometheus", "prometheus-alertmanager"}
_EXAMPLE = PROJECT_ROOT / "examples" / "high_risk.json"


class TeamCommandError(Exception):
    """A command of the project has failed."""


def main(arguments: list[str]) -> int:
    """Run the script; returns the exit code: 1 where a program is missing or something failed, 130 after Ctrl-C."""
    if arguments not in ([], ["--keep"]):
        print(__doc__, file=sys.stderr)
        return 2
    for name in _SIGNALS:
        signal.signal(name, _interrupt)
    os.umask(0o077)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    try:
        for program_name in INSTALLATIONS:
            if program_name not in _OPTIONAL:
                program(program_name)
        with tempfile.TemporaryDirectory(prefix="accidents-team-") as folder, ExitStack() as stack:
            try:
                _work(Path(folder), stack, keep="--keep" in arguments)
            finally:
                _ignore_signals()
                print("stopping the servers", flush=True)
    except (TeamCommandError, MissingProgramError, ServerError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    """Unwind once; further signals do not interrupt the stop of the servers."""
    _ignore_signals()
    raise KeyboardInterrupt(number)


def _ignore_signals() -> None:
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)


def _work(folder: Path, stack: ExitStack, *, keep: bool) -> None:
    client = _start_platform(folder, stack)
    options = _configuration(folder)
    _run(folder, client, "stack", "register", "team")
    _run(folder, client, "--training", "--stack", "team", *options)
    best = json.loads((folder / "models" / "best_model.json").read_bytes())["model_type"]
    _run(folder, client, "registry", "--stack", "team", "promote", "--model-name", best)

    api = stack.enter_context(frontend.service(folder / "service", client))
    _print("service", api)
    proxy = stack.enter_context(frontend.proxy(folder / "proxy", api))
    _print("service with TLS", f"{proxy.url} (certificate: {proxy.certificate})")
    _start_monitoring(folder, stack, api)
    _predict(proxy, client["SERVING_API_KEY"])
    if keep:
        print(f"variables of these servers, with keys: set -a; . {_write_variables(folder, client)}; set +a")
        print("the servers run until Ctrl-C", flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:  # the ordinary end
            return


def _start_platform(folder: Path, stack: ExitStack) -> dict[str, str]:
    """Start databases, store, ZenML and MLflow; the environment of a client, which has an API key of the service."""
    s3 = stack.enter_context(s3_server(folder / "store"))
    _print("S3-compatible store", s3.endpoint)
    databases = stack.enter_context(servers.postgresql(folder / "postgresql", "mlflow", "serving"))
    _print("PostgreSQL", databases["mlflow"].rpartition("@")[2])
    maria = stack.enter_context(servers.mariadb(folder / "mariadb"))
    _print("MariaDB", maria.rpartition("@")[2])
    # As in compose.yaml, clients write artifacts to the store themselves.
    files = ("--no-serve-artifacts", "--default-artifact-root", f"s3://{s3.bucket}/mlflow")
    tracking = servers.mlflow_server(folder / "mlflow", databases["mlflow"], *files, **s3.environment)
    mlflow = stack.enter_context(tracking)
    _print("MLflow server", mlflow)
    zenml = stack.enter_context(servers.zenml_server(folder / "zenml", maria))
    (folder / "zenml-admin-password").write_text(zenml.password)
    _print("ZenML server", f"{zenml.url} (user admin, password: {folder / 'zenml-admin-password'})")
    foreign = dotenv_values(PROJECT_ROOT / ".env")  # it fills what is not set, so that these are set to nothing
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_OTHER_SERVERS)}
    client = kept | {name: "" for name in foreign if name.startswith(_OF_OTHER_SERVERS)} | s3.environment
    client |= zenml.client_variables() | {
        "MLFLOW_S3_ENDPOINT_URL": s3.endpoint,
        "MLFLOW_TRACKING_URI": mlflow,
        "PUBLISHED_MODELS": f"s3://{s3.bucket}/published",
        "SERVING_DATABASE_URL": databases["serving"],
        "ZENML_ANALYTICS_OPT_IN": "false",
        "ZENML_CONFIG_PATH": str(folder / "client"),
    }
    created = _run(folder, client, "keys", "create", "--name", "team", "--role", "predict", captured=True)
    return client | {"SERVING_API_KEY": created.split()[-1]}


def _start_monitoring(folder: Path, stack: ExitStack, api: str) -> None:
    """Start Alertmanager and Prometheus, where they are installed."""
    alerts = None
    try:
        alerts = stack.enter_context(frontend.alertmanager(folder / "alertmanager"))
        _print("Alertmanager", alerts)
    except MissingProgramError as error:
        print(f"left out: {error}")
    try:
        _print("Prometheus", stack.enter_context(frontend.prometheus(folder / "prometheus", api, alerts)))
    except MissingProgramError as error:
        print(f"left out: {error}")


def _predict(proxy: frontend.Proxy, key: str) -> None:
    """Ask for a prediction through the proxy, and print the answer."""
    print(f"\nPOST {proxy.url}/v1/predict with {_EXAMPLE.relative_to(PROJECT_ROOT)}")
    answer = requests.post(
        f"{proxy.url}/v1/predict", data=_EXAMPLE.read_bytes(), verify=str(proxy.certificate), timeout=60,
        headers={"X-API-Key": key, "Content-Type": "application/json"},
    )  # fmt: skip
    if not answer.ok:
        raise TeamCommandError(f"the service answers with status {answer.status_code}: {answer.text}")
    print(json.dumps(answer.json(), indent=2, ensure_ascii=False), flush=True)


def _configuration(folder: Path) -> list[str]:
    """Options by which data, models and reports of a training are in the folder."""
    contents: dict[str, dict[str, object]] = {
        "ingestion": {"source": {"data_folder": str(folder / "data" / "raw")}},
        "training": {"models_folder": str(folder / "models"), "reports_folder": str(folder / "reports")},
    }
    options = []
    for name, content in contents.items():
        file = folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"pipeline": name, **content}))
        options += ["--config", str(file)]
    return options


def _run(folder: Path, client: Mapping[str, str], *arguments: str, captured: bool = False) -> str:
    """Run a command of the project; what it prints where that is captured."""
    print(f"\n$ python run.py {shlex.join(arguments)}", flush=True)
    command = [sys.executable, str(PROJECT_ROOT / "run.py"), *arguments]
    output = None if captured else sys.stdout.buffer
    with process(command, folder / "command", client, output=output) as started:
        code = started.running.wait()
        printed = started.log.read_text()
    if code:
        raise TeamCommandError(f"the command above has failed (exit code {code}) {printed}".rstrip())
    return printed


def _write_variables(folder: Path, client: Mapping[str, str]) -> Path:
    file = folder / "variables.env"
    names = (name for name in sorted(client) if name.startswith(_OF_OTHER_SERVERS))
    file.write_text("".join(f"{name}={shlex.quote(client[name])}\n" for name in names))
    return file


def _print(name: str, address: str) -> None:
    print(f"{name:<20} {address}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
