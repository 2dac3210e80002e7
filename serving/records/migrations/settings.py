"""Options of Alembic, for running migrations and for comparing their result with the tables."""

from typing import Any

from serving.records.tables import metadata

VERSION_TABLE = "serving_schema_version"
"""Alembic's version table; MLflow and ZenML, which may share the database, have an `alembic_version` already."""


def context_options() -> dict[str, Any]:
    """Keyword arguments of `context.configure`."""
    return {
        "target_metadata": metadata,
        "version_table": VERSION_TABLE,
        "transactional_ddl": True,
        "compare_server_default": True,
    }
