"""Databases to which everything happens that an operator or a fault may do, and requests that go on meanwhile."""

import os
import random
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pgserver
import requests
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from serving.records.tables import metadata
from tests.serving.in_process import ACCIDENT
from tests.serving.records.databases import database_away

REQUEST_SECONDS = 20.0
"""No request takes longer, on a busy machine."""

_TABLES = [table.name for table in metadata.sorted_tables]


class Traffic:
    """Predictions and feedback without a pause.

    Attributes:
        answered: ids of all predictions that were answered.
        statuses: number of responses by path and status.
        errors: what else happened.
    """

    def __init__(self, url: str, key: str) -> None:
        self.answered: list[str] = []
        self.statuses: dict[tuple[str, int], int] = {}
        self.errors: list[str] = []
        self._url, self._headers = url, {"Authorization": f"Bearer {key}"}
        self._recent: deque[str] = deque(maxlen=50)
        self._stopped = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send requests during a block."""
        threads = [threading.Thread(target=self._run, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            for thread in threads:
                thread.join()

    def _run(self, number: int) -> None:
        rng = random.Random(number)  # noqa: S311
        with requests.Session() as session:
            while not self._stopped.wait(0.03):
                try:
                    self._send(session, rng.random())
                except requests.RequestException as error:
                    self.errors.append(f"{type(error).__name__}: {error}")

    def _send(self, session: requests.Session, chance: float) -> None:
        if chance < 0.2 and self._recent:
            content: Any = {"prediction_id": self._recent[0], "priority": 1}
            self._post(session, "/v1/feedback", content)
        elif chance < 0.3:
            content = {"accidents": [ACCIDENT] * 5}
            self._note(self._post(session, "/v1/predict/batch", content).get("results", ()))
        else:
            result = self._post(session, f"/v1/predict?reasons={3 * (chance < 0.5)}", ACCIDENT)
            self._note([result] if "prediction_id" in result else ())

    def _note(self, results: Sequence[dict[str, Any]]) -> None:
        identifiers = [result["prediction_id"] for result in results]
        self.answered.extend(identifiers)
        self._recent.extend(identifiers)

    def _post(self, session: requests.Session, path: str, content: Any) -> Any:
        response = session.post(self._url + path, json=content, headers=self._headers, timeout=REQUEST_SECONDS)
        key = (path.partition("?")[0], response.status_code)
        self.statuses[key] = self.statuses.get(key, 0) + 1
        return response.json()


class SqliteChaos:
    """What may happen to a SQLite file; nothing that the file ever held is forgotten."""

    def __init__(self, file: Path, rng: random.Random) -> None:
        self._file, self._rng, self._folder = file, rng, file.with_name("archive")
        self._folder.mkdir()
        self._initial = self._backup("initial")
        self._removed: set[str] = set()

    def actions(self) -> list[Callable[[], None]]:
        """Everything that may happen; afterwards the database is there again."""
        return [self._lock, self._replace, self._replace_corrupt, self._move_away, self._delete, self._restore]

    def held(self) -> set[str]:
        """Ids of the predictions in any file."""
        ids = set(self._removed)
        for file in (self._file, *self._folder.glob("old-*.db")):
            with closing(self._connect(file)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), file
                ids |= {row[0] for row in connection.execute("SELECT id FROM predictions")}
        return ids

    def _lock(self) -> None:
        with closing(self._connect(self._file)) as connection:
            connection.execute(self._rng.choice(("BEGIN EXCLUSIVE", "BEGIN IMMEDIATE")))
            time.sleep(self._rng.uniform(0.2, 7))

    def _replace(self) -> None:
        self._archive()
        self._new_file().replace(self._file)

    def _replace_corrupt(self) -> None:
        self._archive()
        corrupt = self._new_file()
        content = corrupt.read_bytes()
        corrupt.write_bytes(self._rng.choice((b"", content[:3000], self._rng.randbytes(50_000))))
        corrupt.replace(self._file)
        time.sleep(self._rng.uniform(0, 3))
        self._new_file().replace(self._file)

    def _move_away(self) -> None:
        away = self._file.rename(self._folder / "away.db")
        time.sleep(self._rng.uniform(0, 4))
        away.rename(self._file)

    def _delete(self) -> None:
        self._archive()
        self._file.unlink()
        time.sleep(self._rng.uniform(0, 4))
        self._new_file().replace(self._file)

    def _restore(self) -> None:
        """Restore a backup into the same file, in a transaction."""
        backup = self._backup("backup")
        time.sleep(self._rng.uniform(0, 3))
        with closing(self._connect(self._file)) as connection:
            connection.execute("ATTACH ? AS backup", (str(backup),))
            connection.execute("BEGIN EXCLUSIVE")
            self._removed |= {row[0] for row in connection.execute("SELECT id FROM main.predictions")}
            for name in reversed(_TABLES):
                connection.execute(f"DELETE FROM main.{name}")  # noqa: S608
            for name in _TABLES:
                connection.execute(f"INSERT INTO main.{name} SELECT * FROM backup.{name}")  # noqa: S608
            connection.execute("COMMIT")

    def _archive(self) -> None:
        """Keep the present file under a second name; a transaction may still be written to it."""
        os.link(self._file, self._folder / f"old-{time.time_ns()}.db")

    def _new_file(self) -> Path:
        return Path(shutil.copy(self._initial, self._folder / "new.db"))

    def _backup(self, name: str) -> Path:
        path = self._folder / f"{name}.db"
        with closing(self._connect(self._file)) as source, closing(sqlite3.connect(path)) as target:
            source.backup(target)
        return path

    def _connect(self, file: Path) -> sqlite3.Connection:
        # As the service does: a journal may be that of a file that was just replaced.
        while self._file.with_name(f"{self._file.name}-journal").exists():
            time.sleep(0.001)
        return sqlite3.connect(file, timeout=60, isolation_level=None)


class PostgresqlChaos:
    """What may happen to a PostgreSQL database; nothing that it ever held is forgotten."""

    def __init__(self, url: str, server: str, rng: random.Random) -> None:
        self._url, self._server, self._rng = url, server, rng
        self._engine = create_engine(url, pool_pre_ping=True)
        self._removed: set[str] = set()

    def actions(self) -> list[Callable[[], None]]:
        """Everything that may happen; afterwards the database is there again."""
        return [self._lock, self._terminate, self._away, self._drop, self._restore, self._restart]

    def held(self) -> set[str]:
        """Ids of all predictions that the database has held."""
        with self._engine.connect() as connection:
            return self._removed | {str(row["id"]) for row in self._read(connection)["predictions"]}

    def _lock(self) -> None:
        with self._locked_tables():
            time.sleep(self._rng.uniform(0.2, 7))

    def _locked_tables(self) -> Connection:
        """A transaction that keeps all others from the tables."""
        while True:
            connection = self._engine.connect()
            try:
                connection.execute(text(f"LOCK TABLE {', '.join(_TABLES)}"))
                return connection
            except OperationalError:  # a deadlock with the service, or a connection that was closed by another action
                connection.close()

    def _terminate(self) -> None:
        for _ in range(self._rng.randint(1, 20)):
            with self._engine.connect() as connection, suppress(SQLAlchemyError):
                others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                connection.execute(text(f"SELECT pg_terminate_backend(pid) {others}"))
            time.sleep(self._rng.uniform(0, 0.2))

    def _away(self) -> None:
        with database_away(self._engine, self._server):
            time.sleep(self._rng.uniform(0, 4))
        self._engine.dispose()

    def _drop(self) -> None:
        tables = [table for table in metadata.sorted_tables if table.name != "api_keys"]
        with self._locked_tables() as connection:
            self._removed |= {row["id"] for row in self._read(connection)["predictions"]}
            metadata.drop_all(connection, tables)
            connection.commit()
        time.sleep(self._rng.uniform(0, 3))
        metadata.create_all(self._engine, tables)

    def _restore(self) -> None:
        with self._engine.connect() as connection:
            backup = self._read(connection)
        time.sleep(self._rng.uniform(0, 3))
        with self._locked_tables() as connection:
            self._removed |= {row["id"] for row in self._read(connection)["predictions"]}
            connection.execute(text(f"TRUNCATE {', '.join(_TABLES)}"))
            for table in metadata.sorted_tables:
                if backup[table.name]:
                    connection.execute(table.insert(), backup[table.name])
            connection.commit()

    def _restart(self) -> None:
        """Kill the server, as a crash does, and start it again."""
        server = pgserver.get_server(str(make_url(self._server).query["host"]))
        self._engine.dispose()
        command = ["-w", "-m", self._rng.choice(("immediate", "fast")), "restart"]
        pgserver.postgres_server.pg_ctl(command, pgdata=server.pgdata, user=server.system_user)

    @staticmethod
    def _read(connection: Connection) -> dict[str, list[dict[str, Any]]]:
        return {
            table.name: [row._asdict() for row in connection.execute(table.select())]
            for table in metadata.sorted_tables
        }
