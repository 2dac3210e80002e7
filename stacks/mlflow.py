"""Does the MLflow of an experiment tracker answer? Over HTTP a server, on this machine the folder of its file."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from stacks.component_status import ComponentUnavailable

SECONDS = 3.0
"""How long a server may stay silent."""
_RUNNING = "start the server, or set MLFLOW_TRACKING_URI and register the stack again"


def ask_tracker(component: Any) -> str:
    """What the tracker answers.

    Raises:
        Missing: it does not answer, or refuses the credentials; the message names the remedy.
    """
    address = component.get_tracking_uri()
    parts = urlsplit(address)
    if parts.scheme in {"http", "https"}:
        return _server(address.rstrip("/"), component.config)
    if parts.scheme == "sqlite":
        return _writable(Path(parts.path.removeprefix("/")).parent)
    if parts.scheme in {"", "file"}:
        return _writable(Path(parts.path))
    return f"{parts.scheme}: not asked"


def _server(address: str, config: Any) -> str:
    import requests

    def get(path: str, **more: Any) -> requests.Response:
        return requests.get(f"{address}{path}", timeout=SECONDS, verify=not config.tracking_insecure_tls, **more)

    try:
        health = get("/health")
        if health.status_code != requests.codes.ok:
            raise ComponentUnavailable(f"{address}/health answers {health.status_code}: is this an MLflow server?")
        if config.tracking_username:
            credentials = (config.tracking_username, config.tracking_password)
            asked = get("/api/2.0/mlflow/experiments/search", params={"max_results": 1}, auth=credentials)
            if asked.status_code in {requests.codes.unauthorized, requests.codes.forbidden}:
                raise ComponentUnavailable(
                    f"{address} refuses the credentials; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD "
                    "and register the stack again"
                )
    except requests.Timeout:
        raise ComponentUnavailable(f"{address} does not answer within {SECONDS:g} seconds; {_RUNNING}") from None
    except requests.RequestException:
        raise ComponentUnavailable(f"{address} does not answer; {_RUNNING}") from None
    return f"{address} answers"


def _writable(folder: Path) -> str:
    """The folder, or the nearest one above it in which it will be made, can be written."""
    nearest = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise ComponentUnavailable(f"{nearest} is no folder; move it away, or set MLFLOW_TRACKING_URI")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ComponentUnavailable(f"{nearest} cannot be written; mend its rights, or set MLFLOW_TRACKING_URI")
    return f"MLflow keeps its data in {folder}"
