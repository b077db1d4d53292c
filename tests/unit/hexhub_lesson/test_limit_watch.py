import errno
import os
from types import SimpleNamespace

import pytest
from hexhub_lesson.limit_watch import LOOK_EVERY_S, TELL_EVERY_S, LimitWatch
from hexhub_lesson.limits import Limits, is_disk_full, read_limits

from .test_memory import write

MIB = 1024**2


class Watched:
    """A watch of one terminal, with a machine and a clock that the test sets."""

    def __init__(self, language: str = "en") -> None:
        self.said: list[str] = []
        self.now_s = 0.0
        self.limits = Limits(512 * MIB, 3, 256, 7)
        terminal = SimpleNamespace(
            clients=[SimpleNamespace(on_pty_read=self.said.append)], read_buffer=[]
        )
        self.watch = LimitWatch(
            {"terminal_manager": SimpleNamespace(terminals={"1": terminal})},
            lambda: language,
            read=lambda: self.limits,
            clock=lambda: self.now_s,
        )

    def look(self) -> list[str]:
        """Look once, as after the usual time, and give what is said now."""
        self.now_s += LOOK_EVERY_S
        before = len(self.said)
        self.watch.look()
        return self.said[before:]


def test_what_was_met_before_the_server_started_is_no_news():
    """A machine's counters are older than its server."""
    assert Watched().look() == []


@pytest.mark.parametrize(
    ("met", "limit"),
    [
        (Limits(512 * MIB, 5, 256, 7), "memory was used up (512 MB)"),
        (Limits(512 * MIB, 3, 256, 90), "as many processes as it may (256)"),
        (Limits(None, 4, None, 7), "memory was used up."),
    ],
)
def test_a_limit_that_was_met_is_told_once(met, limit):
    """Each with its number, and not the other one."""
    watched = Watched()
    watched.limits = met
    (said,) = watched.look()
    assert limit in said
    assert watched.look() == []


def test_who_meets_a_limit_over_and_over_is_not_told_each_time():
    """A fork bomb is refused a thousand times a second; what came meanwhile is told afterwards."""
    watched = Watched()
    said = []
    for refused in range(100, 100 + int(TELL_EVERY_S / LOOK_EVERY_S)):
        watched.limits = Limits(512 * MIB, 3, 256, refused)
        said += watched.look()
    assert len(said) == 1
    assert len(watched.look()) == 1
    assert watched.look() == []


def test_a_full_disk_is_told_when_it_has_become_full(monkeypatch):
    """With the limit where one is held; again only after there was room."""
    watched = Watched()
    for is_full in (False, True, True, False):
        watched.watch.look_at_disk(is_full=is_full)
    assert len(watched.said) == 1
    assert "disk is full. Delete" in watched.said[0]
    monkeypatch.setenv("HEXHUB_DISK_BYTES", str(1024 * MIB))
    watched.watch.look_at_disk(is_full=True)
    assert "disk is full (1024 MB)" in watched.said[1]


def test_it_is_told_in_the_students_language():
    """Russian where they have chosen it, English where a language is not known."""
    for language, word in (("ru-RU", "(512 МБ)"), ("de", "(512 MB)")):
        watched = Watched(language)
        watched.limits = Limits(512 * MIB, 4, 256, 8)
        memory, processes = watched.look()
        assert word in memory
        assert "(256)" in processes
        assert ("процессов" in processes) == (language == "ru-RU")


def test_control_groups_of_both_versions(tmp_path):
    """Limits and how often they were met; ``max`` is no limit, and no file is nothing met."""
    write(tmp_path, memory__current="1\n", memory__max="4000\n", pids__max="256\n")
    write(tmp_path, memory__events="oom 9\noom_kill 2\n", pids__events="max 5\n")
    assert read_limits(tmp_path) == Limits(4000, 2, 256, 5)
    old = tmp_path / "v1"
    old.mkdir()
    assert read_limits(old) == Limits()
    write(old / "memory", memory__usage_in_bytes="1\n", memory__limit_in_bytes="4000\n")
    write(old / "memory", memory__oom_control="oom_kill 2\n")
    write(old / "pids", pids__max="max\n", pids__events="max 5\n")
    assert read_limits(old) == Limits(4000, 2, None, 5)


@pytest.mark.parametrize(
    ("refusal", "is_full"),
    [(errno.EDQUOT, True), (errno.ENOSPC, True), (errno.EROFS, False), (errno.EIO, False)],
)
def test_only_a_disk_without_room_is_full(tmp_path, refusal, is_full):
    """By a quota or for everybody; a disk that cannot be tried at all is not called full."""

    def refuse(*_):
        raise OSError(refusal, os.strerror(refusal))

    assert not is_disk_full(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert not is_disk_full(tmp_path / "there-is-none")
    assert is_disk_full(tmp_path, refuse) == is_full
