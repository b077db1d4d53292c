"""A conversation with a container has an end, whatever the container does."""

import socket
import struct
import threading
import time
from collections.abc import Callable

import pytest

from hexhub.checks.attachment import Heard, converse, is_quiet


def frame(data: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxL", stream, len(data)) + data


def talk(
    container: Callable[[socket.socket], None],
    *,
    said: bytes = b"",
    max_line_bytes: int = 10_000,
    patience_s: float = 5.0,
) -> Heard:
    """Have a conversation with ``container``, which runs beside."""
    ours, theirs = socket.socketpair()

    def run() -> None:
        with theirs:
            container(theirs)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with ours:
            return converse(
                ours,
                said,
                max_line_bytes=max_line_bytes,
                deadline_s=time.monotonic() + patience_s,
            )
    finally:
        thread.join(10)


def test_the_first_line_is_heard() -> None:
    """Frames may be cut anywhere; the line ends at its line feed."""

    def container(theirs: socket.socket) -> None:
        data = frame(b'{"a"') + frame(b"complaint", 2) + frame(b": 1}\nmore")
        for place in range(0, len(data), 3):
            theirs.sendall(data[place : place + 3])

    assert talk(container) == Heard(b'{"a": 1}', stderr=b"complaint")


def test_what_nobody_waits_for_is_not_waited_for() -> None:
    """Silence is left as soon as nobody wants to hear its end, long before the deadline."""
    ours, theirs = socket.socketpair()
    asked: list[bool] = []

    def is_wanted() -> bool:
        asked.append(True)
        return len(asked) < 3

    with ours, theirs:
        heard = converse(
            ours,
            b"",
            max_line_bytes=100,
            deadline_s=time.monotonic() + 600,
            is_wanted=is_wanted,
        )
    assert heard == Heard(None, is_abandoned=True)


def test_complaints_that_come_after_the_line_are_heard() -> None:
    """Docker copies both streams side by side: the earlier word may come later."""

    def container(theirs: socket.socket) -> None:
        theirs.sendall(frame(b"answer\n"))
        time.sleep(0.05)
        theirs.sendall(frame(b"more\n") + frame(b"complaint", 2))

    assert talk(container) == Heard(b"answer", stderr=b"complaint")


def test_a_container_that_does_not_end_after_its_line_is_left() -> None:
    """Last words have seconds, not the whole time limit."""
    over = threading.Event()
    timer = threading.Timer(20, over.set)
    timer.start()

    def container(theirs: socket.socket) -> None:
        theirs.sendall(frame(b"answer\n"))
        while theirs.recv(1):
            pass

    try:
        assert talk(container, patience_s=60) == Heard(b"answer")
        assert not over.is_set()
    finally:
        timer.cancel()


def test_much_is_said_to_a_slow_listener() -> None:
    """What is longer than every buffer is written whole, while the other side talks too."""
    said = bytes(range(256)) * 40_000
    heard: list[bytes] = []

    def container(theirs: socket.socket) -> None:
        theirs.sendall(frame(b"x" * 5000, 2) * 100)
        left = len(said)
        while left:
            data = theirs.recv(65536)
            heard.append(data)
            left -= len(data)
        theirs.sendall(frame(b"done\n"))

    assert talk(container, said=said).line == b"done"
    assert b"".join(heard) == said


@pytest.mark.parametrize("said", [b"", b"x" * 10_000_000], ids=["silent", "does not listen"])
def test_silence_ends_at_the_deadline(said: bytes) -> None:
    """A container that neither speaks nor listens is left when the time is over."""
    over = threading.Event()
    heard = talk(lambda _: over.wait(1.0) and None, said=said, patience_s=0.3)  # type: ignore[arg-type]
    assert heard.is_overdue


def test_an_end_without_a_line_is_no_answer() -> None:
    """A container that ends in the middle of its line has not answered."""
    assert talk(lambda theirs: theirs.sendall(frame(b"half a li"))) == Heard(None)


def test_an_end_while_we_write_is_no_answer() -> None:
    """A container that dies while it is written to has not answered, and nothing breaks."""
    assert talk(lambda _: None, said=b"x" * 10_000_000).line is None


def test_what_it_said_before_it_died_counts() -> None:
    """The answer of a container that did not read to the end is heard all the same."""
    heard = talk(lambda theirs: theirs.sendall(frame(b"early\n")), said=b"x" * 10_000_000)
    assert heard.line in (b"early", None)


def test_a_line_without_end_is_not_kept() -> None:
    """What is longer than any honest answer is not read to its end."""

    def container(theirs: socket.socket) -> None:
        try:
            while True:
                theirs.sendall(frame(b"x" * 60_000))
        except OSError:
            return

    assert talk(container).is_too_long


def test_complaints_are_kept_in_part() -> None:
    """Of what goes to standard error the end is kept, for the log."""

    def container(theirs: socket.socket) -> None:
        theirs.sendall(frame(b"a" * 100_000 + b"the end", 2))

    heard = talk(container)
    assert heard.stderr.endswith(b"the end")
    assert len(heard.stderr) == 4096


def test_a_line_may_be_enough() -> None:
    """Who needs no more than the line does not wait for the end."""
    goes_on = threading.Event()

    def container(theirs: socket.socket) -> None:
        theirs.sendall(frame(b"complaint", 2) + frame(b"line\n"))
        goes_on.wait(30)

    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=container, args=(theirs,))
    thread.start()
    shown: list[bytes] = []

    def is_enough(line: bytes) -> bool:
        shown.append(line)
        return True

    with ours, theirs:
        heard = converse(
            ours,
            b"",
            max_line_bytes=100,
            deadline_s=time.monotonic() + 30,
            is_enough=is_enough,
        )
        assert not goes_on.is_set()
        goes_on.set()
        thread.join(30)
    assert heard == Heard(b"line", stderr=b"complaint")
    assert shown == [b"line"]


def test_quiet_is_neither_words_nor_an_end() -> None:
    """What waits for its order has said nothing and is there."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert is_quiet(ours)
        theirs.sendall(b"x")
        assert not is_quiet(ours)
        ours.recv(1)
        assert is_quiet(ours)
        theirs.close()
        assert not is_quiet(ours)
    assert not is_quiet(ours)
