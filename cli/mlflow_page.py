"""`python run.py mlflow`: the page of the MLflow in use.

An MLflow server has a page of its own, whose address is printed. For a database, such as the embedded one, a server is
started on 127.0.0.1 and ends with Ctrl-C.
"""

import os
import subprocess
import sys
from pathlib import Path

import click

from cli.exit_codes import DONE
from cli.options import debug_enabled, debug_option
from cli.zenml_session import prepare_zenml

_SERVER_SETTINGS = (
    *("MLFLOW_HOST", "MLFLOW_PORT", "MLFLOW_WORKERS", "MLFLOW_UVICORN_", "MLFLOW_GUNICORN_", "MLFLOW_WAITRESS_"),
    *("MLFLOW_SERVER_", "MLFLOW_STATIC_PREFIX", "MLFLOW_EXPOSE_PROMETHEUS", "MLFLOW_APP_NAME", "MLFLOW_ARTIFACTS_"),
    *("MLFLOW_SERVE_ARTIFACTS", "MLFLOW_DEFAULT_ARTIFACT_ROOT", "MLFLOW_REGISTRY_STORE_URI"),
    *("MLFLOW_READ_REPLICA_", "MLFLOW_WORKSPACE"),
)
"""Beginnings of the variables that set up MLflow servers."""


@click.command(epilog="Exit codes: 0 done, 1 failed, 2 wrong command line or configuration")
@click.argument("port", type=click.IntRange(1, 65_535), default=5000)
@debug_option
def mlflow(*, port: int) -> int:
    """Open the page of MLflow: trainings, models, stages.

    Prints the address of the MLflow server in use. Where runs are recorded in a database, a server for it is started on
    a port of this machine, by default 5000, until Ctrl-C.
    """
    prepare_zenml(None, debug=debug_enabled())
    from accidents.configuration.loading import load_configuration
    from accidents.configuration.redaction import redact_credentials
    from tracking.connection import connect, current_target

    settings = load_configuration().tracking
    target = current_target(settings)
    with connect(settings, target):
        print(f"MLflow {target}", flush=True)
    if target.uri.startswith(("http://", "https://")):
        print(redact_credentials(target.uri))
        return DONE
    return _serve(target.uri, port)


def server_environment(database: str) -> dict[str, str]:
    """Environment of the MLflow server of a database.

    Settings of other MLflow servers are left out: `MLFLOW_UVICORN_OPTS` may open a port to other machines.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SERVER_SETTINGS)}
    return inherited | {
        # A page for one person runs no MLflow jobs; each would start further processes.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_BACKEND_STORE_URI": database,  # every user of the machine can read a command line
        # MLflow starts programs of its own by name; those of this environment come first.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
    }


def _serve(database: str, port: int) -> int:
    print(f"http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, env=server_environment(database))  # noqa: S603  # fixed, but for the port
    try:
        return server.wait()
    except KeyboardInterrupt:  # the server has received it, too
        server.wait()
        return DONE
