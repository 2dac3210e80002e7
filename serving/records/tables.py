"""Table definitions (SQLAlchemy Core). `migrations` creates them; a test compares both."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite, which has no time zones, stores it as text that sorts by time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert to UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Convert the time zone of the database to UTC; naive times are UTC already."""
        return None if value is None else value.replace(tzinfo=value.tzinfo or UTC).astimezone(UTC)


predictions = Table(
    "predictions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("request_id", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("caller", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model_sha256", Text),
    Column("type", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("probability", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("prediction", SmallInteger, nullable=False),
    Column("latency_ms", Double, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("kept", Text, nullable=False),
    Column("inputs", Text),
    Column("derived", Text),
)
"""One row a prediction; `inputs` is the accident as JSON, and `kept` its level of detail: full, reduced or none.

`derived` are the facts that were derived from it, as JSON, in the same detail. It and `model_sha256`, that of the model
file, are NULL in rows of earlier versions.
"""

shadow_predictions = Table(
    "shadow_predictions",
    metadata,
    Column("prediction_id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model_sha256", Text, nullable=False),
    Column("probability", Double, nullable=False),
    Column("threshold", Double, nullable=False),
    Column("prediction", SmallInteger, nullable=False),
)
"""One row an answer of the shadow model; no foreign key, as it may be written before the prediction is."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("prediction_id", Text, ForeignKey("predictions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("outcome", SmallInteger, CheckConstraint("outcome IN (0, 1)", name="outcome"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("caller", Text, nullable=False),
)
"""One row an outcome; of several for one prediction, that of the highest `id` counts."""

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", Text, CheckConstraint("role IN ('predict', 'evaluate', 'admin')", name="role"), nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)
"""One row an API key; the secret is stored as hexadecimal SHA-256 only."""

log_writers = Table(
    "log_writers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("written", BigInteger, nullable=False),
    Column("lost", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""One row a prediction log, that is a worker: how many predictions it has written, and how many of those to another
database, whose place this one has taken. A log that has written more than its row says has lost the difference.
"""

monitorings = Table(
    "monitorings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("trained_at", Text, nullable=False),
    Column("drift_share", Double, nullable=False),
    Column("alarm", SmallInteger, nullable=False),
    Column("result", Text, nullable=False),
)
"""One row a monitoring: time, training time of the model that was monitored, and the result as JSON."""

retrainings = Table(
    "retrainings",
    metadata,
    Column("event", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("version", Text),
    Column("explanation", Text, nullable=False),
)
"""One row an event that a model was trained again for, and how it ended; `explanation` is a JSON list of sentences."""

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("renewed_at", UtcDateTime, nullable=False),
)
"""One row a lease: `owner` is the text of a `ProcessOwner`, which renews it while it works."""
