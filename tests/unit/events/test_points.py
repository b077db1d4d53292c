"""What of an event reaches InfluxDB."""

from dataclasses import replace
from datetime import UTC, datetime

from hexhub.events.model import Event, EventName
from hexhub.events.pseudonym import make_pseudonym
from hexhub.events.schemas import make_event
from hexhub.events.sink import make_point

KEY = b"k" * 24
AT = datetime(2026, 11, 24, 10, 0, 0, 123456, tzinfo=UTC)


def finished(user: str = "ada", sequence: int = 7) -> Event:
    """Give an attempt_finished event as it comes from the outbox."""
    event = make_event(
        EventName.ATTEMPT_FINISHED,
        AT,
        {
            "user": user,
            "course": "c",
            "lesson": "a lesson",
            "step": "s",
            "version": "v",
            "attempt": "x",
            "outcome": "failed",
            "tries": 1,
            "waited_s": 1,
            "duration_s": 0.5,
            "tests": 2,
            "tests_passed": 1,
            "failing_tests": ["a::b", "a::c"],
        },
        id="f" * 32,
    )
    return replace(event, sequence=sequence)


def test_a_claim_of_the_students_side_is_marked() -> None:
    """Whoever draws a curve can leave out what nobody has checked."""
    data = {"user": "ada", "course": "c", "lesson": "l", "port": 8000}
    claim = make_event(EventName.PREVIEW_OPENED, AT, data, id="f" * 32)
    assert (
        make_point(claim, KEY)
        .to_line_protocol()
        .startswith("preview_opened,course=c,lesson=l,reported=true ")
    )


def test_a_point_in_line_protocol() -> None:
    """Few-valued words are tags, all else fields; numbers keep the type that the schema gives."""
    pseudonym = make_pseudonym(KEY, "ada")
    assert make_point(finished(), KEY).to_line_protocol() == (
        r"attempt_finished,course=c,lesson=a\ lesson,outcome=failed,step=s "
        'attempt="x",duration_s=0.5,failing_tests="a::b,a::c",'
        f'id="{"f" * 32}",sequence=7i,tests=2i,tests_passed=1i,tries=1i,user="{pseudonym}",'
        'version="v",waited_s=1 1795514400123456007'
    )


def test_two_events_of_one_microsecond_are_two_points() -> None:
    """InfluxDB overwrites a point with the same tags and time: the sequence keeps them apart."""
    lines = {
        make_point(finished(user, sequence), KEY).to_line_protocol().rsplit(" ", 1)[1]
        for user, sequence in (("ada", 1000), ("grace", 1001))
    }
    assert len(lines) == 2


def test_no_user_name_leaves() -> None:
    """The name is nowhere in the point; the pseudonym is stable, and another with another key."""
    line = make_point(finished("ada-lovelace"), KEY).to_line_protocol()
    assert "ada-lovelace" not in line
    assert make_pseudonym(KEY, "ada") == make_pseudonym(KEY, "ada")
    assert make_pseudonym(KEY, "ada") != make_pseudonym(b"z" * 24, "ada")
    assert make_pseudonym(KEY, "ada") != make_pseudonym(KEY, "Ada")
    assert len(make_pseudonym(KEY, "имя")) == 20
