"""Real MLflow servers and a real PostgreSQL, for as long as a test session needs them."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.team import servers


@contextmanager
def mlflow_server(folder: Path, database: str, artifacts: str = "", **variables: str) -> Iterator[str]:
    """The address of an `mlflow server` that serves its files itself, from a folder or from `artifacts`."""
    files = ("--serve-artifacts", "--artifacts-destination", artifacts or str(folder / "artifacts"))
    with servers.mlflow_server(folder, database, *files, **variables) as address:
        yield address


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of an empty database; where root runs the tests, pgserver runs it as a user of its own."""
    import pgserver

    # Not below a folder of pytest's, which nobody else may enter.
    folder = Path(tempfile.mkdtemp(prefix="accidents-postgresql-"))
    logging.getLogger("pgserver").setLevel(logging.WARNING)
    server = pgserver.get_server(folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
