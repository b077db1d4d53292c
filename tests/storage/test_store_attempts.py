"""The queue of attempts: joined, claimed, held, finished once."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.errors import AttemptNotFound, LeaseLost, SetupError, StoreError
from hexhub.events.model import EventName
from hexhub.names import StepName
from hexhub.progress.model import AttemptState
from hexhub.progress.queue import COULD_NOT_RUN, MAX_TRIES
from hexhub.progress.store import Store
from hexhub.progress.turns import MAX_LEASE_S

from .conftest import Clock
from .lessons import FAILED, LESSON, ONE, OTHER, PASSED, PLACE, TWO, V1, make_lesson
from .postgresql import PostgresServer


def names(store: Store) -> list[str]:
    """Give the names of all events, in order."""
    return [event.name.value for event in store.events()]


def test_submit_starts_the_lesson_and_queues(store: Store, clock: Clock) -> None:
    """The first attempt makes the progress row, with its event, and waits in the queue."""
    attempt, is_new = store.submit(PLACE, ONE, V1)
    assert is_new
    assert attempt.state is AttemptState.QUEUED
    assert (attempt.place, attempt.step, attempt.version) == (PLACE, ONE, V1)
    assert attempt.requested_at == clock.now
    assert attempt.outcome is None
    assert store.attempt(attempt.id) == attempt
    assert names(store) == ["lesson_started"]


def test_submit_joins_while_queued_or_running(store: Store) -> None:
    """A second request joins the attempt until that is done; then a new one is made."""
    first, _ = store.submit(PLACE, ONE, V1)
    assert store.submit(PLACE, ONE, V1) == (first, False)
    claim = store.claim("w", 30)
    assert claim is not None
    joined, is_new = store.submit(PLACE, ONE, V1)
    assert (joined.id, joined.state, is_new) == (first.id, AttemptState.RUNNING, False)
    store.finish(first.id, claim.lease, FAILED, LESSON)
    second, is_new = store.submit(PLACE, ONE, V1)
    assert is_new
    assert second.id != first.id


def test_other_steps_and_students_do_not_join(store: Store) -> None:
    """Attempts are joined only for the same student, lesson and step."""
    ids = {store.submit(place, step, V1)[0].id for place in (PLACE, OTHER) for step in (ONE, TWO)}
    assert len(ids) == 4


def test_many_requests_at_once_make_one_attempt(database_url: str) -> None:
    """Fifty requests at once, through several stores as in several processes: one attempt."""
    stores = [Store(database_url) for _ in range(5)]
    barrier = threading.Barrier(25)

    def submit(number: int) -> tuple[str, bool]:
        barrier.wait()
        attempt, is_new = stores[number % 5].submit(PLACE, ONE, V1)
        return attempt.id, is_new

    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(submit, range(50)))
    assert len({attempt_id for attempt_id, _ in answers}) == 1
    assert sum(is_new for _, is_new in answers) == 1
    assert names(stores[0]) == ["lesson_started"]
    for store in stores:
        store.close()


def test_requests_while_attempts_finish(database_url: str) -> None:
    """Requests that race with verdicts each get an attempt, and at most one is ever open."""
    store = Store(database_url)
    stop = threading.Event()

    def grade() -> int:
        graded = 0
        while not stop.is_set():
            claim = store.claim("w", 30)
            if claim is not None:
                store.finish(claim.attempt.id, claim.lease, FAILED, LESSON)
                graded += 1
        return graded

    with ThreadPoolExecutor(6) as pool:
        graders = [pool.submit(grade) for _ in range(2)]
        made = [
            is_new for _, is_new in pool.map(lambda _: store.submit(PLACE, ONE, V1), range(150))
        ]
        while store.last_attempts(PLACE)[ONE].state is not AttemptState.DONE:
            pass
        stop.set()
        graded = sum(grader.result() for grader in graders)
    assert graded == sum(made) == len(store.attempts(PLACE))
    store.close()


def test_queue_order_and_position(store: Store, clock: Clock) -> None:
    """Attempts are taken in the order they came, also when the clock steps back."""
    first, _ = store.submit(PLACE, ONE, V1)
    clock.pass_s(-3600)
    second, _ = store.submit(OTHER, ONE, V1)
    assert store.queue_position(first.id) == 1
    assert store.queue_position(second.id) == 2
    claim = store.claim("w", 30)
    assert claim is not None
    assert claim.attempt.id == first.id
    assert store.queue_position(first.id) is None
    assert store.queue_position(second.id) == 1


def test_claim_takes_each_once(database_url: str) -> None:
    """Eight workers that claim at once never get the same attempt."""
    store = Store(database_url)
    wanted = {store.submit(PLACE, StepName(f"s{number}"), V1)[0].id for number in range(40)}

    def take(_: int) -> list[str]:
        taken = []
        while (claim := store.claim("w", 30)) is not None:
            taken.append(claim.attempt.id)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [attempt_id for part in pool.map(take, range(8)) for attempt_id in part]
    assert len(taken) == len(set(taken))
    # With SKIP LOCKED a worker may see nothing while another is about to take the last ones.
    assert set(taken) == wanted
    store.close()


def test_claim_of_nothing(store: Store) -> None:
    """An empty queue gives None, and a lease must be of a sane length."""
    assert store.claim("w", 30) is None
    with pytest.raises(StoreError):
        store.claim("w", MAX_LEASE_S + 1)


def test_finish_stores_the_whole_outcome(store: Store, clock: Clock) -> None:
    """What the grader says comes back field by field, in the order of the report."""
    store.submit(PLACE, ONE, V1)
    clock.pass_s(2)
    claim = store.claim("w", 30)
    assert claim is not None
    assert claim.attempt.tries == 1
    clock.pass_s(3)
    done = store.finish(claim.attempt.id, claim.lease, FAILED, LESSON)
    assert done.state is AttemptState.DONE
    assert done.outcome == FAILED
    assert done.finished_at == clock.now
    assert store.attempt(done.id) == done
    assert store.last_attempts(PLACE) == {ONE: done}
    event = store.events()[-1]
    assert event.name is EventName.ATTEMPT_FINISHED
    assert event.data == {
        "user": "ada",
        "course": "tiny",
        "lesson": "first",
        "step": "one",
        "version": "v1",
        "attempt": done.id,
        "outcome": "failed",
        "tries": 1,
        "waited_s": 2.0,
        "duration_s": 2.5,
        "tests": 2,
        "tests_passed": 1,
        "failing_tests": ["t::a"],
    }


def test_finish_takes_any_text_and_number(store: Store) -> None:
    """NUL, half surrogates, NaN and infinity in a report do not lose the verdict."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    odd = Outcome(
        OutcomeKind.FAILED,
        message="a\0b",
        tests=(
            TestResult(
                "t\0", "n\ud800", TestOutcome.FAILED, points=float("nan"), max_points=float("inf")
            ),
        ),
        duration_s=float("nan"),
    )
    store.finish(claim.attempt.id, claim.lease, odd, LESSON)
    outcome = store.attempt(claim.attempt.id).outcome
    assert outcome is not None
    assert outcome.message == "a\ufffdb"
    assert outcome.tests[0].id == "t\ufffd"
    assert (outcome.tests[0].points, outcome.tests[0].max_points, outcome.duration_s) == (0, 0, 0)


def test_pass_and_finish_are_one_transaction(store: Store, clock: Clock) -> None:
    """A pass passes the step; the last one finishes the lesson; each tells so once."""
    started_at = clock.now
    for step, seconds in ((ONE, 10), (TWO, 20), (TWO, 30)):
        store.submit(PLACE, step, V1)
        clock.pass_s(seconds)
        claim = store.claim("w", 30)
        assert claim is not None
        store.finish(claim.attempt.id, claim.lease, PASSED, LESSON)
    progress = store.progress(PLACE)
    assert progress is not None
    assert progress.started_at == started_at
    assert [(at - started_at).total_seconds() for at in progress.passed_at.values()] == [10, 30]
    assert progress.finished_at == progress.passed_at[TWO]
    assert names(store) == [
        "lesson_started",
        "attempt_finished",
        "step_passed",
        "attempt_finished",
        "step_passed",
        "lesson_finished",
        "attempt_finished",
    ]
    passed = store.events(EventName.STEP_PASSED)[0]
    assert passed.data["is_checked"] is True
    assert (passed.data["attempts"], passed.data["hints"]) == (1, 0)
    assert passed.data["since_start_s"] == 10
    assert store.events(EventName.LESSON_FINISHED)[0].data["attempts"] == 2


def test_two_last_steps_at_once_finish_the_lesson(database_url: str) -> None:
    """Two steps that pass in the same moment finish the lesson exactly once."""
    store = Store(database_url)
    for number in range(10):
        place = replace(PLACE, user=type(PLACE.user)(f"user-{number}"))
        claims = []
        for step in (ONE, TWO):
            store.submit(place, step, V1)
            claims.append(store.claim("w", 30))
        barrier = threading.Barrier(2)

        def finish(claim: object, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            store.finish(claim.attempt.id, claim.lease, PASSED, LESSON)  # type: ignore[attr-defined]

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(finish, claims))
        progress = store.progress(place)
        assert progress is not None
        assert progress.finished_at is not None
    assert len(store.events(EventName.LESSON_FINISHED)) == 10
    store.close()


def test_finished_stays_when_a_version_adds_a_step(store: Store, clock: Clock) -> None:
    """A lesson that was finished stays so; the added step can still be passed."""
    three = StepName("three")
    for step in (ONE, TWO):
        store.pass_step(PLACE, step, V1, LESSON)
    first = store.progress(PLACE)
    clock.pass_s(60)
    then = store.pass_step(PLACE, three, V1, make_lesson(ONE, TWO, three))
    assert first is not None
    assert then.finished_at == first.finished_at
    assert set(then.passed_at) == {ONE, TWO, three}
    assert len(store.events(EventName.LESSON_FINISHED)) == 1


def test_a_failing_event_undoes_the_verdict(store: Store, database_url: str) -> None:
    """A verdict whose event cannot be stored is not stored either."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE event RENAME TO away"))
    with pytest.raises(StoreError):
        store.finish(claim.attempt.id, claim.lease, PASSED, LESSON)
    progress = store.progress(PLACE)
    assert progress is not None
    assert progress.passed_at == {}
    assert store.attempt(claim.attempt.id).state is AttemptState.RUNNING
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO event"))
    engine.dispose()
    assert store.finish(claim.attempt.id, claim.lease, PASSED, LESSON).outcome == PASSED


def test_a_lost_lease_stores_nothing(store: Store, clock: Clock) -> None:
    """After the lease is over and another worker has the attempt, the first one's word is void."""
    store.submit(PLACE, ONE, V1)
    old = store.claim("a", 30)
    assert old is not None
    assert store.claim("b", 30) is None
    clock.pass_s(31)
    new = store.claim("b", 30)
    assert new is not None
    assert (new.attempt.id, new.attempt.tries) == (old.attempt.id, 2)
    with pytest.raises(LeaseLost):
        store.finish(old.attempt.id, old.lease, PASSED, LESSON)
    with pytest.raises(LeaseLost):
        store.heartbeat(old.attempt.id, old.lease, 30)
    with pytest.raises(LeaseLost):
        store.give_up(old.attempt.id, old.lease, "x")
    with pytest.raises(LeaseLost):
        store.retry_later(old.attempt.id, old.lease, "x", 1)
    with pytest.raises(LeaseLost):
        store.release(old.attempt.id, old.lease)
    store.finish(new.attempt.id, new.lease, FAILED, LESSON)
    with pytest.raises(LeaseLost):
        store.finish(new.attempt.id, new.lease, PASSED, LESSON)
    assert store.attempt(old.attempt.id).outcome == FAILED
    assert names(store).count("attempt_finished") == 1


def test_a_late_verdict_counts_while_nobody_else_has_it(store: Store, clock: Clock) -> None:
    """A lease that is over but not taken still stores: the fence is the lease, not the clock."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("a", 30)
    assert claim is not None
    clock.pass_s(300)
    assert store.finish(claim.attempt.id, claim.lease, PASSED, LESSON).outcome == PASSED


def test_heartbeat_holds(store: Store, clock: Clock) -> None:
    """A heartbeat keeps other workers away for another lease."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("a", 30)
    assert claim is not None
    for _ in range(5):
        clock.pass_s(20)
        store.heartbeat(claim.attempt.id, claim.lease, 30)
        assert store.claim("b", 30) is None
    clock.pass_s(31)
    assert store.claim("b", 30) is not None


def test_a_clock_that_steps_back_holds_nothing_for_ever(store: Store, clock: Clock) -> None:
    """A lease or a pause that ends absurdly late counts as over."""
    store.submit(PLACE, ONE, V1)
    first = store.claim("a", 30)
    assert first is not None
    clock.pass_s(-7200)
    second = store.claim("b", 30)
    assert second is not None
    store.retry_later(second.attempt.id, second.lease, "x", 30)
    clock.pass_s(-7200)
    assert store.claim("c", 30) is not None


def test_three_deaths_give_up(store: Store, clock: Clock) -> None:
    """After three workers died with it an attempt ends ungradable, and the author reads why."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    for _ in range(MAX_TRIES):
        assert store.claim("w", 30) is not None
        clock.pass_s(31)
    assert store.claim("w", 30) is None
    done = store.attempt(attempt.id)
    assert done.outcome == Outcome(OutcomeKind.UNGRADABLE, message=COULD_NOT_RUN)
    assert done.tries == MAX_TRIES
    [(seen, reason)] = store.ungradable(PLACE.course)
    assert seen == done
    assert reason == "The worker ended or hung in each of 3 tries."
    assert store.events()[-1].data["outcome"] == "ungradable"
    assert store.submit(PLACE, ONE, V1)[1]


def test_retry_later_waits_and_ends(store: Store, clock: Clock) -> None:
    """A failed try waits its pause; the third one ends the attempt with its reason."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    for number in (1, 2, 3):
        claim = store.claim("w", 30)
        assert claim is not None
        after = store.retry_later(attempt.id, claim.lease, f"Docker is away {number}", 5)
        if number < MAX_TRIES:
            assert after.state is AttemptState.QUEUED
            assert store.claim("w", 30) is None
            clock.pass_s(5.1)
    assert after.outcome is not None
    assert after.outcome.kind is OutcomeKind.UNGRADABLE
    assert store.ungradable(PLACE.course)[0][1] == "Docker is away 3"


def test_release_costs_no_try(store: Store) -> None:
    """A worker that is stopped gives back what it holds as if it had not taken it."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    for _ in range(5):
        claim = store.claim("w", 30)
        assert claim is not None
        store.release(attempt.id, claim.lease)
        assert store.attempt(attempt.id).tries == 0
        assert store.queue_position(attempt.id) == 1


def test_give_up_says_what_it_is_told(store: Store) -> None:
    """The student reads the message, the author the reason."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    done = store.give_up(claim.attempt.id, claim.lease, "container gone", "Start your machine.")
    assert done.outcome == Outcome(OutcomeKind.UNGRADABLE, message="Start your machine.")
    assert store.ungradable(PLACE.course) == [(done, "container gone")]


def test_attempts_of_a_place(store: Store) -> None:
    """Finished attempts come oldest first, for the lesson or for one step of it."""
    made = []
    for step in (ONE, TWO, ONE):
        store.submit(PLACE, step, V1)
        claim = store.claim("w", 30)
        assert claim is not None
        made.append(store.finish(claim.attempt.id, claim.lease, FAILED, LESSON))
    queued, _ = store.submit(PLACE, TWO, V1)
    assert store.attempts(PLACE) == made
    assert store.attempts(PLACE, ONE) == [made[0], made[2]]
    assert store.attempts(OTHER) == []
    assert store.last_attempts(PLACE) == {ONE: made[2], TWO: queued}


def test_unknown_attempt(store: Store) -> None:
    """An id that is not there is said so."""
    with pytest.raises(AttemptNotFound, match="No attempt 'nope'"):
        store.attempt("nope")
    with pytest.raises(AttemptNotFound):
        store.finish("nope", "x", PASSED, LESSON)


def test_sqlite_that_cannot_write(tmp_path: Path) -> None:
    """A database that refuses is a StoreError that says what, and nothing is stored."""
    path = tmp_path / "full.sqlite"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.submit(PLACE, ONE, V1)
    with store.database.reader.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    store.close()

    full = Store(f"sqlite:///{path}")

    @event.listens_for(full.database.reader, "connect")
    def limit(connection: object, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")  # type: ignore[attr-defined]

    def fill() -> None:
        for number in range(1000):
            full.submit(PLACE, StepName(f"s{number}"), V1)

    with pytest.raises(StoreError, match="full"):
        fill()
    full.close()
    again = Store(f"sqlite:///{path}")
    assert again.submit(PLACE, StepName("after"), V1)[1]
    again.close()


@pytest.mark.parametrize(
    "url",
    ["mysql+pymysql://x/y", "sqlite://", "sqlite:///:memory:"],
    ids=["mysql", "none", "memory"],
)
def test_other_databases_are_refused(url: str) -> None:
    """Anything but an SQLite file or PostgreSQL is refused with a way out."""
    with pytest.raises(SetupError, match="HEXHUB_DATABASE_URL"):
        Store(url)


def test_a_database_without_tables(make_url: Callable[[], str]) -> None:
    """Without migrate every call is a StoreError, not a driver's exception."""
    store = Store(make_url())
    with pytest.raises(StoreError):
        store.submit(PLACE, ONE, V1)
    store.close()


def test_postgresql_restarts(postgresql: PostgresServer) -> None:
    """When PostgreSQL is killed and comes back, calls fail cleanly and then go on."""
    store = Store(postgresql.make_migrated())
    attempt, _ = store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    postgresql.crash()
    with pytest.raises(StoreError):
        store.finish(attempt.id, claim.lease, PASSED, LESSON)
    postgresql.start()
    assert store.finish(attempt.id, claim.lease, PASSED, LESSON).outcome == PASSED
    assert names(store).count("attempt_finished") == 1
    store.close()
