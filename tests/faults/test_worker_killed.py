"""Workers are killed at random moments: no attempt is lost and none is judged twice."""

import random
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.model import OutcomeKind
from hexhub.events.model import EventName
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.progress.store import Store
from tests.faults.killable_worker import TESTS, running_workers
from tests.storage.course_folder import make_course

WORKERS = 3
KILLS = 20
AT_ONCE = 10
"""Attempts that are added for each kill."""
SEED = 20261124


def is_busy(engine: Engine, process_id: int | None) -> bool:
    """Tell whether a worker holds an attempt within the next moment."""
    query = text("SELECT count(*) FROM attempt WHERE state = 'running' AND worker LIKE :worker")
    until_s = time.monotonic() + 0.5
    while time.monotonic() < until_s:
        with engine.connect() as connection:
            if connection.execute(query, {"worker": f"%:{process_id}"}).scalar_one():
                return True
        time.sleep(0.01)
    return False


def test_workers_killed_at_random(tmp_path: Path) -> None:
    """Two hundred attempts get exactly one outcome each, while busy workers are killed."""
    source = make_course(tmp_path / "source")
    catalog = PublishedCatalog(tmp_path / "catalog")
    catalog.publish(source, read_course(source), {})
    url = f"sqlite:///{tmp_path / 'hexhub.sqlite'}"
    store = Store(url)
    store.migrate()
    engine = create_engine(url)
    version = catalog.course("tiny").version
    chance = random.Random(SEED)
    attempts: list[Attempt] = []

    def submit_some() -> None:
        for _ in range(AT_ONCE):
            user = UserName(f"u{len(attempts)}")
            place = Place(user, CourseName("tiny"), LessonName("first"))
            attempts.append(store.submit(place, StepName("one"), version)[0])

    with running_workers(WORKERS, url, tmp_path / "catalog") as workers:
        for _ in range(KILLS):
            victim = chance.randrange(WORKERS)
            submit_some()
            while not is_busy(engine, workers.processes[victim].pid):
                assert len(attempts) < 2000, "The worker takes nothing."
                submit_some()
            time.sleep(chance.uniform(0.0, 0.3))
            workers.kill(victim)
        until_s = time.monotonic() + 120
        while any(store.attempt(a.id).state is not AttemptState.DONE for a in attempts):
            assert time.monotonic() < until_s, "Attempts are stuck."
            time.sleep(0.2)

    assert len(attempts) >= 200
    finished = store.events(EventName.ATTEMPT_FINISHED)
    verdicts = Counter(event.data["attempt"] for event in finished)
    assert verdicts == Counter(attempt.id for attempt in attempts)
    done = [store.attempt(attempt.id) for attempt in attempts]
    assert any(attempt.tries > 1 for attempt in done), "no kill hit a check: the test shows nothing"
    passed = {a.place.user for a in done if a.outcome and a.outcome.kind is OutcomeKind.PASSED}
    for attempt in done:
        assert attempt.outcome is not None
        is_pass = attempt.place.user in passed
        # Three deaths in a row are possible, and then cost the student nothing.
        assert is_pass or (attempt.outcome.kind is OutcomeKind.UNGRADABLE and attempt.tries == 3)
        assert len(attempt.outcome.tests) == (TESTS if is_pass else 0)
        progress = store.progress(attempt.place)
        assert progress is not None
        assert set(progress.passed_at) == ({"one"} if is_pass else set())
    told = [event.data["user"] for event in store.events(EventName.STEP_PASSED)]
    assert sorted(map(str, told)) == sorted(passed)
    with engine.connect() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()
    store.close()
