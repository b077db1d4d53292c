"""An index by which a student's turn in the queue is found."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_attempt_share", "attempt", ["user_name", "started_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_attempt_share", "attempt")
