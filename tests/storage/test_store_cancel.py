"""Attempts that their students cancel, and those that are asked for twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from hexhub.catalog.images import MAX_IMAGE_BYTES, find_image
from hexhub.catalog.model import Hint, Text
from hexhub.checks.model import OutcomeKind
from hexhub.errors import AttemptNotFound, LeaseLost
from hexhub.names import UserName
from hexhub.progress.model import AttemptState, hint_refusal
from hexhub.progress.store import Store
from hexhub.usecases.cancel_attempt import cancel_attempt

from .lessons import FAILED, LESSON, ONE, OTHER, PASSED, PLACE, V1

KEY = "0123456789abcdef" * 2


def test_a_waiting_attempt_is_cancelled_and_not_claimed(store: Store) -> None:
    """Cancelled before a worker took it, it is done at once, and no worker gets it."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    cancelled = store.cancel(attempt.id)
    assert cancelled.state is AttemptState.DONE
    assert cancelled.is_cancelled
    assert cancelled.outcome is not None
    assert cancelled.outcome.kind is OutcomeKind.UNGRADABLE
    assert store.claim("w", 30) is None


def test_the_verdict_on_a_cancelled_attempt_is_dropped(store: Store) -> None:
    """Cancelled while it runs, the worker's pass finds no lease: nothing is passed."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    store.cancel(attempt.id)
    with pytest.raises(LeaseLost):
        store.finish(attempt.id, claim.lease, PASSED, LESSON)
    progress = store.progress(PLACE)
    assert progress is not None
    assert not progress.passed_at
    again, is_new = store.submit(PLACE, ONE, V1)
    assert is_new
    assert again.id != attempt.id


def test_a_verdict_that_was_faster_stays(store: Store) -> None:
    """Cancelling what is done changes nothing."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    done = store.finish(attempt.id, claim.lease, PASSED, LESSON)
    assert store.cancel(attempt.id) == done
    assert not done.is_cancelled


def test_nobody_cancels_what_is_not_theirs(store: Store) -> None:
    """Another student's attempt is as if it were not there."""
    attempt, _ = store.submit(PLACE, ONE, V1)
    with pytest.raises(AttemptNotFound):
        cancel_attempt(store, UserName("mallory"), attempt.id)
    with pytest.raises(AttemptNotFound):
        cancel_attempt(store, PLACE.user, "0" * 32)
    assert store.attempt(attempt.id).state is AttemptState.QUEUED


def test_a_cancelled_attempt_opens_no_hint(store: Store) -> None:
    """It counts for nothing: neither towards hints nor among what authors must look into."""
    store.cancel(store.submit(PLACE, ONE, V1)[0].id)
    hint = Hint(Text({"en": "Look."}), after_attempts=1)
    attempts = store.attempts(PLACE, ONE)
    assert len(attempts) == 1
    now = store.now()
    assert hint_refusal(hint, attempts=attempts, started_at=now, now=now) is not None
    assert store.ungradable(PLACE.course) == []


def test_one_press_that_is_sent_twice_is_one_attempt(store: Store) -> None:
    """With its key a request gives the first attempt, while it runs and when it is done."""
    first, is_new = store.submit(PLACE, ONE, V1, KEY)
    assert is_new
    assert store.submit(PLACE, ONE, V1, KEY) == (first, False)
    claim = store.claim("w", 30)
    assert claim is not None
    done = store.finish(first.id, claim.lease, FAILED, LESSON)
    assert store.submit(PLACE, ONE, V1, KEY) == (done, False)
    second, is_new = store.submit(PLACE, ONE, V1, KEY[::-1])
    assert is_new
    assert second.id != first.id


def test_a_key_of_another_student_finds_nothing(store: Store) -> None:
    """The same key of two students is two attempts."""
    one, _ = store.submit(PLACE, ONE, V1, KEY)
    other, is_new = store.submit(OTHER, ONE, V1, KEY)
    assert is_new
    assert other.id != one.id


def test_pictures_are_found_by_language_and_nothing_else_is(tmp_path: Path) -> None:
    """A picture is taken in the best language; what is no picture, or elsewhere, is not there."""
    base = tmp_path / "lessons" / LESSON.name
    for folder in ("ru/images", "en/images", "images", "checks"):
        (base / folder).mkdir(parents=True)
    (base / "ru/images/a.png").write_bytes(b"ru")
    (base / "en/images/a.png").write_bytes(b"en")
    (base / "images/b.svg").write_bytes(b"<svg/>")
    (base / "images/c.py").write_bytes(b"secret")
    (base / "images/big.png").write_bytes(b"x" * (MAX_IMAGE_BYTES + 1))
    (base / "checks/d.png").write_bytes(b"secret")
    lesson = replace(LESSON)

    def found(name: str, *locales: str) -> bytes | None:
        image = find_image(tmp_path, lesson, name, locales)
        return None if image is None else image.data

    assert found("a.png", "ru", "en") == b"ru"
    assert found("a.png", "de", "en") == b"en"
    assert found("b.svg", "ru") == b"<svg/>"
    for name in ("c.py", "big.png", "../checks/d.png", "d.png", "..", ".png", ""):
        assert found(name, "ru", "en") is None
