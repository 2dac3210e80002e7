"""Entries of the prediction log as rows of the database, and rows into the database, many at a time.

The work shares one interpreter with the service, so most of it is done below Python: SQLite takes rows as its driver
wants them, at half the time that SQLAlchemy would need to prepare them; PostgreSQL takes them as one JSON text and
unpacks it itself, at a seventh of the time that its driver would need to write out value by value.
"""

from collections.abc import Callable, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Engine, String, bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from serving.records.data_minimisation import keeper
from serving.records.database import writing
from serving.records.tables import predictions

if TYPE_CHECKING:
    from serving.records.prediction_log import Entry

Row = dict[str, Any]
"""The values of a row by the names of the columns, in their order."""

Insert = Callable[[Connection, Sequence[Row]], None]


_AT_A_TIME = 200  # rows that are handed to the driver while the service waits for the interpreter
_WITHOUT_ZONE = len("2024-05-14 08:45:00.000000")
_FAULTS = (StatementError, ArithmeticError, AttributeError, TypeError, ValueError)


def row_maker(kept: str) -> Callable[["Entry"], Row]:
    """The function that makes a row of an entry, with as much of its content as `kept` says."""
    keep = keeper(kept)

    def row_of(entry: "Entry") -> Row:
        detail, inputs = keep(entry.content)
        return {
            "id": entry.id,
            "at": entry.at.astimezone(UTC),
            "request_id": entry.request_id,
            "route": entry.route,
            "caller": entry.caller,
            "model": entry.model,
            "version": entry.version,
            "type": entry.type,
            "level": entry.level,
            "probability": float(entry.probability),
            "threshold": float(entry.threshold),
            "prediction": int(entry.prediction),
            "latency_ms": float(entry.latency_ms),
            "missing": int(entry.missing),
            "kept": detail,
            "inputs": inputs,
        }

    return row_of


class Inserter:
    """Writes rows, each part in one transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._insert = _insert_into_postgresql() if engine.dialect.name == "postgresql" else _insert_into_sqlite(engine)

    def write(self, rows: Sequence[Row]) -> int:
        """Write rows; returns how many of them the database refuses for what they hold.

        What was committed, and seemed not to be because the connection broke, may be written again.

        Raises:
            SQLAlchemyError: the database cannot be written to now; none of these rows is refused for ever.
        """
        try:
            with writing(self._engine) as connection:
                for start in range(0, len(rows), _AT_A_TIME):
                    self._insert(connection, rows[start : start + _AT_A_TIME])
        except _FAULTS as error:
            if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
                raise
            if len(rows) == 1:
                return 1
            middle = len(rows) // 2
            return self.write(rows[:middle]) + self.write(rows[middle:])
        return 0


def _insert_into_sqlite(engine: Engine) -> Insert:
    statement = str(sqlite.insert(predictions).on_conflict_do_nothing().compile(engine))

    def insert(connection: Connection, rows: Sequence[Row]) -> None:
        connection.exec_driver_sql(statement, [_of_sqlite(row) for row in rows])

    return insert


def _of_sqlite(row: Row) -> tuple[Any, ...]:
    """The values as `tables.Moment` and the other types keep them, in the order of the columns."""
    name, at, *others = row.values()
    return (name, at.isoformat(" ", "microseconds")[:_WITHOUT_ZONE], *others)


def _insert_into_postgresql() -> Insert:
    columns = [column(found.name, found.type) for found in predictions.columns]
    rows = func.json_to_recordset(bindparam("rows", type_=String)).table_valued(*columns)
    found = select(rows.render_derived(name="rows", with_types=True))
    statement = postgresql.insert(predictions).from_select(predictions.columns.keys(), found).on_conflict_do_nothing()

    def insert(connection: Connection, rows: Sequence[Row]) -> None:
        connection.execute(statement, {"rows": orjson.dumps(rows).decode()})

    return insert
