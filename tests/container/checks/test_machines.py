"""Files out of a student's machine, scripts in a trial machine, and what is left behind."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import docker
import pytest

from hexhub.catalog.model import Lesson, MachineUser
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.containers import make_check_container, make_trial_machine
from hexhub.checks.direct_taking import take_directly
from hexhub.checks.engine import Engine
from hexhub.checks.student_machine import find_machine, take_files
from hexhub.checks.taking import TakeLimits
from hexhub.checks.trial_machine import run_script, trial_machine
from hexhub.errors import MachineNotRunning, SubmissionUnusable
from hexhub.names import machine_name

from .conftest import MB, WORK

MakeLesson = Callable[..., Lesson]


@contextmanager
def machine(engine: Engine, lesson: Lesson, script: str) -> Iterator[str]:
    """Start a machine in which the student has run ``script``."""
    with trial_machine(engine, lesson, {}) as machine_id:
        result = run_script(engine, machine_id, script.encode(), lesson.user, 120)
        assert result.exit_code == 0, result.output
        yield machine_id


def test_files_are_taken_as_they_are(engine: Engine, make_lesson: MakeLesson) -> None:
    """Contents, executable bits and folders arrive; what no pattern names does not."""
    script = """
    mkdir -p src/deep empty
    printf one >src/a.py; printf two >src/deep/b.py; printf three >run.sh; chmod +x run.sh
    printf no >other.txt
    """
    with machine(engine, make_lesson(), script) as machine_id:
        taken = take_files(engine, machine_id, WORK, ("src/**/*.py", "run.sh", "empty", "*.none"))
        assert taken == {
            "src/a.py": OverlayFile(b"one"),
            "src/deep/b.py": OverlayFile(b"two"),
            "run.sh": OverlayFile(b"three", is_executable=True),
        }


def first_process(client: docker.APIClient, machine_id: str) -> int:
    return int(client.inspect_container(machine_id)["State"]["Pid"])


def test_both_ways_take_the_same(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """What is plain is read without Docker's archive, and is what the archive gives."""
    script = """
    mkdir -p src/deep empty 'with space'
    printf one >src/a.py; printf two >src/deep/b.py; printf three >run.sh; chmod +x run.sh
    touch nothing; ln -s /etc/shadow link; mkfifo pipe; printf x >'with space/é'
    head -c 3M /dev/urandom >src/deep/big.bin; chmod 0 src/a.py
    """
    patterns = ("src", "run.sh", "nothing", "with space", "empty", "**/*.py", "r*")
    with machine(engine, make_lesson(), script) as machine_id:
        process_id = first_process(client, machine_id)
        directly = take_directly(process_id, machine_id, WORK, patterns)
        by_archive = take_files(engine, machine_id, WORK, patterns, takes_directly=False)
        assert directly == by_archive
        assert directly == take_files(engine, machine_id, WORK, patterns)
        assert directly is not None
        assert set(directly) == {
            *("src/a.py", "src/deep/b.py", "src/deep/big.bin"),
            *("run.sh", "nothing", "with space/é"),
        }


@pytest.mark.parametrize("pattern", ["link", "link/*", "pipe", "twice", "*", "none", "src/dev"])
def test_what_is_not_plain_is_left_to_the_archive(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson, pattern: str
) -> None:
    """Links, pipes, second names and what is missing: the direct way gives no files at all."""
    script = "ln -s /etc link; mkfifo pipe; touch once; ln once twice; mkdir src; ln -s /dev src"
    with machine(engine, make_lesson(), script) as machine_id:
        process_id = first_process(client, machine_id)
        assert take_directly(process_id, machine_id, WORK, ("once.py*",)) == {}
        assert take_directly(process_id, machine_id, WORK, (pattern,)) is None


def test_a_process_of_another_machine_is_not_looked_into(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """Numbers of processes are used again: the process must be the machine's own."""
    with (
        machine(engine, make_lesson(), "printf x >answer.py") as one,
        machine(engine, make_lesson(), "printf y >answer.py") as other,
    ):
        process_id = first_process(client, one)
        assert take_directly(process_id, one, WORK, ("answer.py",)) is not None
        assert take_directly(process_id, other, WORK, ("answer.py",)) is None
        assert take_directly(os.getpid(), one, WORK, ("answer.py",)) is None


def test_folders_that_become_links_lead_nowhere(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """A student who swaps a folder for a link while it is read gives no file of another place."""
    script = """
    mkdir real; printf mine >real/passwd; ln -s /etc link; cp -r real src
    (while :; do mv -T src a; mv -T link src; mv -T src link; mv -T a src; done) >/dev/null 2>&1 &
    """
    with machine(engine, make_lesson(), script) as machine_id:
        process_id = first_process(client, machine_id)
        tries, taken = 0, 0
        patterns = cycle(("src", "src/passwd", "src/*"))
        while tries < 600 or taken < 10:  # both must be seen: what is tried, and what is given
            files = take_directly(process_id, machine_id, WORK, (next(patterns),))
            tries += 1
            if files:
                taken += 1
                assert files == {"src/passwd": OverlayFile(b"mine")}


def test_files_of_a_stopped_machine_are_taken(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """A machine need not run for its files to be copied."""
    with machine(engine, make_lesson(), "printf x >answer.py") as machine_id:
        client.kill(machine_id)
        client.wait(machine_id)
        assert take_files(engine, machine_id, WORK, ("answer.py",)) == {
            "answer.py": OverlayFile(b"x")
        }


HOSTILE_FOLDERS = [
    ("true", ("answer.py",), "There is no answer.py in ~/work"),
    ("true", ("src/answer.py",), "There is no src/answer.py in ~/work"),
    ("ln -s /etc/shadow answer.py", ("answer.py",), "answer.py is a link"),
    ("ln -s /etc src", ("src/*.conf",), "src is a link"),
    ("mkdir src; ln -s /etc/shadow src/x.py", ("src",), "src/x.py is a link"),
    ("printf a >a.py; ln a.py b.py", ("*.py",), "is a hard link"),
    ("mkfifo answer.py", ("answer.py",), "no regular file"),
    ("mkdir src; mkfifo src/pipe", ("src",), "src/pipe is a named pipe"),
    ("truncate -s 10G answer.py", ("answer.py",), "too big"),
    ("mkdir src; truncate -s 10G src/zeros", ("src",), "too big"),
    (
        "mkdir many; cd many; seq 1 60000 | xargs touch",
        ("**/*.py",),
        "more than 20000 files",
    ),
    ("printf x >$'two\\nlines.py'", ("*.py",), "cannot be taken"),
    ("printf x >$'broken-\\xff.py'", ("*.py",), "cannot be taken"),
]
"""Done in the work folder; what is handed in; words of the refusal."""


def test_hostile_folders_end_with_a_sentence(engine: Engine, make_lesson: MakeLesson) -> None:
    """Links, pipes, sparse giants and crowds are refused within seconds, with a sentence."""
    lesson = make_lesson()
    with machine(engine, lesson, "true") as machine_id:
        for script, patterns, words in HOSTILE_FOLDERS:
            emptied = f"find . -mindepth 1 -delete\n{script}".encode()
            done = run_script(engine, machine_id, emptied, lesson.user, 120)
            assert done.exit_code == 0, done.output
            began = time.monotonic()
            with pytest.raises(SubmissionUnusable, match=words):
                take_files(engine, machine_id, WORK, patterns)
            assert time.monotonic() - began < 60
            # Docker holds the container while it packs; it must be free again.
            assert engine.is_running(machine_id)


def test_a_giant_beside_what_is_handed_in(engine: Engine, make_lesson: MakeLesson) -> None:
    """It is passed over, but where Docker's archive must be read, which has it: that says so."""
    script = "truncate -s 10G zeros; printf x >answer.py"
    with machine(engine, make_lesson(), script) as machine_id:
        assert list(take_files(engine, machine_id, WORK, ("*.py",))) == ["answer.py"]
        with pytest.raises(SubmissionUnusable, match="There is too much"):
            take_files(engine, machine_id, WORK, ("*.py",), takes_directly=False)


def test_sockets_are_passed_over(engine: Engine, make_lesson: MakeLesson) -> None:
    """A server's socket in the folder does not keep the files beside it from being taken."""
    script = """
    printf x >answer.py
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s.sock")'
    """
    with machine(engine, make_lesson(), script) as machine_id:
        assert list(take_files(engine, machine_id, WORK, (".",))) == ["answer.py"]
        with pytest.raises(SubmissionUnusable, match="no regular file"):
            take_files(engine, machine_id, WORK, ("s.sock",))


def test_a_file_that_grows_while_it_is_read(engine: Engine, make_lesson: MakeLesson) -> None:
    """A file that somebody writes to all the time is taken as it was, or refused."""
    script = "(while :; do head -c 100000 /dev/zero >>answer.py; done) >/dev/null 2>&1 &"
    with machine(engine, make_lesson(), script) as machine_id:
        for _ in range(5):
            try:
                taken = take_files(engine, machine_id, WORK, ("answer.py",))
            except SubmissionUnusable:
                continue
            assert len(taken["answer.py"].data) <= 8 * MB


def test_a_machine_that_is_gone(engine: Engine) -> None:
    """Files of a machine that does not exist are no empty submission."""
    with pytest.raises(MachineNotRunning):
        take_files(engine, "f" * 64, WORK, ("answer.py",))


def test_reading_ends_with_its_time(engine: Engine, make_lesson: MakeLesson) -> None:
    """Files that take too long to read are left."""
    with (
        machine(engine, make_lesson(), "head -c 5M /dev/zero >answer.py") as machine_id,
        pytest.raises(SubmissionUnusable, match="took longer"),
    ):
        take_files(engine, machine_id, WORK, ("answer.py",), TakeLimits(time_s=0.0))


@pytest.mark.parametrize("user", list(MachineUser))
def test_a_trial_is_made_as_its_user(
    engine: Engine, make_lesson: MakeLesson, user: MachineUser
) -> None:
    """Files belong to the lesson's user, and scripts run as that user, at home."""
    script = b"""
    set -e
    id -un; echo $HOME; pwd; stat -c '%U %a' . src src/a.sh; cat src/a.sh; ls /tmp -A | wc -l
    """
    lesson = make_lesson(user=user)
    files = {"src/a.sh": OverlayFile(b"hello\n", is_executable=True)}
    with trial_machine(engine, lesson, files) as machine_id:
        result = run_script(engine, machine_id, script, user, 20)
        again = run_script(engine, machine_id, b"ls -A /tmp", user, 20)
    name, home = user.value, str(user.home)
    assert result.output.split("\n") == [
        name,
        home,
        f"{home}/work",
        f"{name} 755",
        f"{name} 755",
        f"{name} 755",
        "hello",
        "1",
        "",
    ]
    assert (again.exit_code, again.output.count(".hexhub-")) == (0, 1)


def test_a_script_that_leaves_a_server_behind_ends(engine: Engine, make_lesson: MakeLesson) -> None:
    """What a script starts in the background lives on and keeps nobody waiting."""
    with trial_machine(engine, make_lesson(), {}) as machine_id:
        began = time.monotonic()
        result = run_script(
            engine, machine_id, b"sleep 600 & echo started", MachineUser.STUDENT, 60
        )
        assert (result.exit_code, result.output) == (0, "started\n")
        assert time.monotonic() - began < 50
        running = run_script(engine, machine_id, b"pgrep -x sleep | wc -l", MachineUser.STUDENT, 20)
        assert running.output == "2\n"


@pytest.mark.parametrize(
    ("script", "exit_code", "printed"),
    [
        (b"echo no; exit 3", 3, "no\n"),
        (b"trap '' TERM; echo waits; sleep 600", None, "waits\n"),
        (b"while :; do :; done", None, ""),
    ],
)
def test_a_script_that_fails_or_hangs(
    engine: Engine,
    make_lesson: MakeLesson,
    script: bytes,
    exit_code: int | None,
    printed: str,
) -> None:
    """A script's exit code and output are given; one that hangs is stopped."""
    with trial_machine(engine, make_lesson(), {}) as machine_id:
        result = run_script(engine, machine_id, script, MachineUser.STUDENT, 5)
    assert (result.exit_code, result.output) == (exit_code, printed)


def test_machines_are_found_by_their_names(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """The machine of one student in one lesson is found, and nobody else's, of no other hub."""
    arguments = make_trial_machine(make_lesson(), hub_id=engine.hub_id, expires_at_s=0)
    arguments["name"] = machine_name(engine.hub_id, "ada", "shell-1")
    made = client.create_container(**arguments)
    twin = Engine(f"{engine.hub_id[:6]}-another")
    try:
        assert find_machine(engine, "ada", "shell-1") == made["Id"]
        for finder, user, server in (
            (engine, "ad", "shell-1"),
            (engine, "ada", "shell-2"),
            (twin, "ada", "shell-1"),
        ):
            with pytest.raises(MachineNotRunning):
                find_machine(finder, user, server)
    finally:
        twin.close()
        client.remove_container(made["Id"], force=True)


def test_leftovers_are_removed_once_nobody_waits(
    engine: Engine, client: docker.APIClient, make_lesson: MakeLesson
) -> None:
    """A killed worker's containers go; those of a running check, another hub or a student stay."""
    from hexhub.catalog.model import CheckKind
    from hexhub.checks.containers import SandboxSpec

    spec = SandboxSpec("hexhub/base", CheckKind.FILES, None, 64 * MB, 5)
    now = time.time()
    lesson = make_lesson()
    kinds = {
        "old check": make_check_container(spec, hub_id=engine.hub_id, expires_at_s=now - 1),
        "old trial": make_trial_machine(lesson, hub_id=engine.hub_id, expires_at_s=now - 1),
        "new check": make_check_container(spec, hub_id=engine.hub_id, expires_at_s=now + 600),
        "others": make_check_container(spec, hub_id=f"{engine.hub_id}x", expires_at_s=now - 1),
    }
    student = make_trial_machine(lesson, hub_id=engine.hub_id, expires_at_s=now - 1)
    student["labels"] |= {"hexhub.kind": "student"}
    kinds["student"] = student
    made = {name: client.create_container(**a)["Id"] for name, a in kinds.items()}
    try:
        assert engine.remove_leftovers() == 2
        there = {container["Id"] for container in client.containers(all=True)}
        assert {name for name, made_id in made.items() if made_id in there} == {
            "new check",
            "others",
            "student",
        }
    finally:
        for made_id in made.values():
            try:
                client.remove_container(made_id, force=True)
            except docker.errors.NotFound:
                continue


def test_an_interrupted_trial_leaves_nothing(engine: Engine, make_lesson: MakeLesson) -> None:
    """However a trial is left, its machine goes with it."""
    with pytest.raises(KeyboardInterrupt), trial_machine(engine, make_lesson(), {}):
        raise KeyboardInterrupt


def test_threads_share_a_connection(engine: Engine, make_lesson: MakeLesson) -> None:
    """Files can be taken out of several machines at once."""
    found: list[bytes] = []

    def one(number: int) -> None:
        files = {"answer.py": OverlayFile(str(number).encode())}
        with trial_machine(engine, make_lesson(), files) as machine_id:
            found.append(take_files(engine, machine_id, WORK, ("*.py",))["answer.py"].data)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"0", b"1", b"2", b"3"]
