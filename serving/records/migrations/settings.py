"""How Alembic is set up, for the changes themselves and for comparing what they make with the tables."""

from typing import Any

from serving.records.tables import metadata

VERSION_TABLE = "serving_schema_version"
"""Where the database notes its version; MLflow and ZenML, which may share it, have an `alembic_version` already."""


def options() -> dict[str, Any]:
    """Options of Alembic's context."""
    return {
        "target_metadata": metadata,
        "version_table": VERSION_TABLE,
        "transactional_ddl": True,
        "compare_server_default": True,
    }
