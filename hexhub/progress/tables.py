"""The rows of progress, the queue of attempts and the outbox of events.

Design choices: the attempt's row is the job (DESIGN §3), so that the lease stands in it. Both
numbered tables have an integer key beside their public id: the order of the queue and of the
events must not depend on a clock that may step back. The outbox table stands here and not in
``hexhub.events``, since an event is written in the transaction of the thing that it tells of;
``hexhub.events`` reads it through the store and knows no SQL.
"""
# ruff: noqa: ARG002 - SQLAlchemy fixes the signature of a TypeDecorator's methods

import math
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hexhub.checks.model import OutcomeKind, TestOutcome
from hexhub.progress.model import AttemptState


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times in UTC on every database; a naive time is refused.

    SQLite has no time zones: there UTC is stored without one and put back on the way out.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time in UTC.

        Raises:
            ValueError: The time has no zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; times are aware UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class CleanText(TypeDecorator[str]):
    """Text that every database takes: what a student's program prints may hold anything.

    PostgreSQL refuses the character NUL, and neither database takes half of a surrogate pair.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put the replacement character where a database would refuse."""
        if value is None:
            return None
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class FiniteFloat(TypeDecorator[float]):
    """A number; NaN (which SQLite turns into NULL) and infinities become 0."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> float | None:
        """Give the number, or 0 where it is none."""
        return value if value is None or math.isfinite(value) else 0.0


def _words(kind: type[StrEnum], name: str) -> Enum:
    """Store the words of an enumeration, not Python's names; unknown ones are refused."""
    return Enum(
        kind,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


_Sequence = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only ``INTEGER PRIMARY KEY``; AUTOINCREMENT never gives a number twice."""


class Base(DeclarativeBase):
    """All tables of HexHub."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime(),
        str: CleanText(),
        float: FiniteFloat(),
        dict[str, Any]: JSON(),
        AttemptState: _words(AttemptState, "state"),
        OutcomeKind: _words(OutcomeKind, "outcome"),
        TestOutcome: _words(TestOutcome, "outcome"),
    }


def _in_progress() -> ForeignKeyConstraint:
    """Tie a row to the student's progress in the lesson."""
    return ForeignKeyConstraint(
        ["user_name", "course", "lesson"],
        ["progress.user_name", "progress.course", "progress.lesson"],
        ondelete="CASCADE",
    )


class ProgressRow(Base):
    """One student in one lesson. ``finished_at`` stays, also when a new version adds steps."""

    __tablename__ = "progress"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class AttemptRow(Base):
    """One run of a check, and at the same time the job in the queue.

    ``lease`` is the secret of the worker that has it; a verdict is written only by who holds it.
    ``reason`` says to the author why a check could not be run; students do not see it.
    """

    __tablename__ = "attempt"
    __table_args__ = (
        _in_progress(),
        CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name="done_has_outcome"),
        CheckConstraint("(state = 'running') = (lease IS NOT NULL)", name="running_has_lease"),
        Index(
            "uq_attempt_open",
            "user_name",
            "course",
            "lesson",
            "step",
            unique=True,
            sqlite_where=text("state <> 'done'"),
            postgresql_where=text("state <> 'done'"),
        ),
        Index(
            "ix_attempt_queue",
            "sequence",
            sqlite_where=text("state <> 'done'"),
            postgresql_where=text("state <> 'done'"),
        ),
        Index("ix_attempt_share", "user_name", "started_at"),
        Index("ix_attempt_place", "user_name", "course", "lesson", "step", "sequence"),
        {"sqlite_autoincrement": True},
    )

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    user_name: Mapped[str]
    course: Mapped[str]
    lesson: Mapped[str]
    step: Mapped[str]
    version: Mapped[str]
    state: Mapped[AttemptState]
    requested_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[datetime | None]
    worker: Mapped[str | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[OutcomeKind | None]
    message: Mapped[str] = mapped_column(default="")
    output: Mapped[str] = mapped_column(default="")
    duration_s: Mapped[float] = mapped_column(default=0.0)
    reason: Mapped[str | None]


class TestResultRow(Base):
    """One line of an outcome; ``position`` is its place in the report."""

    __test__ = False
    __tablename__ = "test_result"

    attempt: Mapped[int] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    test_id: Mapped[str]
    name: Mapped[str]
    outcome: Mapped[TestOutcome]
    message: Mapped[str]
    expected: Mapped[str | None]
    actual: Mapped[str | None]
    output: Mapped[str]
    points: Mapped[float]
    max_points: Mapped[float]
    duration_s: Mapped[float]
    names: Mapped[dict[str, str]] = mapped_column(JSON, server_default="{}")
    """Language tag → ``name`` in that language."""


class RegradeRow(Base):
    """An attempt was graded again, in another version of the course, from its snapshot.

    The new outcome is an attempt of its own (``attempt``) beside the old one (``original``), which
    nobody asked for: it counts as no attempt of the student. A table and not a column of
    ``attempt``: SQLite takes no further foreign key without making the table anew, which would
    delete, by cascade, what refers to it.
    """

    __tablename__ = "regrade"

    attempt: Mapped[int] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="CASCADE"), primary_key=True
    )
    original: Mapped[int] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="CASCADE"), index=True
    )
    regraded_at: Mapped[datetime]


class CancellationRow(Base):
    """A student did not want an attempt any more; its outcome is ``ungradable``, of no fault.

    A table and not a fifth outcome: SQLite changes what a column may hold only by making the table
    anew, which would delete, by cascade, what refers to it.
    """

    __tablename__ = "cancellation"

    attempt: Mapped[int] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="CASCADE"), primary_key=True
    )
    cancelled_at: Mapped[datetime]


class SnapshotBlobRow(Base):
    """The bytes of a file, under their SHA-256; once, however many students handed them in."""

    __tablename__ = "snapshot_blob"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class SnapshotRow(Base):
    """A set of files, under the SHA-256 of its list: the same answer twice is one snapshot.

    ``charged_bytes`` is what it counts against the limits.
    """

    __tablename__ = "snapshot"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    charged_bytes: Mapped[int] = mapped_column(BigInteger)


class SnapshotFileRow(Base):
    """One file of a snapshot. A blob that is in use cannot be deleted: there is no cascade."""

    __tablename__ = "snapshot_file"

    snapshot: Mapped[str] = mapped_column(
        String(64), ForeignKey("snapshot.digest", ondelete="CASCADE"), primary_key=True
    )
    path: Mapped[str] = mapped_column(primary_key=True)
    blob: Mapped[str] = mapped_column(String(64), ForeignKey("snapshot_blob.digest"), index=True)
    is_executable: Mapped[bool]


class AttemptSnapshotRow(Base):
    """What was taken for an attempt. A snapshot that is in use cannot be deleted."""

    __tablename__ = "attempt_snapshot"

    attempt: Mapped[int] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="CASCADE"), primary_key=True
    )
    snapshot: Mapped[str] = mapped_column(String(64), ForeignKey("snapshot.digest"), index=True)
    taken_at: Mapped[datetime] = mapped_column(index=True)


class StepPassedRow(Base):
    """The first time a student passed a step. ``attempt`` is empty for steps without a check."""

    __tablename__ = "step_passed"
    __table_args__ = (_in_progress(),)

    user_name: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    passed_at: Mapped[datetime]
    attempt: Mapped[int | None] = mapped_column(
        _Sequence, ForeignKey("attempt.sequence", ondelete="SET NULL")
    )


class HintTakenRow(Base):
    """A hint that a student has seen; ``number`` counts from 1."""

    __tablename__ = "hint_taken"
    __table_args__ = (_in_progress(),)

    user_name: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    taken_at: Mapped[datetime]


class SolutionViewedRow(Base):
    """The first time a student was shown the author's solution."""

    __tablename__ = "solution_viewed"
    __table_args__ = (_in_progress(),)

    user_name: Mapped[str] = mapped_column(primary_key=True)
    course: Mapped[str] = mapped_column(primary_key=True)
    lesson: Mapped[str] = mapped_column(primary_key=True)
    viewed_at: Mapped[datetime]


class EventRow(Base):
    """The outbox. ``shipped_at`` is set when the sink has acknowledged the event, never before.

    ``user_name`` repeats what stands in ``data``, so that a student's events can be found.
    ``is_reported`` marks claims of the student's side.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index(
            "ix_event_unshipped",
            "sequence",
            sqlite_where=text("shipped_at IS NULL"),
            postgresql_where=text("shipped_at IS NULL"),
        ),
        Index("ix_event_user", "user_name", "sequence"),
        {"sqlite_autoincrement": True},
    )

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str]
    version: Mapped[int]
    at: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    shipped_at: Mapped[datetime | None]
    user_name: Mapped[str | None]
    is_reported: Mapped[bool] = mapped_column(server_default=false())


class RefusedReportRow(Base):
    """How much of what a student's machine reported was not stored, and when last, by reason."""

    __tablename__ = "refused_report"

    user_name: Mapped[str] = mapped_column(primary_key=True)
    problem: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime]
