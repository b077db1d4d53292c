"""Snapshots of submitted files, and attempts that were graded again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "snapshot_blob",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_snapshot_blob")),
    )
    op.create_table(
        "snapshot",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("charged_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_snapshot")),
    )
    op.create_table(
        "snapshot_file",
        sa.Column("snapshot", sa.String(length=64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("is_executable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot"],
            ["snapshot.digest"],
            name=op.f("fk_snapshot_file_snapshot_snapshot"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["blob"], ["snapshot_blob.digest"], name=op.f("fk_snapshot_file_blob_snapshot_blob")
        ),
        sa.PrimaryKeyConstraint("snapshot", "path", name=op.f("pk_snapshot_file")),
    )
    op.create_index("ix_snapshot_file_blob", "snapshot_file", ["blob"], unique=False)
    op.create_table(
        "attempt_snapshot",
        sa.Column("attempt", _SEQUENCE, nullable=False),
        sa.Column("snapshot", sa.String(length=64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.sequence"],
            name=op.f("fk_attempt_snapshot_attempt_attempt"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshot.digest"], name=op.f("fk_attempt_snapshot_snapshot_snapshot")
        ),
        sa.PrimaryKeyConstraint("attempt", name=op.f("pk_attempt_snapshot")),
    )
    op.create_index("ix_attempt_snapshot_snapshot", "attempt_snapshot", ["snapshot"], unique=False)
    op.create_index("ix_attempt_snapshot_taken_at", "attempt_snapshot", ["taken_at"], unique=False)
    op.create_table(
        "regrade",
        sa.Column("attempt", _SEQUENCE, nullable=False),
        sa.Column("original", _SEQUENCE, nullable=False),
        sa.Column("regraded_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.sequence"],
            name=op.f("fk_regrade_attempt_attempt"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["original"],
            ["attempt.sequence"],
            name=op.f("fk_regrade_original_attempt"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt", name=op.f("pk_regrade")),
    )
    op.create_index("ix_regrade_original", "regrade", ["original"], unique=False)


def downgrade() -> None:
    for table in ("regrade", "attempt_snapshot", "snapshot_file", "snapshot", "snapshot_blob"):
        op.drop_table(table)
