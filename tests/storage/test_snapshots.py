"""What was handed in comes back to the byte, takes space once, and stays within its limits."""

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.checks.model import Outcome
from hexhub.errors import AttemptNotFound, LeaseLost, SnapshotDamaged
from hexhub.names import StepName, UserName
from hexhub.progress.model import Claim, Place
from hexhub.progress.snapshots import SnapshotLimits, Snapshots, charge
from hexhub.progress.store import Store

from .conftest import Clock
from .lessons import FAILED, LESSON, ONE, OTHER, PASSED, PLACE, TWO, V1
from .postgresql import PostgresServer

LIMITS = SnapshotLimits(attempt_bytes=10_000, student_bytes=20_000, days=30)
FILES = {
    "answer.py": OverlayFile(b"x = 1\r\n"),
    "bin/run me": OverlayFile(b"#!/bin/sh\n", is_executable=True),
    "données/ключ\u2028.bin": OverlayFile(bytes(range(256)) * 4),
    "empty": OverlayFile(b""),
}


@pytest.fixture
def snapshots(store: Store) -> Snapshots:
    """Give the snapshots of ``store``, with small limits."""
    return Snapshots(store, LIMITS)


def claim(store: Store, place: Place = PLACE, step: StepName = ONE) -> Claim:
    """Submit an attempt and take it."""
    store.submit(place, step, V1)
    taken = store.claim("w", 30)
    assert taken is not None
    return taken


def hand_in(
    store: Store,
    snapshots: Snapshots,
    files: Overlay,
    outcome: Outcome = FAILED,
    place: Place = PLACE,
) -> str:
    """Submit an attempt, keep its files, finish it, and give its id."""
    taken = claim(store, place)
    snapshots.keep(taken.attempt.id, taken.lease, files)
    store.finish(taken.attempt.id, taken.lease, outcome, LESSON)
    return taken.attempt.id


def count(store: Store, table: str) -> int:
    """Count the rows of a table."""
    with store.database.reading() as session:
        number: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608
        return number


def of_size(size: int, name: str = "a") -> dict[str, OverlayFile]:
    """Give files that are charged with exactly ``size`` bytes; another ``name``, other bytes."""
    bare = charge({name: OverlayFile(b"")})
    return {name: OverlayFile(name[:1].encode() * (size - bare))}


def test_files_come_back_as_they_went_in(store: Store, snapshots: Snapshots) -> None:
    """Bytes, names and executable bits survive."""
    attempt = hand_in(store, snapshots, FILES)
    assert snapshots.files(attempt) == FILES


def test_no_file_is_a_snapshot_too(store: Store, snapshots: Snapshots) -> None:
    """A pattern that matches nothing is not the same as nothing kept."""
    attempt = hand_in(store, snapshots, {})
    assert snapshots.files(attempt) == {}


def test_what_was_not_kept_is_none(store: Store, snapshots: Snapshots) -> None:
    """An attempt without a snapshot says so; an unknown one is an error."""
    taken = claim(store)
    assert snapshots.files(taken.attempt.id) is None
    with pytest.raises(AttemptNotFound):
        snapshots.files("0" * 32)


def test_the_same_answer_takes_space_once(store: Store, snapshots: Snapshots) -> None:
    """Two students with the same files share the snapshot; one file in common is one blob."""
    first = hand_in(store, snapshots, FILES)
    second = hand_in(store, snapshots, FILES, place=OTHER)
    assert count(store, "snapshot") == 1
    assert count(store, "snapshot_blob") == len(FILES)
    other = {**FILES, "answer.py": OverlayFile(b"x = 2\n")}
    third = hand_in(store, snapshots, other)
    assert count(store, "snapshot") == 2
    assert count(store, "snapshot_blob") == len(FILES) + 1
    assert [snapshots.files(id) for id in (first, second, third)] == [FILES, FILES, other]


@pytest.mark.parametrize(
    "other",
    [
        {"a": OverlayFile(b"1", is_executable=True)},
        {"b": OverlayFile(b"1")},
        {"a": OverlayFile(b"2")},
        {"a": OverlayFile(b"1"), "b": OverlayFile(b"1")},
    ],
)
def test_what_differs_is_another_snapshot(
    store: Store, snapshots: Snapshots, other: Overlay
) -> None:
    """Name, bytes and executable bit each make another snapshot, also of the same bytes."""
    one = {"a": OverlayFile(b"1")}
    ids = [hand_in(store, snapshots, files) for files in (one, other)]
    assert [snapshots.files(id) for id in ids] == [one, other]


def test_a_lost_lease_keeps_nothing(store: Store, snapshots: Snapshots, clock: Clock) -> None:
    """A worker that was taken for dead cannot put its files in place of the other's."""
    slow = claim(store)
    clock.pass_s(31)
    fast = store.claim("fast", 30)
    assert fast is not None
    snapshots.keep(fast.attempt.id, fast.lease, FILES)
    with pytest.raises(LeaseLost):
        snapshots.keep(slow.attempt.id, slow.lease, {"a": OverlayFile(b"late")})
    assert snapshots.files(fast.attempt.id) == FILES
    store.finish(fast.attempt.id, fast.lease, PASSED, LESSON)
    with pytest.raises(LeaseLost):
        snapshots.keep(fast.attempt.id, fast.lease, {"a": OverlayFile(b"later")})


def test_the_last_try_counts(store: Store, snapshots: Snapshots) -> None:
    """What a further try takes stands in place of what an earlier one took."""
    taken = claim(store)
    snapshots.keep(taken.attempt.id, taken.lease, FILES)
    store.retry_later(taken.attempt.id, taken.lease, "Docker", 0.0)
    again = store.claim("w", 30)
    assert again is not None
    snapshots.keep(again.attempt.id, again.lease, {"a": OverlayFile(b"new")})
    assert snapshots.files(taken.attempt.id) == {"a": OverlayFile(b"new")}


def test_the_limit_of_one_attempt(store: Store, snapshots: Snapshots) -> None:
    """A snapshot of the limit is kept, one byte more is not, nor is what an earlier try took."""
    attempt = hand_in(store, snapshots, of_size(10_000))
    assert snapshots.files(attempt) is not None
    taken = claim(store)
    assert snapshots.keep(taken.attempt.id, taken.lease, FILES)
    assert not snapshots.keep(taken.attempt.id, taken.lease, of_size(10_001))
    assert snapshots.files(taken.attempt.id) is None


def test_names_and_empty_files_are_charged(store: Store, snapshots: Snapshots) -> None:
    """Many empty files with long names are not free."""
    attempt = hand_in(store, snapshots, {f"{n:0>1000}": OverlayFile(b"") for n in range(10)})
    assert snapshots.files(attempt) is None


def test_the_limit_of_a_student(store: Store, snapshots: Snapshots) -> None:
    """The oldest of the student go, what passed last of all, and nobody else's."""
    others = hand_in(store, snapshots, of_size(9_000, "o"), place=OTHER)
    passed = hand_in(store, snapshots, of_size(9_000, "p"), PASSED)
    older = hand_in(store, snapshots, of_size(9_000, "q"))
    newest = hand_in(store, snapshots, of_size(9_000, "r"))
    kept = [id for id in (others, passed, older, newest) if snapshots.files(id) is not None]
    assert kept == [others, passed, newest]


def test_the_same_answer_is_charged_once(store: Store, snapshots: Snapshots) -> None:
    """Who hands in the same files ten times loses nothing by it."""
    ids = [hand_in(store, snapshots, of_size(9_000)) for _ in range(4)]
    ids.append(hand_in(store, snapshots, of_size(9_000, "b")))
    assert all(snapshots.files(id) is not None for id in ids)


def test_old_snapshots_go(store: Store, snapshots: Snapshots, clock: Clock) -> None:
    """After the time of keeping the files are gone, and the attempt with its outcome stays."""
    old = hand_in(store, snapshots, {**FILES, "old": OverlayFile(b"old")})
    shared = hand_in(store, snapshots, FILES)
    clock.pass_s(29 * 86_400)
    young = hand_in(store, snapshots, FILES)
    assert snapshots.clean_up() == 0
    clock.pass_s(2 * 86_400)
    assert snapshots.clean_up() == 1
    assert [snapshots.files(id) for id in (old, shared, young)] == [None, None, FILES]
    assert count(store, "snapshot_blob") == len(FILES)
    assert store.attempt(old).outcome == FAILED


def test_the_snapshots_of_a_removed_student_go(store: Store, snapshots: Snapshots) -> None:
    """Nothing of a student stays whose progress is deleted."""
    hand_in(store, snapshots, of_size(5_000, "p"))
    stays = hand_in(store, snapshots, FILES, place=OTHER)
    with store.database.writing() as session:
        session.execute(text("DELETE FROM progress WHERE user_name = 'ada'"))
    assert snapshots.clean_up() == 1
    assert snapshots.files(stays) == FILES
    assert count(store, "snapshot_file") == count(store, "snapshot_blob") == len(FILES)


def test_clean_up_takes_much_in_pieces(store: Store, clock: Clock) -> None:
    """More than one piece is deleted, and to the last."""
    snapshots = Snapshots(store, LIMITS)
    for number in range(30):
        files = {str(n): OverlayFile(f"{number}-{n}".encode()) for n in range(15)}
        hand_in(store, snapshots, files, place=replace(PLACE, user=UserName(f"u{number}")))
    clock.pass_s(31 * 86_400)
    assert snapshots.clean_up() == 30
    for table in ("attempt_snapshot", "snapshot", "snapshot_file", "snapshot_blob"):
        assert count(store, table) == 0


def test_clean_up_comes_by_seldom(store: Store, clock: Clock) -> None:
    """Whoever asks each minute has it done each hour."""
    snapshots = Snapshots(store, LIMITS)
    hand_in(store, snapshots, FILES)
    snapshots.clean_up_hourly()
    clock.pass_s(31 * 86_400)
    snapshots.clean_up_hourly()
    assert count(store, "snapshot") == 1
    Snapshots(store, LIMITS).clean_up_hourly()
    assert count(store, "snapshot") == 0


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE snapshot_blob SET data = :data",
        "UPDATE snapshot_file SET path = 'other'",
        "UPDATE snapshot_file SET is_executable = NOT is_executable",
        "DELETE FROM snapshot_file",
    ],
)
def test_damage_is_noticed(store: Store, snapshots: Snapshots, damage: str) -> None:
    """Files that are not those that were handed in are not given."""
    attempt = hand_in(store, snapshots, {"a": OverlayFile(b"1")})
    with store.database.writing() as session:
        session.execute(text(damage), {"data": b"2"} if ":data" in damage else {})
    with pytest.raises(SnapshotDamaged):
        snapshots.files(attempt)


def test_blobs_are_what_their_names_say(store: Store, snapshots: Snapshots) -> None:
    """The key of a blob is the SHA-256 of its bytes, as any tool computes it."""
    hand_in(store, snapshots, {"a": OverlayFile(b"1")})
    with store.database.reading() as session:
        digests = session.execute(text("SELECT digest FROM snapshot_blob")).scalars().all()
    assert digests == [hashlib.sha256(b"1").hexdigest()]


def test_keeping_and_cleaning_at_once(make_url: Callable[[], str]) -> None:
    """Workers that keep the same files while others clean up lose none, whatever the order."""
    url = make_url()
    stores = [Store(url) for _ in range(4)]
    stores[0].migrate()
    pool = {name: OverlayFile(name.encode() * 50) for name in "abcdefgh"}

    def work(number: int) -> list[tuple[str, Overlay]]:
        store = stores[number % 4]
        snapshots = Snapshots(store, LIMITS)
        place = replace(PLACE, user=UserName(f"u{number}"))
        kept = []
        for round_ in range(8):
            snapshots.clean_up()
            store.submit(place, TWO, V1)
            taken = store.claim("w", 60)
            if taken is None:
                continue
            files = {name: pool[name] for name in sorted(pool)[round_ % 4 :: 2]}
            assert snapshots.keep(taken.attempt.id, taken.lease, files)
            kept.append((taken.attempt.id, files))
            if round_ % 2:
                # Put back and taken anew: what was kept may lose its last reference.
                assert snapshots.keep(taken.attempt.id, taken.lease, {"z": pool["a"]})
                kept[-1] = (taken.attempt.id, {"z": pool["a"]})
            store.finish(taken.attempt.id, taken.lease, FAILED, LESSON)
        return kept

    with ThreadPoolExecutor(4) as threads:
        kept = [pair for pairs in threads.map(work, range(4)) for pair in pairs]
    snapshots = Snapshots(stores[0], LIMITS)
    snapshots.clean_up()
    assert len(kept) >= 8
    for attempt, files in kept:
        assert snapshots.files(attempt) == files
    for store in stores:
        store.close()


def test_clean_up_waits_for_who_keeps(postgresql: PostgresServer) -> None:
    """PostgreSQL: what nobody refers to yet is not deleted while somebody is about to."""
    url = postgresql.make_migrated()
    store, other = Store(url), Store(url)
    snapshots = Snapshots(store, LIMITS)
    hand_in(store, snapshots, FILES)
    taken = claim(store, OTHER)
    with store.database.writing() as session:
        digest = session.execute(text("SELECT snapshot FROM attempt_snapshot")).scalar_one()
        session.execute(text("DELETE FROM attempt_snapshot"))
    cleaner = threading.Thread(target=Snapshots(other, LIMITS).clean_up)
    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with store.database.writing() as session:
        snapshots._hold_off_clean_up(session, shared=True)
        cleaner.start()
        until_s = time.monotonic() + 60
        while session.execute(waits).scalar_one() == 0:
            assert cleaner.is_alive(), "It did not wait."
            assert time.monotonic() < until_s
        session.execute(
            text(
                "INSERT INTO attempt_snapshot SELECT sequence, :digest, now() FROM attempt "
                "WHERE id = :id"
            ),
            {"digest": digest, "id": taken.attempt.id},
        )
    cleaner.join(60)
    assert snapshots.files(taken.attempt.id) == FILES
    for each in (store, other):
        each.close()
