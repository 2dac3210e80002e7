"""Convert prediction records to rows, and insert rows in bulk.

This competes with the event loop for the interpreter, so most of the work is done outside Python: for SQLite rows are
passed as the driver takes them, in half the time of SQLAlchemy's parameter processing; for PostgreSQL as one JSON text
that the server unpacks, in a seventh of the time that psycopg2 takes to quote single values.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import uuid4

import orjson
from sqlalchemy import Connection, Engine, String, bindparam, column, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from serving.records.data_minimisation import input_serialiser, serialise_derived
from serving.records.database import write_transaction
from serving.records.prediction_record import PredictionRecord
from serving.records.tables import log_writers, predictions

Row = dict[str, Any]
"""Values by column name, in the order of the table."""

Insert = Callable[[Connection, Sequence[Row]], None]

_CONTENT_COLUMNS = {"kept", "inputs", "derived"}
_RECORD_COLUMNS = [str(column.name) for column in predictions.columns if column.name not in _CONTENT_COLUMNS]
_record_values = attrgetter(*_RECORD_COLUMNS)
_NUMBERS = {"probability": float, "threshold": float, "prediction": int, "latency_ms": float, "missing": int}
_BATCH_SIZE = 200  # rows a call of the driver, which holds the interpreter meanwhile
_LENGTH_WITHOUT_ZONE = len("2024-05-14 08:45:00.000000")
_ROW_ERRORS = (StatementError, ArithmeticError, AttributeError, TypeError, ValueError)


def row_builder(detail: str) -> Callable[[PredictionRecord], Row]:
    """The function that converts a record to a row, with its content in the given level of detail."""
    serialise = input_serialiser(detail)

    def build_row(record: PredictionRecord) -> Row:
        kept, inputs = serialise(record.content)
        row = dict(zip(_RECORD_COLUMNS, _record_values(record), strict=True))
        numbers = {name: number(row[name]) for name, number in _NUMBERS.items()}  # SQLite would store any type
        derived = serialise_derived(record.derived, kept)
        return {**row, **numbers, "at": record.at.astimezone(UTC), "kept": kept, "inputs": inputs, "derived": derived}

    return build_row


class PredictionWriter:
    """Inserts rows into the table of predictions, with the number of those that it has written.

    Attributes:
        lost: how many predictions that it has written the present database does not hold, because it has taken the
            place of another one, or was restored from a backup.
    """

    def __init__(self, engine: Engine) -> None:
        self.lost = 0
        self._engine = engine
        self._id, self._written = uuid4().hex, 0
        self._insert = _insert_into_postgresql() if engine.dialect.name == "postgresql" else _insert_into_sqlite(engine)

    def write(self, rows: Sequence[Row]) -> int:
        """Insert rows in one transaction; bisects them where the database rejects values.

        Idempotent: rows whose commit succeeded just before the connection broke may be written again.

        Returns:
            The number of rows that the database rejects for their values.

        Raises:
            SQLAlchemyError: the database cannot be written to now; try the same rows again later.
            RecordsError: the database was replaced meanwhile; the same applies.
        """
        try:
            with write_transaction(self._engine) as connection:
                lost = self._count_lost(connection)
                for start in range(0, len(rows), _BATCH_SIZE):
                    self._insert(connection, rows[start : start + _BATCH_SIZE])
                self._store_counts(connection, self._written + len(rows), lost)
        except _ROW_ERRORS as error:
            if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
                raise
            if len(rows) == 1:
                return 1
            middle = len(rows) // 2
            return self.write(rows[:middle]) + self.write(rows[middle:])
        self._written += len(rows)
        self.lost = lost
        return 0

    def check(self) -> None:
        """Update `lost`.

        Raises:
            SQLAlchemyError: the database does not answer.
        """
        with self._engine.connect() as connection:
            self.lost = self._count_lost(connection)

    def _count_lost(self, connection: Connection) -> int:
        query = select(log_writers.c.written, log_writers.c.lost).where(log_writers.c.id == self._id)
        row = connection.execute(query).first()
        if row is None:
            return self._written
        # More than expected are written where the answer to a commit did not arrive.
        return row.lost + max(self._written - row.written, 0)

    def _store_counts(self, connection: Connection, written: int, lost: int) -> None:
        values = {"written": written, "lost": lost, "at": datetime.now(UTC)}
        if not connection.execute(update(log_writers).where(log_writers.c.id == self._id), values).rowcount:
            connection.execute(insert(log_writers), {"id": self._id, **values})


def _insert_into_sqlite(engine: Engine) -> Insert:
    statement = str(sqlite.insert(predictions).on_conflict_do_nothing().compile(engine))

    def insert_rows(connection: Connection, rows: Sequence[Row]) -> None:
        connection.exec_driver_sql(statement, [_sqlite_values(row) for row in rows])

    return insert_rows


def _sqlite_values(row: Row) -> tuple[Any, ...]:
    """Values as `tables.UtcDateTime` and the other types store them, in the order of the columns."""
    prediction_id, at, *others = row.values()
    return (prediction_id, at.isoformat(" ", "microseconds")[:_LENGTH_WITHOUT_ZONE], *others)


def _insert_into_postgresql() -> Insert:
    columns = [column(one.name, one.type) for one in predictions.columns]
    rows = func.json_to_recordset(bindparam("rows", type_=String)).table_valued(*columns)
    source = select(rows.render_derived(name="rows", with_types=True))
    statement = postgresql.insert(predictions).from_select(predictions.columns.keys(), source).on_conflict_do_nothing()

    def insert_rows(connection: Connection, rows: Sequence[Row]) -> None:
        connection.execute(statement, {"rows": orjson.dumps(rows).decode()})

    return insert_rows
