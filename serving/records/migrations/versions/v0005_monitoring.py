"""Results of monitoring."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "monitorings",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trained_at", sa.Text, nullable=False),
        sa.Column("drift_share", sa.Double, nullable=False),
        sa.Column("alarm", sa.SmallInteger, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_monitorings"),
    )
