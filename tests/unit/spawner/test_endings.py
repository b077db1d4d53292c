from datetime import UTC, datetime, timedelta

import pytest

from hexhub.machine_facts import EndReason
from spawner.endings import how_it_ended, idle_stop_at

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


def state(code: int, **more: object) -> dict[str, object]:
    """Give ``State`` of a container that has ended."""
    at = "2026-11-24T10:00:00.123456789Z"
    return {"Running": False, "Status": "exited", "ExitCode": code, "FinishedAt": at, **more}


def test_idle_time_counts_from_the_last_use_or_the_hubs_start():
    """What a hub that was away has not heard of does not stop a machine early."""
    hour = timedelta(hours=1)
    assert idle_stop_at(NOW, NOW - hour, 1800) == NOW + timedelta(minutes=30)
    assert idle_stop_at(NOW - hour, NOW, 1800) == NOW + timedelta(minutes=30)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (state(137, OOMKilled=True), EndReason.OUT_OF_MEMORY),
        (state(1), EndReason.EXITED),
        (state(139), EndReason.EXITED),
        (state(1, OOMKilled=True), EndReason.EXITED),
    ],
)
def test_a_machine_that_ended_by_itself_says_how(found, reason):
    """Out of memory is an end only where its own server was killed; else its exit code counts."""
    ended = how_it_ended(found, was_stopped=None, memory_bytes=512)
    assert ended is not None
    assert how_it_ended(found, was_stopped=False, memory_bytes=512) == ended
    assert (ended.reason, ended.exit_code, ended.at) == (reason, found["ExitCode"], NOW)
    assert how_it_ended(found, was_stopped=True, memory_bytes=512) is None


@pytest.mark.parametrize(
    "found",
    [
        {"Running": True, "ExitCode": 0},
        {"Running": False, "Status": "created", "ExitCode": 0},
        state(0),
        state(137),
        state(143),
        state(0, OOMKilled=True),
    ],
)
def test_a_machine_that_was_stopped_has_no_end_to_tell_of(found):
    """A regular stop, also one that this hub does not know of, is nothing to tell a student."""
    assert how_it_ended(found, was_stopped=None, memory_bytes=512) is None


def test_a_machine_that_nobody_stopped_has_ended_whatever_its_exit_code():
    """A student who ends the server themselves is told so by the hub that had started it."""
    for code in (0, 137, 143):
        ended = how_it_ended(state(code), was_stopped=False, memory_bytes=512)
        assert ended is not None
        assert ended.reason is EndReason.EXITED
