"""A cheat on its way: the machine, the worker's check, and everything that the student gets."""

import contextlib
import io
import json
import os
import re
import secrets
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docker
from docker.errors import NotFound

from hexhub.catalog.model import CheckKind, Course, Lesson, Show
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.engine import Engine
from hexhub.checks.model import Outcome, OutcomeKind
from hexhub.checks.sandbox import HarnessRun, Sandbox
from hexhub.checks.trial_machine import put_files, trial_machine
from hexhub.names import UserName
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.service.wire import attempt_json
from hexhub.usecases.check_answer import (
    SOLUTION,
    STARTER,
    Layer,
    OneCourse,
    answer_layers,
    answered_machine,
    find_lesson,
)
from hexhub.usecases.run_check import run_check

from .cheat import Cheat
from .honest_lessons import ANSWER, CANARY, EXPECTED, STEP

_WRITABLE = ("/home/student", "/root", "/tmp", "/var/tmp")
_LOOKED_AT_BYTES = 4 * 1024**2
"""Of each folder of the student's machine; some cheats leave ten gigabytes."""
HASTY_S = 4
"""Of a check that is stopped anyway: its limit, what is waited beyond that, and what for Docker."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Seen:
    """What came of a cheat.

    Attributes:
        outcome: The whole verdict, as the worker stores it.
        answers: What the author shows → the JSON of the attempt that the student gets.
        leaks: Words that are in the student's machine afterwards and should not be.
        left: What is in the file that the cheat leaves as a proof that it ran.
    """

    outcome: Outcome
    answers: Mapping[Show, str]
    leaks: tuple[str, ...]
    left: str = ""

    def check_refused(self, cheat: Cheat) -> None:
        """Fail unless the cheat is no pass, met its guard, and learnt nothing."""
        assert self.outcome.kind in (OutcomeKind.FAILED, OutcomeKind.ERROR), self.outcome
        assert self.outcome.message or self.outcome.failing_tests
        assert re.search(cheat.met, self.answers[Show.FULL], re.DOTALL), (cheat.met, self.outcome)
        assert self.left or not cheat.leaves, f"it did not leave {cheat.leaves}"
        self.check_hidden()

    def check_hidden(self) -> None:
        """Fail where the student can read what is hidden, or what a terminal would obey."""
        assert self.leaks == ()
        for show, answer in self.answers.items():
            assert CANARY not in answer, (show, answer)
            assert show is Show.FULL or ANSWER not in answer, (show, answer)
            assert not _CONTROLS.search(answer.replace("\\n", "")), (show, answer)
            for text in _texts(json.loads(answer)):
                assert not _CONTROLS.search(text), (show, text)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def answers_for_student(place: Place, outcome: Outcome) -> dict[Show, str]:
    """Give the API's answer for a finished attempt, for everything that an author may show."""
    now = datetime.now(UTC)
    attempt = Attempt(
        id="0" * 32,
        place=place,
        step=STEP,  # type: ignore[arg-type]
        version="",  # type: ignore[arg-type]
        state=AttemptState.DONE,
        requested_at=now,
        finished_at=now,
        outcome=outcome,
    )
    return {show: json.dumps(attempt_json(attempt, show=show, position=None)) for show in Show}


class HastyEngine(Engine):
    """Docker, of which the start and the removal of a check are given up after seconds.

    Docker removes it nevertheless, once the machine that holds it up is gone.
    """

    @property
    def impatient(self) -> docker.APIClient:
        """Give the connection for both."""
        return self._connect(HASTY_S)


class HastySandbox(Sandbox):
    """Checks that are given up seconds after their own limit."""

    def run(self, *given: Any, **more: Any) -> HarnessRun:
        """Run one."""
        return super().run(*given, **more, grace_s=float(HASTY_S))


class QuietMachines:
    """One machine for each lesson, for all answers that are files and run nothing in it.

    A check of files takes what is handed in and writes nothing back, so that the next answer finds
    what a new machine would have, once the work folder is emptied. Where a hidden word is found in
    one nevertheless, it is used no more.
    """

    def __init__(self, client: docker.APIClient) -> None:
        self._client = client
        self._engine = Engine(f"quiet-{secrets.token_hex(4)}")
        self._running: dict[str, tuple[str, contextlib.ExitStack]] = {}

    @contextlib.contextmanager
    def answered(self, lesson: Lesson, layers: Sequence[Layer]) -> Iterator[str]:
        """Lay files into the lesson's machine, and give its container id."""
        if lesson.name not in self._running:
            stack = contextlib.ExitStack()
            machine_id = stack.enter_context(trial_machine(self._engine, lesson, {}))
            self._running[lesson.name] = (machine_id, stack)
        machine_id, _ = self._running[lesson.name]
        self._empty(machine_id, lesson)
        files: dict[str, OverlayFile] = {}
        for layer in layers:
            assert layer.script is None
            files |= layer.files
        put_files(self._engine, machine_id, lesson.user, files)
        yield machine_id

    def drop(self, lesson: Lesson) -> None:
        """Remove the lesson's machine; the next answer gets a new one."""
        _, stack = self._running.pop(lesson.name)
        stack.close()

    def close(self) -> None:
        """Remove all of them."""
        for _, stack in self._running.values():
            stack.close()
        self._running.clear()
        self._engine.close()

    def _empty(self, machine_id: str, lesson: Lesson) -> None:
        command = ["find", str(lesson.user.work), "-mindepth", "1", "-delete"]
        made = self._client.exec_create(
            machine_id, command, user=lesson.user.value, workdir=str(lesson.user.home)
        )
        said = self._client.exec_start(made["Id"])
        assert self._client.exec_inspect(made["Id"])["ExitCode"] == 0, said


@dataclass(frozen=True)
class Trials:
    """Tries answers to the lessons of one course.

    Attributes:
        sandbox: Where checks are run, and on its Docker the machines.
        client: Docker, to look into a machine.
        course_folder: The course on disk.
        quiet: Machines for answers that are files and run nothing; None: each gets a new one.
        timeout_s: Of the check, instead of the lesson's.
    """

    sandbox: Sandbox
    client: docker.APIClient
    course_folder: Path
    quiet: QuietMachines | None = None
    timeout_s: float | None = None

    def lesson(self, name: str) -> tuple[Course, Lesson]:
        """Give a lesson as the worker has it."""
        _folder, course, lesson = find_lesson(self.course_folder / "lessons" / name)
        return course, lesson

    def starter(self, name: str) -> Seen:
        """Check what a student begins with."""
        return self._run(name, STARTER, hidden=(CANARY, ANSWER))

    def solution(self, name: str) -> Seen:
        """Check the author's answer."""
        return self._run(name, SOLUTION)

    def cheat(self, name: str, cheat: Cheat) -> Seen:
        """Check a cheat."""
        files = {path: OverlayFile(text.encode()) for path, text in cheat.files.items()}
        script = f"{cheat.script}\ntrue\n".encode() if cheat.script else None
        layer = Layer(cheat.name, files, script)
        hidden = (CANARY,) if cheat.knows_the_word else (CANARY, ANSWER)
        if not cheat.stops_the_check:
            return self._run(name, STARTER, layer, hidden, cheat.leaves)
        engine = HastyEngine(self.sandbox.engine.hub_id)
        try:
            hasty = replace(self, sandbox=HastySandbox(engine), timeout_s=HASTY_S)
            return hasty._run(name, STARTER, layer, hidden, cheat.leaves)
        finally:
            engine.close()

    def _run(
        self,
        name: str,
        answer: str,
        layer: Layer | None = None,
        hidden: tuple[str, ...] = (CANARY,),
        leaves: str = "",
    ) -> Seen:
        course, lesson = self.lesson(name)
        place = Place(UserName("mallory"), course.name, lesson.name)
        layers = [*answer_layers(self.course_folder, lesson, answer), *([layer] if layer else [])]
        step = lesson.step(STEP)
        assert step.check is not None
        if self.timeout_s is not None:
            step = replace(step, check=replace(step.check, timeout_s=self.timeout_s))
        is_looked_at = step.check.kind is CheckKind.MACHINE
        has_script = any(each.script is not None for each in layers)
        quiet = None if is_looked_at or has_script else self.quiet
        with (
            answered_machine(self.sandbox.engine, lesson, layers)
            if quiet is None
            else quiet.answered(lesson, layers)
        ) as machine_id:
            outcome = run_check(
                self.sandbox,
                OneCourse(self.course_folder),
                place,
                course,
                lesson,
                step,
                machine_id,
                EXPECTED[name],
            )
            leaks = self._find_leaks(machine_id, hidden)
            left = self._read(machine_id, leaves) if leaves else ""
        if leaks and quiet is not None:
            quiet.drop(lesson)
        return Seen(outcome, answers_for_student(place, outcome), leaks, left)

    def _find_leaks(self, machine_id: str, words: tuple[str, ...]) -> tuple[str, ...]:
        """Give the words that are in a machine's files, each with the folder that it is in.

        Docker starts a process for each folder that it is asked for. Where it keeps changes in a
        folder that we may look into, that is read instead: what is not there is as in the image.
        """
        kept = self.client.inspect_container(machine_id)["GraphDriver"]["Data"] or {}
        changes = Path(kept.get("UpperDir") or "")
        is_open = changes.is_absolute() and os.access(changes, os.R_OK | os.X_OK)
        leaks: list[str] = []
        for folder in _WRITABLE:
            read = _read_folder(f"{changes}{folder}") if is_open else self._tar(machine_id, folder)
            leaks += [f"{word} in {folder}" for word in _find(read, words)]
        return tuple(leaks)

    def _tar(self, machine_id: str, folder: str) -> Iterator[bytes]:
        with contextlib.suppress(NotFound):
            yield from self.client.get_archive(machine_id, folder)[0]

    def _read(self, machine_id: str, path: str) -> str:
        """Give the beginning of a file of a machine; empty where it is not there."""
        try:
            chunks, _stat = self.client.get_archive(machine_id, path)
        except NotFound:
            return ""
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            file = archive.extractfile(archive.getmembers()[0])
            return file.read(1000).decode(errors="replace") if file else ""


def _find(pieces: Iterator[bytes], words: tuple[str, ...]) -> set[str]:
    """Give those of some words that are in the beginning of a stream."""
    found: set[str] = set()
    seen, end = 0, b""
    for piece in pieces:
        data = end + piece
        found.update(word for word in words if word.encode() in data)
        # As in a tar, where a million empty files are no quick look either.
        seen, end = seen + len(piece) + 512, data[-100:]
        if seen > _LOOKED_AT_BYTES:
            break
    return found


def _read_folder(folder: str) -> Iterator[bytes]:
    """Give all that is below a folder: names, what links say, and what is in files."""
    waiting = [folder]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                yield b"\n" + os.fsencode(entry.name)
                with contextlib.suppress(OSError):  # what runs there may remove or lock it
                    if entry.is_symlink():
                        yield b"\n" + os.fsencode(os.readlink(entry.path))  # noqa: PTH115
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield b"\n"
                        yield from _read_file(entry.path)


def _read_file(path: str) -> Iterator[bytes]:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        while data := file.read(1 << 20):
            yield data
