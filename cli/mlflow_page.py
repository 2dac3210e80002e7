"""Open the page of the MLflow in use: `python -m cli.mlflow_page [PORT]`.

A server has a page of its own, whose address is printed. For a database, such as the embedded store, a server is
started on 127.0.0.1 and ends with Ctrl-C.
"""

import os
import subprocess
import sys
from pathlib import Path

from accidents.configuration.loading import load_configuration
from accidents.configuration.redaction import redact_credentials
from cli.exit_codes import ended
from cli.zenml_session import prepare

_PORT = "5000"


def main(arguments: list[str]) -> int:
    """Print the address of the page, or serve it; returns the exit code: 0 done, 1 failed, 2 refused."""
    return ended(lambda: _main(arguments), debug=False)


def _main(arguments: list[str]) -> int:
    from tracking.connection import connect, current_target

    prepare(None, debug=False)
    settings = load_configuration().tracking
    to = current_target(settings)
    with connect(settings, to):
        print(f"MLflow {to}", flush=True)
    if to.uri.startswith(("http://", "https://")):
        print(redact_credentials(to.uri))
        return 0
    return _serve(to.uri, arguments[0] if arguments else _PORT)


def _serve(database: str, port: str) -> int:
    print(f"http://127.0.0.1:{port} (Ctrl-C ends it)", flush=True)
    # One person looks at pages, and nobody runs jobs of MLflow's; each would start further processes.
    os.environ.setdefault("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    os.environ["MLFLOW_BACKEND_STORE_URI"] = database  # everybody on the machine can read a command line
    # MLflow starts programs of its own by name; those of this environment come first.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    server = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", port])  # noqa: S603  # fixed, but for the port
    try:
        return server.wait()
    except KeyboardInterrupt:  # which the server has got, too
        server.wait()
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
