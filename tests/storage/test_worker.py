"""The worker's loop on real databases, with graders that are plain functions."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.errors import CheckAbandoned, DockerUnavailable
from hexhub.names import CourseName, LessonName, StepName, UserName, Version
from hexhub.progress.model import Attempt, AttemptState, Claim, Place
from hexhub.progress.queue import MAX_TRIES
from hexhub.progress.store import Store
from hexhub.progress.waking import make_waker
from hexhub.worker import Worker

from .course_folder import make_course
from .lessons import FAILED, PASSED
from .postgresql import PostgresServer

PLACE = Place(UserName("ada"), CourseName("tiny"), LessonName("first"))
ONE = StepName("one")


@pytest.fixture
def catalog(tmp_path: Path) -> PublishedCatalog:
    """Give a catalog with the tiny course."""
    source = make_course(tmp_path / "source")
    made = PublishedCatalog(tmp_path / "catalog")
    made.publish(source, read_course(source), {})
    return made


@pytest.fixture
def live(database_url: str) -> Iterator[Store]:
    """Give a store on the real clock: leases must run out by themselves."""
    store = Store(database_url)
    yield store
    store.close()


@contextmanager
def running(worker: Worker) -> Iterator[Worker]:
    """Run a worker in a thread while the block lasts."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()


def wait_for(is_so: Callable[[], bool], timeout_s: float = 30) -> None:
    """Return when something is so."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "It did not come about in time."
        time.sleep(0.02)


def submit(store: Store, catalog: PublishedCatalog, number: int = 0) -> Attempt:
    """Queue an attempt of one of many students."""
    place = replace(PLACE, user=UserName(f"u{number}"))
    return store.submit(place, ONE, catalog.course("tiny").version)[0]


def is_done(store: Store, attempt: Attempt) -> bool:
    """Tell whether an attempt has its outcome."""
    return store.attempt(attempt.id).state is AttemptState.DONE


class Grader:
    """Passes after a while, and counts who is in it."""

    def __init__(self, duration_s: float = 0.0) -> None:
        self.duration_s = duration_s
        self.running = 0
        self.most = 0
        self.calls = 0
        self._lock = threading.Lock()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the block as a check that runs."""
        with self._lock:
            self.calls += 1
            self.running += 1
            self.most = max(self.most, self.running)
        yield
        with self._lock:
            self.running -= 1

    def __call__(self, *_: object) -> Outcome:
        with self.counted():
            time.sleep(self.duration_s)
        return PASSED


def test_a_few_at_a_time(live: Store, catalog: PublishedCatalog) -> None:
    """All attempts are graded, as many at once as there are slots, never more."""
    grader, both = Grader(), threading.Barrier(2)

    def grade(*_: object) -> Outcome:
        with grader.counted():
            both.wait(60)
        return PASSED

    attempts = [submit(live, catalog, number) for number in range(8)]
    with running(Worker(live, catalog, grade, slots=2)):
        wait_for(lambda: all(is_done(live, attempt) for attempt in attempts), 60)
    assert grader.most == 2
    assert grader.calls == 8


def test_an_attempt_is_taken_soon(live: Store, catalog: PublishedCatalog) -> None:
    """A waiting worker takes a new attempt within a fraction of a second."""
    with running(Worker(live, catalog, Grader())):
        time.sleep(0.3)
        attempt = submit(live, catalog)
        wait_for(lambda: is_done(live, attempt), 5)
        done = live.attempt(attempt.id)
    assert done.finished_at is not None
    assert (done.finished_at - done.requested_at).total_seconds() < 2


def test_heartbeats_keep_a_long_check(live: Store, catalog: PublishedCatalog) -> None:
    """A check that runs longer than the lease is not taken by a second worker."""
    grader = Grader(3.0)
    attempt = submit(live, catalog)
    with (
        running(Worker(live, catalog, grader, lease_s=1.0)),
        running(Worker(live, catalog, grader, lease_s=1.0)),
    ):
        wait_for(lambda: is_done(live, attempt))
    assert grader.calls == 1
    assert live.attempt(attempt.id).tries == 1


def test_a_bug_costs_one_try(live: Store, catalog: PublishedCatalog) -> None:
    """A grader that raises anything leaves the worker running and the attempt in the queue."""

    def grade(claim: Claim, *_: object) -> Outcome:
        if claim.attempt.place.user == "u0":
            raise ZeroDivisionError("a bug")
        return PASSED

    broken, fine = submit(live, catalog, 0), submit(live, catalog, 1)
    with running(Worker(live, catalog, grade)):
        wait_for(lambda: is_done(live, fine))
        wait_for(lambda: live.attempt(broken.id).tries == 1)
        wait_for(lambda: live.attempt(broken.id).state is AttemptState.QUEUED)


def test_docker_that_comes_back(live: Store, catalog: PublishedCatalog) -> None:
    """A fault of ours that is gone at the second try costs the student two seconds."""
    calls: list[int] = []

    def grade(*_: object) -> Outcome:
        calls.append(1)
        if len(calls) == 1:
            raise DockerUnavailable("no socket")
        return FAILED

    attempt = submit(live, catalog)
    with running(Worker(live, catalog, grade)):
        wait_for(lambda: is_done(live, attempt))
    done = live.attempt(attempt.id)
    assert (done.outcome, done.tries) == (FAILED, 2)


def test_a_hung_check_is_given_free(live: Store, catalog: PublishedCatalog) -> None:
    """A check that never comes back loses its slot and its lease, and is run again."""
    release = threading.Event()
    calls: list[int] = []

    def grade(*_: object) -> Outcome:
        calls.append(1)
        if len(calls) == 1:
            release.wait(60)
        return PASSED

    attempt = submit(live, catalog)
    # The check's own limit is 20 s, which overtime_s makes short here.
    with running(Worker(live, catalog, grade, slots=1, lease_s=0.6, overtime_s=-19.5, grace_s=0.5)):
        wait_for(lambda: is_done(live, attempt))
        release.set()
    done = live.attempt(attempt.id)
    assert done.outcome == PASSED
    assert done.tries == 2


def test_too_many_hung_checks_end_the_worker(live: Store, catalog: PublishedCatalog) -> None:
    """A worker full of hung threads ends, so that a fresh one is started; attempts still end."""
    release = threading.Event()

    def grade(*_: object) -> Outcome:
        release.wait(120)
        return PASSED

    attempts = [submit(live, catalog, number) for number in range(3)]
    worker = Worker(live, catalog, grade, slots=3, lease_s=0.3, overtime_s=-19.9, grace_s=0.1)
    try:
        assert worker.run() is False
        assert all(live.attempt(attempt.id).tries == MAX_TRIES for attempt in attempts)
        time.sleep(0.4)
        assert live.claim("next", 30) is None
        for attempt in attempts:
            outcome = live.attempt(attempt.id).outcome
            assert outcome is not None
            assert outcome.kind is OutcomeKind.UNGRADABLE
    finally:
        release.set()
    wait_for(lambda: all(not t.name.startswith("attempt-") for t in threading.enumerate()))


def test_a_cancelled_check_is_ended_and_its_slot_free(
    live: Store, catalog: PublishedCatalog
) -> None:
    """What runs for a cancelled attempt is told so, long before its own end; the next one runs."""

    def grade(claim: Claim, *_: object) -> Outcome:
        if claim.attempt.place.user == "u0":
            assert claim.lost.wait(60)
            raise CheckAbandoned("cancelled")
        return PASSED

    cancelled, other = submit(live, catalog, 0), submit(live, catalog, 1)
    with running(Worker(live, catalog, grade, slots=1)):
        wait_for(lambda: live.attempt(cancelled.id).state is AttemptState.RUNNING)
        live.cancel(cancelled.id)
        wait_for(lambda: is_done(live, other), 50)
    after = live.attempt(cancelled.id)
    assert after.is_cancelled
    assert after.outcome is not None
    assert after.outcome.kind is OutcomeKind.UNGRADABLE
    assert live.attempt(other.id).outcome == PASSED


def test_one_student_leaves_a_slot_to_others(live: Store, catalog: PublishedCatalog) -> None:
    """While all that one student may have at a time hangs, another one's check runs."""
    end = threading.Event()
    began: list[str] = []

    def grade(claim: Claim, *_: object) -> Outcome:
        user = claim.attempt.place.user
        began.append(user)
        if user == "u0":
            end.wait(60)
        return PASSED

    greedy = replace(PLACE, user=UserName("u0"))
    version = catalog.course("tiny").version
    mine = [live.submit(greedy, StepName(step), version)[0] for step in ("one", "two", "three")]
    with running(Worker(live, catalog, grade, slots=3)):
        wait_for(lambda: began == ["u0", "u0"])
        other = submit(live, catalog, 1)
        wait_for(lambda: is_done(live, other))
        assert began == ["u0", "u0", "u1"]
        end.set()
        wait_for(lambda: all(is_done(live, attempt) for attempt in mine))


def test_stop_lets_checks_end(live: Store, catalog: PublishedCatalog) -> None:
    """A stopped worker takes nothing new and stores the verdicts of what runs."""
    grader = Grader(0.5)
    first, second = submit(live, catalog, 0), submit(live, catalog, 1)
    with running(Worker(live, catalog, grader, slots=1)):
        wait_for(lambda: grader.running == 1)
    assert live.attempt(first.id).outcome == PASSED
    assert live.attempt(second.id).state is AttemptState.QUEUED


def test_stop_releases_what_takes_too_long(live: Store, catalog: PublishedCatalog) -> None:
    """What does not end in the grace time goes back into the queue; its late verdict is void."""
    grader = Grader(2.0)
    attempt = submit(live, catalog)
    with running(Worker(live, catalog, grader, grace_s=0.2)):
        wait_for(lambda: grader.running == 1)
    after = live.attempt(attempt.id)
    assert (after.state, after.tries) == (AttemptState.QUEUED, 0)
    wait_for(lambda: grader.running == 0)
    wait_for(lambda: all(not t.name.startswith("attempt-") for t in threading.enumerate()))
    assert live.attempt(attempt.id).state is AttemptState.QUEUED


def test_leftovers_are_removed_and_may_fail(live: Store, catalog: PublishedCatalog) -> None:
    """Cleaning up runs at the start; whatever it raises does not end the worker."""
    calls: list[int] = []

    def clean_up() -> None:
        calls.append(1)
        raise DockerUnavailable("no socket")

    attempt = submit(live, catalog)
    with running(Worker(live, catalog, Grader(), clean_up=clean_up)):
        wait_for(lambda: is_done(live, attempt))
    assert calls == [1]


def test_an_unknown_step_is_ungradable(live: Store, catalog: PublishedCatalog) -> None:
    """An attempt that no version knows ends, and does not go round."""
    attempt, _ = live.submit(PLACE, StepName("nine"), catalog.course("tiny").version)
    gone, _ = live.submit(PLACE, ONE, Version("0" * 12))
    with running(Worker(live, catalog, Grader())):
        wait_for(lambda: is_done(live, attempt) and is_done(live, gone))
    outcome = live.attempt(gone.id).outcome
    assert outcome is not None
    assert outcome.kind is OutcomeKind.UNGRADABLE


def test_the_database_goes_away_and_comes_back(
    postgresql: PostgresServer, catalog: PublishedCatalog
) -> None:
    """While PostgreSQL is killed and restarted, every attempt still gets exactly one outcome."""
    store = Store(postgresql.make_migrated())
    attempts = [submit(store, catalog, number) for number in range(30)]
    with running(Worker(store, catalog, Grader(0.1), lease_s=2.0)):
        for _ in range(2):
            time.sleep(0.4)
            postgresql.crash()
            time.sleep(0.4)
            postgresql.start()
        wait_for(lambda: all(is_done(store, attempt) for attempt in attempts), 60)
    told = [event.data["attempt"] for event in store.events() if "attempt" in event.data]
    assert sorted(told) == sorted(attempt.id for attempt in attempts)
    assert all(store.attempt(attempt.id).outcome == PASSED for attempt in attempts)
    store.close()


def test_a_free_slot_is_used_at_once(live: Store, catalog: PublishedCatalog) -> None:
    """When a check ends, the next begins, however seldom the queue is looked into."""
    attempts = [submit(live, catalog, number) for number in range(3)]
    worker = Worker(
        live,
        catalog,
        Grader(0.05),
        slots=1,
        poll_s=600.0,
        wait_for_news=lambda _: time.sleep(0.02),
    )
    with running(worker):
        wait_for(lambda: all(is_done(live, attempt) for attempt in attempts))


def test_news_are_taken_at_once(live: Store, catalog: PublishedCatalog, database_url: str) -> None:
    """An attempt wakes the worker, however seldom the queue is looked into."""
    waker = make_waker(database_url)
    worker = Worker(live, catalog, Grader(), poll_s=600.0, wait_for_news=waker.wait)
    with running(worker):
        for number in range(3):
            attempt = submit(live, catalog, number)
            wait_for(lambda attempt=attempt: is_done(live, attempt))  # type: ignore[misc]
        worker.stop()
        submit(live, catalog, 3)
    waker.close()
