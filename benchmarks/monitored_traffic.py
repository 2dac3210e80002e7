"""Simulated traffic with a drift at a moment that is drawn: is it noticed, and is there no alarm before?

    python -m benchmarks.monitored_traffic --minutes 60 --rate 5 --drift vehicle

A LightGBM of the synthetic year 2024 is served in a process of its own; accidents of 2025 are sent to it, and their
outcomes ten seconds later. The drift begins between a quarter and three quarters of the time; nothing but the simulator
knows when. Every five minutes `run.py --monitoring` compares the predictions of the last five minutes with the training
data. A Prometheus (Debian package), which scrapes the service every five seconds, says when the alarm was on. All files
are in a temporary folder.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
import yaml

from benchmarks.common import argument_parser, options_of_folder
from benchmarks.serving.servers import ROOT, free_port

_MODEL, _YEAR = "lightgbm", 2025
_SCRAPE_SECONDS, _OUTCOMES_AFTER, _START_SECONDS = 5, 10, 120


def main() -> None:
    """Run it, and print what was seen."""
    parser = argument_parser(__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=5, help="minutes between two monitorings, and of their windows")
    parser.add_argument("--rate", type=float, default=5, help="accidents a second")
    parser.add_argument("--drift", choices=("vehicle", "labels", "callers"), default="vehicle")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        environment = _environment(folder)
        _run(environment, "--training", "--models", _MODEL, *_options(folder, options.every))
        port = free_port()
        serve = ["run.py", "--serve", "--anonymous", "--port", str(port), "--model-path", _model(folder)]
        stack.enter_context(_running([sys.executable, *serve], folder, environment, f"http://127.0.0.1:{port}/ready"))
        prometheus = stack.enter_context(_prometheus(folder, port))
        _measure(folder, environment, port, prometheus, options)


def _measure(folder: Path, environment: Mapping[str, str], port: int, prometheus: str, options: Any) -> None:
    seconds = 60 * options.minutes
    drift_after = seconds * (0.25 + secrets.randbelow(10_001) / 20_000)
    simulate = [sys.executable, "run.py", "simulate", "--url", f"http://127.0.0.1:{port}", "--years", str(_YEAR)]
    simulate += ["--rate", str(options.rate), "--seconds", str(seconds), "--outcomes-after", str(_OUTCOMES_AFTER)]
    simulate += ["--drift", options.drift, "--drift-after", str(drift_after), "--json"]
    simulate += ["--config", str(folder / "ingestion.yaml")]
    out, log = folder / "simulate.json", folder / "simulate.log"
    with out.open("wb") as output, log.open("wb") as errors:
        process = subprocess.Popen(simulate, cwd=ROOT, env=environment, stdout=output, stderr=errors)
        while b"accidents a second" not in log.read_bytes():
            time.sleep(0.1)
        started = time.time()
        due = started + 60 * options.every
        while process.poll() is None:
            if time.time() >= due:
                _monitor(folder, environment, started, options.every)
                due += 60 * options.every
            time.sleep(0.5)
    summary = json.loads(out.read_text())
    print(f"{summary}\ndrift {options.drift} after {drift_after / 60:.1f} minutes")
    alarms = _first(prometheus, "max(accidents_drift_alarm) == 1", started)
    firing = _first(prometheus, 'max(ALERTS{alertname="AccidentsMonitoring", alertstate="firing"})', started)
    for what, minutes in (("accidents_drift_alarm is 1", alarms), ("AccidentsMonitoring fires", firing)):
        text = (
            "never"
            if minutes is None
            else f"after {minutes:.1f} minutes, {minutes - drift_after / 60:+.1f} to the drift"
        )
        print(f"{what}: {text}")


def _monitor(folder: Path, environment: Mapping[str, str], started: float, minutes: float) -> None:
    """Compare the log, and print what was found."""
    _run(environment, "--monitoring", "--model-path", _model(folder), *_options(folder, minutes))
    result = json.loads((folder / "reports" / "monitoring" / "monitoring.json").read_text())
    after = (time.time() - started) / 60
    print(f"{after:5.1f} min: {result['accidents']:,} accidents, {result['verdict']}", flush=True)
    for finding in result["findings"]:
        print(f"           {'alarm' if finding['alarm'] else 'note '} {finding['text']}", flush=True)


def _environment(folder: Path) -> dict[str, str]:
    own = {
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
        "ZENML_LOCAL_STORES_PATH": str(folder / "stores"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db",
        "SERVING_DATABASE_URL": f"sqlite:///{folder}/serving.db",
    }
    return {name: value for name, value in os.environ.items() if name != "ZENML_ACTIVE_STACK_ID"} | own


def _options(folder: Path, minutes: float) -> list[str]:
    """Options of the configuration: all files in the folder, and a short window."""
    return options_of_folder(folder, monitoring={"days": minutes / 1440, "pictures": 0})


def _model(folder: Path) -> str:
    return str(folder / "models" / f"{_MODEL}_model.zip")


def _run(environment: Mapping[str, str], *arguments: str) -> None:
    command = [sys.executable, "run.py", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise SystemExit(done.stdout.decode(errors="replace")[-3000:])


@contextmanager
def _running(command: list[str], folder: Path, environment: Mapping[str, str], ready: str) -> Iterator[None]:
    """A server, once a URL answers; ended with the block."""
    log = folder / f"{Path(command[1]).name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not _answers(ready):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(log.read_text(errors="replace")[-3000:])
                time.sleep(0.2)
            yield
        finally:
            process.terminate()
            process.wait(_START_SECONDS)


@contextmanager
def _prometheus(folder: Path, port: int) -> Iterator[str]:
    """URL of a Prometheus with the rules of `monitoring/`, which scrapes the service."""
    configuration = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    configuration["global"] = dict.fromkeys(("scrape_interval", "evaluation_interval"), f"{_SCRAPE_SECONDS}s")
    configuration["rule_files"] = [str(ROOT / "monitoring" / name) for name in configuration["rule_files"]]
    del configuration["alerting"]
    (scrape,) = configuration["scrape_configs"]
    del scrape["authorization"]
    scrape["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    command += [f"--web.listen-address={address}"]
    with _running(command, folder, os.environ, f"http://{address}/-/ready"):
        yield f"http://{address}"


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


def _first(prometheus: str, expression: str, started: float) -> float | None:
    """Minutes after the start at which an expression had a value for the first time; None: never."""
    query = {"query": expression, "start": str(started), "end": str(time.time()), "step": str(_SCRAPE_SECONDS)}
    response = requests.get(f"{prometheus}/api/v1/query_range", params=query, timeout=60)
    response.raise_for_status()
    result = response.json()["data"]["result"]
    return min((values[0][0] - started) / 60 for values in (one["values"] for one in result)) if result else None


if __name__ == "__main__":
    main()
