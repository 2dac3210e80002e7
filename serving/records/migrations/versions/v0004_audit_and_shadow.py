"""What an audit needs to recompute a prediction, and answers of a shadow model."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns, which are NULL in existing rows, and a table."""
    op.add_column("predictions", sa.Column("model_sha256", sa.Text))
    op.add_column("predictions", sa.Column("derived", sa.Text))
    op.create_table(
        "shadow_predictions",
        sa.Column("prediction_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("model_sha256", sa.Text, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("threshold", sa.Double, nullable=False),
        sa.Column("prediction", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("prediction_id", name="pk_shadow_predictions"),
    )
    op.create_index("ix_shadow_predictions_at", "shadow_predictions", ["at"])
