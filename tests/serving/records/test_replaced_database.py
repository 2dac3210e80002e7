"""The database is replaced, deleted, restored, emptied, full or corrupt while the prediction log runs."""

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from accidents.configuration.serving import RecordSettings
from serving.records.database import RecordsError, migrate, write_transaction
from serving.records.prediction_log import PredictionLog
from serving.records.tables import metadata
from tests.serving.records.databases import migrated_database
from tests.serving.records.prediction_records import prediction_records, stored
from tests.serving.records.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow


@pytest.fixture
def log(engine: Engine) -> Iterator[PredictionLog]:
    """A log that writes at short intervals and has written five predictions, 0 to 4."""
    log = PredictionLog(engine, RecordSettings(flush_seconds=0.05))
    log.add(prediction_records(range(5)))
    assert log.flush(PATIENCE)
    yield log
    log.close(5)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The SQLite file of `engine`."""
    return tmp_path / "records" / "serving.db"


@pytest.fixture
def other_file(tmp_path: Path) -> Path:
    """Another database of the service, which is empty."""
    migrated_database(f"sqlite:///{tmp_path / 'other.db'}")
    return tmp_path / "other.db"


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def numbers(engine: Engine) -> list[int]:
    """Numbers of the predictions in a database."""
    return [int(row.request_id) for row in stored(engine)]


def numbers_in(file: Path) -> list[int]:
    """The same of a file, by SQLite alone."""
    with closing(sqlite3.connect(file)) as connection:
        return [int(row[0]) for row in connection.execute("SELECT request_id FROM predictions ORDER BY at, id")]


def waits(log: PredictionLog, waiting: int) -> bool:
    """Whether the log notices that the database is not available, and keeps its records."""
    return eventually(lambda: not log.available and log.counts().waiting == waiting)


@on_sqlite
def test_predictions_go_to_the_file_that_replaces_the_database(
    engine: Engine, log: PredictionLog, file: Path, other_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    old = file.rename(file.with_name("old.db"))
    other_file.rename(file)
    assert eventually(lambda: log.counts().lost == 5), "noticed without a new prediction"
    assert log.counts().written == 0
    log.add(prediction_records(range(5, 8)))
    assert log.flush(PATIENCE)
    assert (numbers_in(old), numbers(engine)) == ([0, 1, 2, 3, 4], [5, 6, 7])
    assert (log.counts().written, log.counts().lost, log.counts().dropped) == (3, 5, 0)
    assert [line for line in caplog.messages if line.startswith("5 written predictions are not in the database")]
    old.replace(file)
    assert eventually(lambda: log.counts().lost == 3)
    assert log.counts().written == 5


@on_sqlite
def test_records_wait_while_the_file_is_deleted(engine: Engine, log: PredictionLog, file: Path) -> None:
    away = file.rename(file.with_name("away.db"))
    assert waits(log, 0), "noticed without a new prediction"
    log.add(prediction_records(range(5, 8)))
    assert not log.flush(0.3)
    assert not file.exists(), "a service creates no database while it runs"
    away.rename(file)
    assert log.flush(PATIENCE)
    assert eventually(lambda: log.available)
    assert numbers(engine) == list(range(8))
    assert log.counts().lost == 0


@on_sqlite
def test_change_of_a_file_that_is_replaced_meanwhile_is_no_success(
    engine: Engine, file: Path, other_file: Path
) -> None:
    for interfere in (lambda: other_file.replace(file), file.unlink):
        with pytest.raises(RecordsError, match="was replaced or deleted during the change; try again"):
            change_while(engine, interfere)


def change_while(engine: Engine, interfere: Callable[[], object]) -> None:
    """Change so much that SQLite writes the journal before the end, and let something else happen meanwhile."""
    with write_transaction(engine) as connection:
        connection.execute(text("INSERT INTO log_writers VALUES (hex(randomblob(4000000)), 1, 0, '2024-01-01')"))
        interfere()


@on_sqlite
def test_journal_of_the_old_file_is_not_applied_to_the_new_one(engine: Engine, file: Path, other_file: Path) -> None:
    other, _ = migrated_database(f"sqlite:///{other_file}")
    with write_transaction(other) as connection:
        connection.execute(text("INSERT INTO log_writers VALUES (hex(randomblob(50000)), 1, 0, '2024-01-01')"))
    read: list[Any] = []
    reader = threading.Thread(target=lambda: read.append(content(engine)))

    def replace() -> None:
        assert file.with_name("serving.db-journal").exists()
        other_file.replace(file)
        reader.start()
        reader.join(0.3)

    with pytest.raises(RecordsError, match="was replaced"):
        change_while(engine, replace)
    reader.join()
    assert read == [("ok", 100_000)]


def content(engine: Engine) -> tuple[str, int]:
    with engine.connect() as connection:
        check = connection.execute(text("PRAGMA integrity_check")).scalar_one()
        return check, connection.execute(text("SELECT length(id) FROM log_writers")).scalar_one()


def test_restored_backup_shows_what_was_lost(engine: Engine, log: PredictionLog) -> None:
    backup = backup_of(engine)
    log.add(prediction_records(range(5, 12)))
    assert log.flush(PATIENCE)
    restore(engine, backup)
    assert eventually(lambda: log.counts().lost == 7)
    assert log.counts().written == 5
    log.add(prediction_records(range(12, 14)))
    assert log.flush(PATIENCE)
    assert numbers(engine) == [0, 1, 2, 3, 4, 12, 13]
    assert (log.counts().written, log.counts().lost) == (7, 7)


@on_sqlite
def test_backup_that_is_copied_over_the_file_shows_what_was_lost(
    engine: Engine, log: PredictionLog, file: Path
) -> None:
    backup = shutil.copy(file, file.with_name("backup.db"))
    log.add(prediction_records(range(5, 12)))
    assert log.flush(PATIENCE)
    shutil.copyfile(backup, file)
    assert eventually(lambda: log.counts().lost == 7)
    log.add(prediction_records(range(12, 14)))
    assert log.flush(PATIENCE)
    assert numbers(engine) == [0, 1, 2, 3, 4, 12, 13]


def backup_of(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """The rows of all tables."""
    with engine.connect() as connection:
        return {
            table.name: [row._asdict() for row in connection.execute(table.select())]
            for table in metadata.sorted_tables
        }


def restore(engine: Engine, backup: dict[str, list[dict[str, Any]]]) -> None:
    """Replace the rows of all tables in one transaction."""
    with write_transaction(engine) as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
        for table in metadata.sorted_tables:
            if backup[table.name]:
                connection.execute(table.insert(), backup[table.name])


def test_records_wait_while_tables_are_dropped(engine: Engine, log: PredictionLog) -> None:
    with write_transaction(engine) as connection:
        for table in (*(table.name for table in reversed(metadata.sorted_tables)), "serving_schema_version"):
            connection.execute(text(f"DROP TABLE {table}"))
    assert waits(log, 0)
    log.add(prediction_records(range(5, 8)))
    assert waits(log, 3)
    migrate(engine)
    assert log.flush(PATIENCE)
    assert numbers(engine) == [5, 6, 7]
    assert (log.counts().written, log.counts().lost, log.counts().dropped) == (3, 5, 0)


@on_sqlite
@pytest.mark.parametrize("pragma", ["max_page_count = 1", "query_only = ON"], ids=["full", "read-only"])
def test_records_wait_while_the_disk_takes_nothing(engine: Engine, log: PredictionLog, pragma: str) -> None:
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", limit)
    log.add(prediction_records(range(5, 200)))
    assert waits(log, 195)
    event.remove(engine, "connect", limit)
    assert log.flush(PATIENCE)
    assert numbers(engine) == list(range(200))


@on_sqlite
@pytest.mark.parametrize("damage", [lambda content: b"x" * len(content), lambda content: content[:5000], lambda _: b""])
def test_records_wait_while_the_file_is_corrupt(
    engine: Engine, log: PredictionLog, file: Path, damage: Callable[[bytes], bytes]
) -> None:
    good = Path(shutil.copy(file, file.with_name("good.db")))
    file.write_bytes(damage(file.read_bytes()))
    log.add(prediction_records(range(5, 8)))
    assert waits(log, 3)
    good.replace(file)
    assert log.flush(PATIENCE)
    assert numbers(engine) == list(range(8))


@pytest.mark.long
def test_records_wait_for_a_lock_that_is_held_for_long(engine: Engine, log: PredictionLog) -> None:
    with locked(engine):
        log.add(prediction_records(range(5, 8)))
        assert waits(log, 3)
    assert log.flush(PATIENCE)
    assert numbers(engine) == list(range(8))


@contextmanager
def locked(engine: Engine) -> Iterator[None]:
    """While a transaction keeps all others from reading and writing."""
    with engine.connect() as connection, connection.begin():
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
        else:
            connection.exec_driver_sql("LOCK TABLE predictions, log_writers")
        yield
