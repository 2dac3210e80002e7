"""Every variable in the table of docs/environment.md has the effect that it says."""

import atexit
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import requests
import uvicorn
from zenml.utils import io_utils, source_utils

from accidents.configuration.environment import load_environment
from accidents.configuration.serving import ServingSettings
from accidents.configuration.tracking import TrackingSettings
from accidents.errors import ConfigurationError
from cli.mlflow_page import server_environment
from cli.simulate import simulate
from serving.observability.tracing import create_tracing
from serving.process.server import uvicorn_options
from serving.records.database import resolve_database_url
from steps.notification import notification_urls
from steps.tracking.provenance import code_version
from tests.conftest import PROJECT
from tracking.connection import connect
from tracking.tracking_uri import TrackingTarget, embedded_target, resolve_target

pytestmark = pytest.mark.slow
SETTINGS = TrackingSettings()
SERVING = ServingSettings()
VALUE = "https://example.org/x"

Check = Callable[[str, pytest.MonkeyPatch, Path], None]


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies that `load_environment` sets are gone after a test."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "")


def run(code: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=environment, cwd=PROJECT, check=True, capture_output=True, encoding="utf-8"
    ).stdout.strip()


@cache
def database() -> TrackingTarget:
    """A database of MLflow that all tests share, as its creation takes seconds."""
    folder = tempfile.mkdtemp(prefix="accidents-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return embedded_target(TrackingSettings(folder=Path(folder)))


def in_mlflow(name: str, credentials: dict[str, str] | None = None) -> str | None:
    """The value of a variable while a connection to MLflow is open."""
    embedded = database()
    with connect(SETTINGS, TrackingTarget(embedded.uri, "tests", embedded.artifacts, credentials or {})):
        return os.environ.get(name)


def honoured_by_mlflow(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    value = "false" if name == "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING" else VALUE
    monkeypatch.setenv(name, value)
    assert in_mlflow(name) == value


def credentials(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    honoured_by_mlflow(name, monkeypatch, folder)
    assert in_mlflow(name, {"MLFLOW_TRACKING_URI": "sqlite://"}) is None


def ignored_by_mlflow(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, "10007")
    assert in_mlflow(name) != "10007"
    assert os.environ[name] == "10007"


def tracking_uri(name: str, *_: object) -> None:
    assert resolve_target(SETTINGS, None, {name: VALUE}).uri == VALUE


def dagshub(*_: object) -> None:
    target = resolve_target(SETTINGS, None, {"DAGSHUB_REPO": "ann/roads", "DAGSHUB_TOKEN": "hush"})
    assert target.uri == "https://dagshub.com/ann/roads.mlflow"
    assert "hush" in target.environment.values()
    with pytest.raises(ConfigurationError, match="roads"):
        resolve_target(SETTINGS, None, {"DAGSHUB_REPO": "roads"})


def left_alone(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, VALUE)
    load_environment()
    assert os.environ[name] == VALUE


def zenml_configuration(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(name, str(folder))
    load_environment()
    assert io_utils.get_global_config_directory() == str(folder)


def zenml_source_root(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(name, str(folder))
    source_utils.set_custom_source_root(str(PROJECT))  # as every command does
    assert source_utils.get_source_root() == str(PROJECT)


def notified(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, "json://example.org/a,b, mailto://example.org")
    assert notification_urls() == ["json://example.org/a,b", "mailto://example.org"]


def serving_database(name: str, *_: object) -> None:
    assert resolve_database_url(SERVING.records, {name: "sqlite:///x.db"}).database.endswith("x.db")  # type: ignore[union-attr]


def simulated_service(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, VALUE)
    assert VALUE in simulate.make_context("simulate", []).params.values()


def traces(name: str, *_: object) -> None:
    tracing = create_tracing({name: "http://127.0.0.1:9"})
    assert tracing
    tracing.close()


def ignored_by_service(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, "7")
    config = uvicorn.Config("app", workers=SERVING.workers, **uvicorn_options(SERVING))
    assert (config.workers, config.proxy_headers) == (1, False)


def ignored_by_the_page_of_mlflow(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    monkeypatch.setenv(name, "--host 0.0.0.0")
    assert "--host 0.0.0.0" not in server_environment("sqlite:///x.db").values()


def proxy(name: str, monkeypatch: pytest.MonkeyPatch, _: Path) -> None:
    for each in (name, name.lower()):
        monkeypatch.setenv(each, "http://127.0.0.1:9")
        load_environment()
        merged = requests.Session().merge_environment_settings(VALUE, {}, None, None, None)
        assert merged["proxies"] or name in {"HTTP_PROXY", "NO_PROXY"}
        assert not requests.utils.get_environ_proxies("http://localhost:8000/x")
        monkeypatch.delenv(each)


def certificates(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    file = folder / "ca.pem"
    file.touch()
    monkeypatch.setenv(name, str(file))
    load_environment()
    verify = requests.Session().merge_environment_settings(VALUE, {}, None, None, None)["verify"]
    assert str(file) in {verify, ssl.get_default_verify_paths().cafile}


def locale(name: str, *_: object) -> None:
    environment = os.environ | {
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        name: "ascii" if "PYTHON" in name else "C",
    }
    code = (
        "from accidents.configuration.loading import load_configuration; load_configuration(); "
        "from cli.main import main; main(['--help'])"
    )
    assert "--training" in run(code, environment)


def git(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    before = code_version()
    monkeypatch.setenv(name, str(folder))
    assert code_version() == before


def code_version_of_an_image(name: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv(name, "0123abcd")
    assert code_version() != "0123abcd"  # in a git checkout
    monkeypatch.setattr("steps.tracking.provenance.PROJECT_ROOT", folder)
    assert code_version() == "0123abcd"


def published_models(name: str, monkeypatch: pytest.MonkeyPatch, *_: object) -> None:
    monkeypatch.setenv(name, VALUE)
    with connect(SETTINGS, database()) as connection:
        assert connection.publish_to == VALUE


def home(name: str, *_: object) -> None:
    without = {key: value for key, value in os.environ.items() if key != name}
    code = "from accidents.configuration.loading import load_configuration as load; print(load().serving.port)"
    assert run(code, without) == run(code, without | {name: "/nonexistent"}) == "8080"


CHECKS: dict[Check, str] = {
    tracking_uri: "MLFLOW_TRACKING_URI",
    credentials: "MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD MLFLOW_TRACKING_TOKEN",
    honoured_by_mlflow: "MLFLOW_TRACKING_INSECURE_TLS MLFLOW_TRACKING_SERVER_CERT_PATH MLFLOW_TRACKING_CLIENT_CERT_PATH"
    " MLFLOW_TRACKING_AUTH MLFLOW_S3_ENDPOINT_URL MLFLOW_RUN_CONTEXT MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING",
    ignored_by_mlflow: "MLFLOW_RUN_ID MLFLOW_EXPERIMENT_ID MLFLOW_EXPERIMENT_NAME MLFLOW_ACTIVE_MODEL_ID"
    " MLFLOW_REGISTRY_URI MLFLOW_ENABLE_ASYNC_LOGGING MLFLOW_HTTP_REQUEST_TIMEOUT MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    " MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR",
    ignored_by_the_page_of_mlflow: "MLFLOW_HOST MLFLOW_UVICORN_OPTS MLFLOW_GUNICORN_OPTS",
    dagshub: "DAGSHUB_REPO DAGSHUB_TOKEN",
    zenml_configuration: "ZENML_CONFIG_PATH",
    left_alone: "ZENML_STORE_URL ZENML_LOCAL_STORES_PATH ZENML_REPOSITORY_PATH ZENML_ACTIVE_STACK_ID"
    " ZENML_ACTIVE_PROJECT_ID AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL",
    zenml_source_root: "ZENML_CUSTOM_SOURCE_ROOT",
    notified: "NOTIFY_URLS",
    serving_database: "SERVING_DATABASE_URL",
    simulated_service: "SERVING_URL SERVING_API_KEY",
    traces: "OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    ignored_by_service: "WEB_CONCURRENCY FORWARDED_ALLOW_IPS",
    proxy: "HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY",
    certificates: "SSL_CERT_FILE REQUESTS_CA_BUNDLE",
    locale: "LANG LC_ALL PYTHONIOENCODING",
    git: "GIT_DIR GIT_WORK_TREE",
    code_version_of_an_image: "CODE_VERSION",
    published_models: "PUBLISHED_MODELS",
    home: "HOME",
}
"""Checks, and the variables that they are made for."""
CHECKED_ELSEWHERE = {"PROMETHEUS_MULTIPROC_DIR", "ZENML_RUN_SINGLE_STEPS_WITHOUT_STACK", "DVC_REMOTE_URL"}
"""With services, notebooks and DVC."""


@pytest.mark.parametrize(
    ("check", "name"), [(check, name) for check, names in CHECKS.items() for name in names.split()]
)
def test_a_variable_has_its_effect(check: Check, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    check(name, monkeypatch, tmp_path)


def test_the_table_has_the_variables_that_are_checked() -> None:
    page = (PROJECT / "docs" / "environment.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if re.match(r"\| `", line)]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_0-9]+)`", row)}
    checked = {name for names in CHECKS.values() for name in names.split()} | CHECKED_ELSEWHERE
    assert documented - checked == set()
    assert {name for name in checked - documented if not re.match("ZENML_STORE|LC_", name)} == set()
