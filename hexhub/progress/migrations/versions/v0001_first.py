"""Progress, attempts with their test results, hints, solutions and the outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SEQUENCE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_event")),
        sa.UniqueConstraint("id", name=op.f("uq_event_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_event_unshipped",
        "event",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("shipped_at IS NULL"),
        postgresql_where=sa.text("shipped_at IS NULL"),
    )
    op.create_table(
        "progress",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_name", "course", "lesson", name=op.f("pk_progress")),
    )
    op.create_table(
        "attempt",
        sa.Column("sequence", _SEQUENCE, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "passed",
                "failed",
                "error",
                "ungradable",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'done') = (outcome IS NOT NULL)", name=op.f("ck_attempt_done_has_outcome")
        ),
        sa.CheckConstraint(
            "(state = 'running') = (lease IS NOT NULL)", name=op.f("ck_attempt_running_has_lease")
        ),
        sa.ForeignKeyConstraint(
            ["user_name", "course", "lesson"],
            ["progress.user_name", "progress.course", "progress.lesson"],
            name=op.f("fk_attempt_user_name_progress"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_attempt")),
        sa.UniqueConstraint("id", name=op.f("uq_attempt_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_attempt_place",
        "attempt",
        ["user_name", "course", "lesson", "step", "sequence"],
        unique=False,
    )
    op.create_index(
        "ix_attempt_queue",
        "attempt",
        ["sequence"],
        unique=False,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_index(
        "uq_attempt_open",
        "attempt",
        ["user_name", "course", "lesson", "step"],
        unique=True,
        sqlite_where=sa.text("state <> 'done'"),
        postgresql_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "hint_taken",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name", "course", "lesson"],
            ["progress.user_name", "progress.course", "progress.lesson"],
            name=op.f("fk_hint_taken_user_name_progress"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_name", "course", "lesson", "step", "number", name=op.f("pk_hint_taken")
        ),
    )
    op.create_table(
        "solution_viewed",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_name", "course", "lesson"],
            ["progress.user_name", "progress.course", "progress.lesson"],
            name=op.f("fk_solution_viewed_user_name_progress"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_name", "course", "lesson", name=op.f("pk_solution_viewed")),
    )
    op.create_table(
        "step_passed",
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("course", sa.Text(), nullable=False),
        sa.Column("lesson", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", _SEQUENCE, nullable=True),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.sequence"],
            name=op.f("fk_step_passed_attempt_attempt"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_name", "course", "lesson"],
            ["progress.user_name", "progress.course", "progress.lesson"],
            name=op.f("fk_step_passed_user_name_progress"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "user_name", "course", "lesson", "step", name=op.f("pk_step_passed")
        ),
    )
    op.create_table(
        "test_result",
        sa.Column("attempt", _SEQUENCE, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("test_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "passed",
                "failed",
                "error",
                "skipped",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=True),
        sa.Column("actual", sa.Text(), nullable=True),
        sa.Column("output", sa.Text(), nullable=False),
        sa.Column("points", sa.Float(), nullable=False),
        sa.Column("max_points", sa.Float(), nullable=False),
        sa.Column("duration_s", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt"],
            ["attempt.sequence"],
            name=op.f("fk_test_result_attempt_attempt"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt", "position", name=op.f("pk_test_result")),
    )


def downgrade() -> None:
    for table in (
        "test_result",
        "step_passed",
        "solution_viewed",
        "hint_taken",
        "attempt",
        "progress",
        "event",
    ):
        op.drop_table(table)
