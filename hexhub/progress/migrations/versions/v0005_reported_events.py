"""Events know their student, and whether the student's side claims them; counts of refusals."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("event") as table:
        table.add_column(sa.Column("user_name", sa.Text(), nullable=True))
        table.add_column(
            sa.Column("is_reported", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    user = "data ->> 'user'" if is_postgresql else "json_extract(data, '$.user')"
    op.execute(sa.text(f"UPDATE event SET user_name = {user}"))  # noqa: S608 - one of two texts
    op.create_index("ix_event_user", "event", ["user_name", "sequence"], unique=False)
    op.create_table(
        "refused_report",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("user_name", "problem", name=op.f("pk_refused_report")),
    )


def downgrade() -> None:
    op.drop_table("refused_report")
    op.drop_index("ix_event_user", "event")
    with op.batch_alter_table("event") as table:
        table.drop_column("is_reported")
        table.drop_column("user_name")
