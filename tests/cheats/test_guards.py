"""What the fixtures of checks say of processes and files that somebody hides; no Docker."""

import fractions
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hexhub_check.errors import MachineError
from hexhub_check.machine import Machine
from hexhub_check.plugin import NO_WORDS, choose_message
from hexhub_check.rooted import Root
from hexhub_check.values import NotPlain, decode, encode

_FIRST_THREAD_ENDS = """
import ctypes, platform, threading, time
threading.Thread(target=time.sleep, args=[600]).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[platform.machine()], 0)
"""


def test_a_process_whose_first_thread_has_ended_is_listed() -> None:
    """A process lives as long as one of its threads does, and its program file is known."""
    with subprocess.Popen(
        [sys.executable, "-c", _FIRST_THREAD_ENDS], stdout=subprocess.PIPE
    ) as hidden:
        try:
            assert hidden.stdout is not None
            assert hidden.stdout.readline() == b"ready\n"
            status = Path(f"/proc/{hidden.pid}/status")
            while "zombie" not in status.read_text():
                pass
            machine = Machine("/work", "/", proc="/proc")
            # Not processes(): where tests run, the first process may have other files than we.
            files, found = machine._files_of(hidden.pid), machine._process(hidden.pid)
        finally:
            hidden.kill()
    assert files == str(Path("/proc/self/ns/mnt").readlink())
    assert found.exe == str(Path(sys.executable).resolve())


def test_a_file_that_cannot_be_looked_for_is_not_taken_for_gone(tmp_path: Path) -> None:
    """Without descriptors, ``exists`` is an error and not False."""
    (tmp_path / "there").write_text("x")
    files = Root(str(tmp_path))
    assert (files.exists("there"), files.exists("gone")) == (True, False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One is left, for the folder itself; the next one is refused.
    with (tmp_path / "there").open() as file:
        lowest = file.fileno()
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))
        with pytest.raises(MachineError, match="cannot be opened"):
            files.exists("there")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("form", ["1e999999999", "1.5", "0x10", " 1/2", "1/2/3"])
def test_fractions_come_as_they_are_written(form: str) -> None:
    """A fraction is numerator and denominator; nothing that has to be multiplied out."""
    with pytest.raises(NotPlain):
        decode({"$": "Fraction", "v": form})
    half = fractions.Fraction(-1, 2)
    assert decode(encode(half)) == half


@pytest.mark.parametrize("words", ["", " ", "\n", "\u2003", "\nassert 1 == 2", " \nassert 1 == 2"])
def test_a_message_is_never_blank(words: str) -> None:
    """Where nothing was said, a sentence is, so that no reader takes the traceback for it."""
    assert choose_message(AssertionError(words)) == NO_WORDS


def test_a_key_of_the_tests_is_not_told() -> None:
    """The text of a KeyError is the key, which is the test's."""
    assert "hidden" not in choose_message(KeyError("hidden"))
