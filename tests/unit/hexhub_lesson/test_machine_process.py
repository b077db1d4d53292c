"""The line that starts a machine, and the environment that comes of it."""

import json
import os
import threading

import pytest
from hexhub_lesson.machine_process import (
    MAX_LINE_BYTES,
    Start,
    StartInvalid,
    merge_environment,
    parse_start,
    read_line,
    wait_for_start,
)
from hexhub_lesson.services import Service
from hypothesis import given
from hypothesis import strategies as st


def line(**changes: object) -> bytes:
    message: dict[str, object] = {"version": 1, "env": {"A": "b"}, "args": ["--x"], "cwd": "/tmp"}
    return json.dumps(message | changes).encode()


def test_a_line_is_read() -> None:
    """Environment, arguments and folder, as the hub sent them."""
    assert parse_start(line()) == Start({"A": "b"}, ("--x",), "/tmp")


def test_arguments_and_folder_may_be_missing() -> None:
    """The environment is all that a machine needs."""
    assert parse_start(b'{"version": 1, "env": {}}') == Start({}, (), "")


def test_services_come_along() -> None:
    """What runs again is told with each start; a newer hub may say more of each."""
    service = {"name": "nginx", "start": "nginx", "is_first": True, "more": 1}
    assert parse_start(line(services=[service])).services == (Service("nginx", "nginx", True),)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": "1"},
        {"env": None},
        {"env": ["A"]},
        {"env": {"A": 1}},
        {"env": {"": "x"}},
        {"env": {"A=B": "x"}},
        {"env": {"A": "x\0y"}},
        {"args": "x"},
        {"args": [1]},
        {"cwd": None},
        {"services": {}},
        {"services": ["nginx"]},
        {"services": [{"name": "nginx", "start": "nginx"}]},
        {"services": [{"name": "nginx", "start": "a\0b", "is_first": False}]},
        {"services": [{"name": "nginx", "start": "nginx", "is_first": "no"}]},
    ],
)
def test_what_cannot_be_used_is_refused(changes: dict[str, object]) -> None:
    """Nothing that ``os.environ`` or the server would stumble over is let in."""
    with pytest.raises(StartInvalid):
        parse_start(line(**changes))


@given(st.binary(max_size=200))
def test_other_bytes_are_refused_without_being_repeated(data: bytes) -> None:
    """The message may end up in a log, and the line may have held a token."""
    with pytest.raises(StartInvalid) as caught:
        parse_start(data + b"secret")
    assert "secret" not in str(caught.value)


def test_a_line_is_put_together_from_pieces() -> None:
    """A pipe knows no lines."""
    reader, writer = os.pipe()
    os.write(writer, b"one ")
    os.write(writer, b"line\nand more")
    assert read_line(reader) == b"one line"
    os.close(writer)
    with pytest.raises(EOFError):
        read_line(reader)
    os.close(reader)


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    """More than the limit is counted, not kept."""
    reader, writer = os.pipe()

    def write() -> None:
        for _ in range(64):
            os.write(writer, b"x" * 65536)
        os.write(writer, b"\n")

    thread = threading.Thread(target=write)
    thread.start()
    assert len(read_line(reader)) == MAX_LINE_BYTES + 1
    thread.join()
    os.close(reader)
    os.close(writer)


def test_a_bad_line_is_told_and_the_next_one_taken() -> None:
    """The machine waits on."""
    reader, writer = os.pipe()
    said: list[str] = []
    os.write(writer, b"{\n")
    answers = iter([line()])

    def say(sentence: str) -> None:
        said.append(sentence)
        os.write(writer, next(answers) + b"\n")

    assert wait_for_start(reader, say).env == {"A": "b"}
    assert said == [
        "Cannot start from this line: The line is not JSON in UTF-8. Waiting for another one."
    ]
    os.close(reader)
    os.close(writer)


def test_only_the_hub_sets_the_hubs_variables() -> None:
    """What the image or the container has of those names is thrown away."""
    own = {"PATH": "/bin", "JUPYTERHUB_USER": "mallory", "HEXHUB_LESSON": "x", "JPY_API_TOKEN": "y"}
    merged = merge_environment(own, Start({"JUPYTERHUB_USER": "ada", "LANG": "ru_RU.UTF-8"}))
    assert merged == {
        "PATH": "/bin",
        "LANG": "ru_RU.UTF-8",
        "JUPYTERHUB_USER": "ada",
        "JUPYTERHUB_SINGLEUSER_EXTENSION": "1",
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",
    }
