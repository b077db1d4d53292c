"""Snapshots: what was taken from a student for an attempt, kept so that it can be graded again.

Design choices: in tables, not as files beside the database. The worker may run on another machine
than the web service and whoever regrades, one database is what a company backs up, and a row can
be deleted with what it hangs on. What speaks for files, size, is met by limits: of one snapshot,
of all snapshots of a student, and of their age. Like git's trees, a snapshot is addressed by the
hash of its list, and the list names its files by the hash of their bytes, so that the same answer
takes space once, whoever hands it in and however often. Both hashes are proved on the way out.

Bytes are stored as they came: PostgreSQL compresses them by itself, and SQLite stays simple.

A snapshot is stored in a transaction of its own, before the verdict, by whoever holds the lease of
the attempt, so that the verdict belongs to exactly these files. In its own, since neither may cost
the other: a verdict whose snapshot the database refused stands, and only cannot be graded again; a
snapshot whose verdict never came is replaced by that of the next try, or stays with the attempt
that ended ``ungradable``, which may then be graded when our fault is mended. It is stored while the
check runs, so that the student does not wait for it.

Limits count each distinct snapshot of a student whole, with its names, so that five hundred empty
files with long names are not free. Over the limit, the student's own snapshots go: what did not
pass before what passed, the oldest first. Nobody can push out another student's.

Nothing is deleted in the transaction that keeps: lists and bytes that nobody refers to any more go
in :meth:`Snapshots.clean_up`. On PostgreSQL an advisory lock, shared by those that keep, holds
clean-up off while somebody is about to refer to what it would delete; SQLite has one writer anyway.

One of the doors of the database that ``hexhub.progress.store`` is the first of.
"""

import hashlib
import json
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, select, text

from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.checks.model import OutcomeKind
from hexhub.errors import SnapshotDamaged
from hexhub.names import UserName
from hexhub.progress.database import Database, Transaction
from hexhub.progress.queue import find_held
from hexhub.progress.rows import find_attempt
from hexhub.progress.store import Store
from hexhub.progress.tables import (
    AttemptRow,
    AttemptSnapshotRow,
    SnapshotBlobRow,
    SnapshotFileRow,
    SnapshotRow,
)

log = logging.getLogger(__name__)

CLEAN_UP_EVERY_S = 3600.0
_LOCK = 7_310_579_483
"""Any fixed number: the advisory lock between keeping and clean-up."""
_CHARGE_PER_FILE = 256
"""Bytes that a row of ``snapshot_file`` takes, with its indexes, beside the path itself."""
_BATCH = 200


@dataclass(frozen=True)
class SnapshotLimits:
    """How much is kept.

    Attributes:
        attempt_bytes: Of one snapshot; a bigger one is not kept. 0 keeps none.
        student_bytes: Of all distinct snapshots of one student.
        days: Age after which a snapshot goes.
    """

    attempt_bytes: int
    student_bytes: int
    days: int


class Snapshots:
    """The snapshots in one database. Safe to share between threads."""

    def __init__(self, store: Store, limits: SnapshotLimits) -> None:
        self._database: Database = store.database
        self._limits = limits
        self._clean_at_s = 0.0

    def keep(self, attempt_id: str, lease: str, files: Overlay) -> bool:
        """Store what was taken for an attempt, in place of what an earlier try took.

        Args:
            attempt_id: Of the attempt.
            lease: What ``Store.claim`` gave with it.
            files: As taken.

        Returns:
            False where it is too big and is not kept.

        Raises:
            LeaseLost: Somebody else has the attempt by now.
            AttemptNotFound: There is none of that id.
            StoreError: The database refuses; nothing is stored.
        """
        entries = sorted(
            (path, _digest(file.data), file.is_executable) for path, file in files.items()
        )
        digest = _list_digest(entries)
        charged_bytes = charge(files)
        with self._database.writing() as session:
            self._hold_off_clean_up(session, shared=True)
            attempt = find_held(session, attempt_id, lease)
            session.execute(
                delete(AttemptSnapshotRow).where(AttemptSnapshotRow.attempt == attempt.sequence)
            )
            if charged_bytes > min(self._limits.attempt_bytes, self._limits.student_bytes):
                return False
            values = {"digest": digest, "charged_bytes": charged_bytes}
            if session.insert_new(SnapshotRow, values):
                self._add_files(session, digest, entries, files)
            session.add(
                AttemptSnapshotRow(
                    attempt=attempt.sequence,
                    snapshot=digest,
                    taken_at=session.now(),
                )
            )
            session.flush()
            self._make_room(session, UserName(attempt.user_name), digest)
            return True

    def files(self, attempt_id: str) -> dict[str, OverlayFile] | None:
        """Give what was taken for an attempt, to the byte; None where nothing is kept.

        Raises:
            AttemptNotFound: There is none of that id.
            SnapshotDamaged: The database gives other bytes than were stored.
        """
        with self._database.reading() as session:
            sequence = find_attempt(session, attempt_id).sequence
            digest = session.scalar(
                select(AttemptSnapshotRow.snapshot).where(AttemptSnapshotRow.attempt == sequence)
            )
            if digest is None:
                return None
            rows = session.execute(
                select(
                    SnapshotFileRow.path,
                    SnapshotFileRow.blob,
                    SnapshotFileRow.is_executable,
                    SnapshotBlobRow.data,
                )
                .join(SnapshotBlobRow, SnapshotBlobRow.digest == SnapshotFileRow.blob)
                .where(SnapshotFileRow.snapshot == digest)
            ).all()
        entries = sorted((row.path, row.blob, row.is_executable) for row in rows)
        whole = all(_digest(row.data) == row.blob for row in rows)
        if not whole or _list_digest(entries) != digest:
            raise SnapshotDamaged(f"The snapshot of attempt {attempt_id} is damaged.")
        return {row.path: OverlayFile(row.data, row.is_executable) for row in rows}

    def clean_up(self) -> int:
        """Delete what is older than it may be, and bytes that nobody refers to any more.

        Returns:
            How many snapshots are gone.

        Raises:
            StoreError: The database refuses; what is done is done.
        """
        while self._forget_old():
            pass
        gone = 0
        while found := self._unused(SnapshotRow, _is_unused_snapshot()):
            gone += self._delete(SnapshotRow, found, _is_unused_snapshot())
        while found := self._unused(SnapshotBlobRow, _is_unused_blob()):
            self._delete(SnapshotBlobRow, found, _is_unused_blob())
        return gone

    def clean_up_hourly(self) -> None:
        """Clean up, unless that was done within the last hour; for a loop that comes by often.

        Raises:
            StoreError: The database refuses.
        """
        now_s = time.monotonic()
        if now_s < self._clean_at_s:
            return
        gone = self.clean_up()
        self._clean_at_s = now_s + CLEAN_UP_EVERY_S
        if gone:
            log.info("%d snapshots of submitted files are gone.", gone)

    # --- inside ---------------------------------------------------------------------------------

    def _add_files(
        self,
        session: Transaction,
        digest: str,
        entries: Iterable[tuple[str, str, bool]],
        files: Overlay,
    ) -> None:
        data = {blob: files[path].data for path, blob, _ in entries}
        there = set(
            session.scalars(
                select(SnapshotBlobRow.digest).where(SnapshotBlobRow.digest.in_(list(data)))
            )
        )
        # In order: two that store the same bytes at once wait for each other, never both.
        for blob in sorted(data.keys() - there):
            session.insert_new(SnapshotBlobRow, {"digest": blob, "data": data[blob]})
        session.add_all(
            SnapshotFileRow(snapshot=digest, path=path, blob=blob, is_executable=is_executable)
            for path, blob, is_executable in entries
        )

    def _make_room(self, session: Transaction, user: UserName, newest: str) -> None:
        """Let go of a student's snapshots that are too much, never of the newest."""
        rows = session.execute(
            select(
                SnapshotRow.digest,
                SnapshotRow.charged_bytes,
                AttemptRow.sequence,
                AttemptRow.outcome,
            )
            .join(AttemptSnapshotRow, AttemptSnapshotRow.snapshot == SnapshotRow.digest)
            .join(AttemptRow, AttemptRow.sequence == AttemptSnapshotRow.attempt)
            .where(AttemptRow.user_name == user)
        ).all()
        worth: dict[str, tuple[bool, bool, int]] = {}
        sizes: dict[str, int] = {}
        for row in rows:
            its = (row.digest == newest, row.outcome is OutcomeKind.PASSED, row.sequence)
            worth[row.digest] = max(worth.get(row.digest, its), its)
            sizes[row.digest] = row.charged_bytes
        total = 0
        too_much: set[str] = set()
        for digest in sorted(worth, key=lambda digest: worth[digest], reverse=True):
            total += sizes[digest]
            if total > self._limits.student_bytes:
                too_much.add(digest)
        lost = sorted(row.sequence for row in rows if row.digest in too_much)
        for start in range(0, len(lost), 1000):
            session.execute(
                delete(AttemptSnapshotRow).where(
                    AttemptSnapshotRow.attempt.in_(lost[start : start + 1000])
                )
            )

    def _forget_old(self) -> bool:
        """Let go of some snapshots that are too old; False where there are none."""
        with self._database.writing() as session:
            limit = session.now() - timedelta(days=self._limits.days)
            old = session.scalars(
                select(AttemptSnapshotRow.attempt)
                .where(AttemptSnapshotRow.taken_at < limit)
                .order_by(AttemptSnapshotRow.taken_at)
                .limit(_BATCH)
            ).all()
            session.execute(delete(AttemptSnapshotRow).where(AttemptSnapshotRow.attempt.in_(old)))
            return len(old) > 0

    def _unused(
        self, row: type[SnapshotRow | SnapshotBlobRow], is_unused: ColumnElement[bool]
    ) -> list[str]:
        with self._database.reading() as session:
            return list(session.scalars(select(row.digest).where(is_unused).limit(_BATCH)))

    def _delete(
        self,
        row: type[SnapshotRow | SnapshotBlobRow],
        found: list[str],
        is_unused: ColumnElement[bool],
    ) -> int:
        """Delete what is unused still, in a transaction that keeps nobody out for long."""
        with self._database.writing() as session:
            self._hold_off_clean_up(session, shared=False)
            gone = session.scalars(
                delete(row).where(row.digest.in_(found), is_unused).returning(row.digest)
            ).all()
            return len(gone)

    def _hold_off_clean_up(self, session: Transaction, *, shared: bool) -> None:
        if self._database.is_postgresql:
            lock = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
            session.execute(text(f"SELECT {lock}(:key)"), {"key": _LOCK})


def charge(files: Overlay) -> int:
    """Give what a snapshot of these files counts against the limits, in bytes."""
    return sum(
        len(file.data) + len(path.encode("utf-8", "replace")) + _CHARGE_PER_FILE
        for path, file in files.items()
    )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _list_digest(entries: Iterable[tuple[str, str, bool]]) -> str:
    """Give the hash of a list of files: path, hash of the bytes, executable or not."""
    return _digest(json.dumps(list(entries), ensure_ascii=True).encode())


def _is_unused_snapshot() -> ColumnElement[bool]:
    return ~exists().where(AttemptSnapshotRow.snapshot == SnapshotRow.digest)


def _is_unused_blob() -> ColumnElement[bool]:
    return ~exists().where(SnapshotFileRow.blob == SnapshotBlobRow.digest)
