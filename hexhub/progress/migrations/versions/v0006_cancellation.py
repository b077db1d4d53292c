"""Which attempts their students cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cancellation",
        sa.Column("attempt", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.sequence"],
            name=op.f("fk_cancellation_attempt_attempt"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt", name=op.f("pk_cancellation")),
    )


def downgrade() -> None:
    op.drop_table("cancellation")
