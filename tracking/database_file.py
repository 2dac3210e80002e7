"""A new SQLite database of MLflow, which appears under its name once it is complete."""

from pathlib import Path

from accidents.atomic_write import atomic_write
from accidents.file_lock import file_lock
from accidents.sqlite_files import database_creation
from tracking.tracking_uri import SQLITE

_LOCK_SECONDS = 300


def create_database_file(file: Path) -> None:
    """Create the database if there is none; wait for another process that does so.

    MLflow creates its tables one after the other, and cannot open a database in which it was killed while it did.

    Raises:
        LockedError: another process has been creating it for minutes.
    """
    if file.exists():
        return
    with file_lock(file.with_name(f".{file.name}.lock"), f"creating {file}", _LOCK_SECONDS):
        if file.exists():
            return
        from mlflow.store.tracking import DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        with atomic_write(file) as temporary, database_creation(temporary):
            store = SqlAlchemyStore(f"{SQLITE}{temporary}", DEFAULT_LOCAL_FILE_AND_ARTIFACT_PATH)
            store.engine.dispose()
