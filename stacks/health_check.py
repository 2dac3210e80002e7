"""Health check of a registered stack: does each component respond, and what is missing if not?

The check changes nothing, except one small file that is written to the artifact store, read and deleted. A component
that does not respond within `TIMEOUT_SECONDS` has failed.
"""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import requests
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import Stack, StackComponent

from accidents.configuration.redaction import redact_credentials
from accidents.errors import AccidentsError
from stacks.description import components_of
from stacks.extras import missing_packages

TIMEOUT_SECONDS = 10.0
_SERVER_TIMEOUT_SECONDS = 3.0
_REMEDY = "start the server, or set MLFLOW_TRACKING_URI and register the stack again"


@dataclass(frozen=True)
class ComponentCheck:
    """Result of the check of one component, or of the stack as a whole.

    Attributes:
        kind: component type, such as `artifact_store`; `stack` for the stack as a whole.
        name: name in ZenML.
        flavor: flavor; empty for the stack.
        ok: whether the check passed.
        text: what the component responded, or the error and its remedy.
    """

    kind: str
    name: str
    flavor: str
    ok: bool
    text: str


class ComponentUnavailable(AccidentsError):  # noqa: N818  # a result of the check, not a failure of it
    """A component does not respond, or something it needs is missing; the message names the remedy."""


def check_stack(stack: StackResponse) -> list[ComponentCheck]:
    """Check every component of a stack; if all pass, let ZenML validate their combination."""
    checks = [
        ComponentCheck(str(model.type), model.name, model.flavor_name, *_check_component(model))
        for model in components_of(stack)
    ]
    if all(check.ok for check in checks):
        checks.append(ComponentCheck("stack", stack.name, "", *_run_with_timeout(lambda: _validate_stack(stack))))
    return checks


def _check_component(model: ComponentResponse) -> tuple[bool, str]:
    try:  # outside of the timeout: the imports of its libraries are slow on a busy machine
        _check_requirements(str(model.integration or ""))
        with redirect_stdout(sys.stderr):  # SageMaker's library logs to standard output, which is for the result
            component = StackComponent.from_model(model)
    except Exception as error:  # components of any provider may raise anything
        return False, _error_message(error)
    checks: dict[str, Callable[[StackComponent], str]] = {
        "artifact_store": _check_artifact_store,
        "experiment_tracker": _check_experiment_tracker,
        "orchestrator": _check_orchestrator,
    }
    check = checks.get(str(model.type), _installed)
    return _run_with_timeout(lambda: check(component))


def _check_requirements(integration: str) -> None:
    """Check that the packages of an integration are installed."""
    if fault := next(missing_packages(integration), None):
        raise ComponentUnavailable(fault)


def _installed(component: StackComponent) -> str:
    return "installed; not contacted" if component.config.is_remote else "installed"


def _check_orchestrator(component: StackComponent) -> str:
    return "runs steps in this process" if component.flavor == "local" else _installed(component)


def _check_artifact_store(component: Any) -> str:
    """Write a small file, read it and delete it."""
    content = uuid4().hex
    file = f"{component.path.rstrip('/')}/.check-{content}"
    try:
        if not component.exists(component.path):
            component.makedirs(component.path)
        with component.open(file, "w") as stream:
            stream.write(content)
        with component.open(file, "r") as stream:
            stored = stream.read()
        component.remove(file)
    except OSError as error:
        raise ComponentUnavailable(
            f"{component.path} is not readable and writable: {error}; correct its permissions or the path"
        ) from None
    if stored != content:
        raise ComponentUnavailable(f"{component.path} returns other content than was written")
    return f"reads and writes {component.path}"


def _check_experiment_tracker(component: Any) -> str:
    """Check the MLflow of a tracker: a server over HTTP, a local store by the permissions of its folder."""
    if component.flavor != "mlflow":
        return _installed(component)
    uri = component.get_tracking_uri()
    parts = urlsplit(uri)
    if parts.scheme in {"http", "https"}:
        return _check_mlflow_server(uri.rstrip("/"), component.config)
    if parts.scheme == "sqlite":
        return _check_writable(Path(parts.path.removeprefix("/")).parent)
    if parts.scheme in {"", "file"}:
        return _check_writable(Path(parts.path))
    return f"{parts.scheme}: not contacted"


def _check_mlflow_server(address: str, config: Any) -> str:
    def get(path: str, **options: Any) -> requests.Response:
        verify = not config.tracking_insecure_tls
        return requests.get(f"{address}{path}", timeout=_SERVER_TIMEOUT_SECONDS, verify=verify, **options)

    try:
        health = get("/health")
        if health.status_code != requests.codes.ok:
            raise ComponentUnavailable(f"{address}/health answers {health.status_code}: is this an MLflow server?")
        if config.tracking_username:
            credentials = (config.tracking_username, config.tracking_password)
            search = get("/api/2.0/mlflow/experiments/search", params={"max_results": 1}, auth=credentials)
            if search.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
                raise ComponentUnavailable(
                    f"{address} refuses the credentials; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD "
                    "and register the stack again"
                )
    except requests.Timeout:
        raise ComponentUnavailable(
            f"{address} does not answer within {_SERVER_TIMEOUT_SECONDS:g} seconds; {_REMEDY}"
        ) from None
    except requests.RequestException:
        raise ComponentUnavailable(f"{address} does not answer; {_REMEDY}") from None
    return f"{address} answers"


def _check_writable(folder: Path) -> str:
    """Check that a folder is writable, or the nearest existing folder above it, in which it will be created."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ComponentUnavailable(f"{nearest} is not a folder; move it away, or set MLFLOW_TRACKING_URI")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ComponentUnavailable(f"{nearest} is not writable; correct its permissions, or set MLFLOW_TRACKING_URI")
    return f"MLflow keeps its data in {folder}"


def _validate_stack(stack: StackResponse) -> str:
    Stack.from_model(stack).validate(fail_if_secrets_missing=True)
    return "the components go together"


def _run_with_timeout(check: Callable[[], str], seconds: float = TIMEOUT_SECONDS) -> tuple[bool, str]:
    """Whether a check passed, and its text. It runs in a daemon thread, which does not keep the process alive."""
    results: list[tuple[bool, str]] = []

    def run() -> None:
        try:
            results.append((True, redact_credentials(check())))
        except Exception as error:  # components of any provider may raise anything
            results.append((False, _error_message(error)))

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return results[0] if results else (False, f"no answer within {seconds:g} seconds; is its service running?")


def _error_message(error: Exception) -> str:
    """The message of an error without credentials; with its type, unless it is `ComponentUnavailable`."""
    text = redact_credentials(" ".join(str(error).split()))
    return text if isinstance(error, ComponentUnavailable) else f"{type(error).__name__}: {text}"
