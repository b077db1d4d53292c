"""``make bench-checks``: what HexHub adds to the time of a check, beside plain ``docker run``.

The path is the real one: an attempt is put into a real SQLite file, as the web process does it; a
real ``hexhub worker`` in a process of its own finds the student's container by its labels, runs the
check in a container of the shipped image and stores the outcome. Nothing in it is replaced.

The figure of an attempt is from the request's row (``requested_at``) to the moment after the
outcome's transaction (the worker's log says it), less ``duration_s``: the time that the harness
measured around the author's command. Of ``docker run`` it is the wall time of the client's command
less the time that the shell in the container measured around the same author's command.

Where the time goes is read from the log of ``hexhub worker --verbose``. Every row goes to
``test-results/bench-checks.csv``.
"""

import csv
import os
import re
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import docker
import nbformat

from hexhub.catalog.model import Lesson
from hexhub.catalog.overlays import OverlayFile, starter_overlay
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.checks.containers import HUB_LABEL, KIND_LABEL, make_trial_machine
from hexhub.checks.engine import Engine
from hexhub.checks.model import OutcomeKind
from hexhub.checks.trial_machine import put_files
from hexhub.names import CourseName, LessonName, StepName, UserName, machine_name
from hexhub.progress.model import Attempt, AttemptState, Place
from hexhub.progress.store import Store
from tests.bench.figures import NAN, describe_machine, share_of

COURSE = CourseName("bench")
RUN = "pytest -q test_double.py"
TEST = """\
import os, subprocess, sys

def test_double():
    program = os.path.join(os.environ["HEXHUB_WORK"], "double.py")
    command = [sys.executable, "-I", program]
    said = subprocess.run(command, input="21", capture_output=True, text=True)
    assert said.stdout == "42\\n", "Twice 21 is 42."
"""
MACHINE_TEST = """\
def test_marked(machine):
    assert machine.exists("mark"), "There is no mark."
"""
RIGHT = "print(int(input()) * 2)\n"
WRONG = "print(int(input()) + 2)\n"
BOOK = "book.ipynb"
SOURCE = """\
def square(x):
    ### BEGIN SOLUTION
    return x * x
    ### END SOLUTION"""
PLAIN_SCRIPT = (
    "cp /given/test_double.py /tmp; cd /tmp; a=$(date +%s%N); "
    f"{RUN} -p no:cacheprovider >/tmp/said; code=$?; b=$(date +%s%N); "
    'echo "$((b - a)) $code"'
)
"""The same author's command; what is printed: its time in nanoseconds and its exit code."""
BOOK_RIGHT = "def square(x):\n    return x * x"
BOOK_WRONG = "def square(x):\n    return x + x"
PAUSE_S = 0.8
"""Between two attempts that come alone: what a student takes at the very least."""
IMPORTS_S = 5.0
"""What ten containers that wait for a notebook take to start IPython, once the last is there."""
QUICK_COUNT = 12
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Kind:
    """One kind of attempt that is measured."""

    name: str
    lesson: str
    answer: Mapping[str, str]
    wanted: OutcomeKind
    is_crowded: bool = False

    @property
    def pause_s(self) -> float:
        """Give how long to wait before an attempt."""
        return IMPORTS_S if self.lesson == "notebook" else PAUSE_S


def kinds() -> tuple[Kind, ...]:
    """Give what is measured: each kind of check, a right answer and a wrong one."""
    passed, failed = OutcomeKind.PASSED, OutcomeKind.FAILED
    return (
        Kind("files, right", "files", {"double.py": RIGHT}, passed, is_crowded=True),
        Kind("files, wrong", "files", {"double.py": WRONG}, failed, is_crowded=True),
        Kind("machine, right", "machine", {"mark": ""}, passed, is_crowded=True),
        Kind("machine, wrong", "machine", {"other": ""}, failed),
        Kind("notebook, right", "notebook", {BOOK: _book(BOOK_RIGHT)}, passed, is_crowded=True),
        Kind("notebook, wrong", "notebook", {BOOK: _book(BOOK_WRONG)}, failed),
    )


@dataclass(frozen=True)
class Row:
    """One attempt, or one ``docker run``; times in milliseconds."""

    way: str
    kind: str
    total_ms: float
    own_ms: float
    fault: str = ""
    is_warm: bool = False
    load: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)

    @property
    def overhead_ms(self) -> float:
        """Give what is not the tests' own time."""
        return self.total_ms - self.own_ms


# --- the course and the students' machines --------------------------------------------------------


def write_course(folder: Path) -> Path:
    """Write the course whose checks are measured, as an author would."""
    notebook = nbformat.writes(_source_notebook())
    limits = "limits: {memory: 256M, cpus: 1.0, processes: 128, disk: 1G, idle: 30m}\n"
    texts = {
        "course.yml": "schema: 1\ntitle: {en: Bench}\nsummary: {en: Three lessons.}\n"
        "locales: [en]\nimage: hexhub/python\nlessons: [files, machine, notebook]\n",
        "lessons/files/lesson.yml": "schema: 1\ntitle: {en: Files}\nnetwork: none\n"
        f"{limits}steps:\n  - id: step\n"
        f"    check: {{kind: files, run: {RUN}, submit: [double.py], timeout: 20s}}\n",
        "lessons/files/checks/test_double.py": TEST,
        "lessons/files/starter/double.py": WRONG,
        "lessons/machine/lesson.yml": "schema: 1\ntitle: {en: Machine}\nnetwork: none\n"
        f"image: hexhub/base\n{limits}steps:\n  - id: step\n"
        "    check: {kind: machine, run: pytest -q test_mark.py, timeout: 20s}\n",
        "lessons/machine/checks/test_mark.py": MACHINE_TEST,
        "lessons/notebook/lesson.yml": "schema: 1\ntitle: {en: Notebook}\nnetwork: none\n"
        f"image: hexhub/data\nnotebook: book.ipynb\n{limits}steps:\n  - id: step\n"
        "    check: {kind: notebook, timeout: 60s}\n",
        "lessons/notebook/lesson.ipynb": notebook,
    }
    for lesson in ("files", "machine", "notebook"):
        texts[f"lessons/{lesson}/en/README.md"] = "Theory.\n"
        texts[f"lessons/{lesson}/en/steps/step.md"] = "# Do it\n\nText.\n"
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _source_notebook() -> nbformat.NotebookNode:
    base = {"schema_version": 3, "locked": False, "task": False}
    solution = nbformat.v4.new_code_cell(
        SOURCE,
        metadata={"nbgrader": base | {"grade": False, "solution": True, "grade_id": "square"}},
    )
    test = nbformat.v4.new_code_cell(
        "assert square(3) == 9",
        metadata={
            "nbgrader": base
            | {"grade": True, "solution": False, "grade_id": "test_square", "points": 1}
        },
    )
    return nbformat.v4.new_notebook(cells=[solution, test])


def _book(source: str) -> str:
    """Give the student's notebook with this source in its one cell."""
    notebook = _source_notebook()
    notebook.cells[0].source = source
    return str(nbformat.writes(notebook))


class Machines:
    """Students' containers, idle, with the labels by which the worker finds them."""

    def __init__(self, engine: Engine, catalog: PublishedCatalog) -> None:
        self._engine = engine
        self._catalog = catalog
        self._client = docker.APIClient(version="auto")
        self._ids: list[str] = []

    def start(self, kind: Kind, user: str) -> Place:
        """Start one with the answer of ``kind`` in it."""
        course = self._catalog.course(COURSE)
        lesson = course.lesson(kind.lesson)
        place = Place(UserName(user), COURSE, LessonName(kind.lesson))
        arguments = make_trial_machine(
            lesson, hub_id=self._engine.hub_id, expires_at_s=time.time() + 7200
        )
        arguments["labels"] = {
            HUB_LABEL: self._engine.hub_id,
            KIND_LABEL: "student",
        }
        arguments["name"] = machine_name(self._engine.hub_id, place.user, lesson.server_name)
        made = self._client.create_container(**arguments)["Id"]
        self._ids.append(made)
        self._client.start(made)
        put_files(self._engine, made, lesson.user, self._answer(kind, lesson, course.version))
        return place

    def _answer(self, kind: Kind, lesson: Lesson, version: str) -> Mapping[str, object]:
        folder = self._catalog.folder(COURSE, version)
        given = {name: OverlayFile(text.encode()) for name, text in kind.answer.items()}
        return {**starter_overlay(folder, lesson), **given}

    def remove(self) -> None:
        """Remove them, and whatever else bears this hub's label."""
        left = self._client.containers(
            all=True, filters={"label": f"{HUB_LABEL}={self._engine.hub_id}"}
        )
        for container in left:
            # A worker that was stopped in the middle may be removing some itself.
            with suppress(docker.errors.APIError):
                self._client.remove_container(container["Id"], force=True, v=True)
        self._client.close()


# --- the worker -----------------------------------------------------------------------------------

_LINE = re.compile(r"^(\S+ \S+) (\S+) (\S+) \[(.*?)\]: (.*)$")
_PHASE = re.compile(r"^(.*): ([0-9.]+) ms$")
_STORED = re.compile(r"^Attempt (\w+) .*?: \S.*, ([0-9]+) ms after it was asked for\.$")
_WAITING = re.compile(r"^(\d+) of (\d+) check containers wait\.$")


class WorkerLog:
    """What the worker says, taken apart: attempt's first eight digits → phases and total."""

    def __init__(self) -> None:
        self.phases: dict[str, dict[str, float]] = defaultdict(dict)
        self.total_ms: dict[str, float] = {}
        self.others: list[str] = []
        self.is_taking = False
        self.waiting = (0, 0)
        self.said = threading.Condition()

    def take(self, line: str) -> None:
        """Take one line in."""
        found = _LINE.match(line.rstrip())
        if found is None:
            self.others.append(line.rstrip())
            return
        level, thread, text = found[2], found[4], found[5]
        attempt = thread.removeprefix("attempt-")
        with self.said:
            if (part := _PHASE.match(text)) is not None:
                phases = self.phases[attempt]
                phases[part[1]] = phases.get(part[1], 0.0) + float(part[2])
            elif (stored := _STORED.match(text)) is not None:
                self.total_ms[stored[1][:8]] = float(stored[2])
            elif (waits := _WAITING.match(text)) is not None:
                self.waiting = (int(waits[1]), int(waits[2]))
            elif " takes attempts, " in text:
                self.is_taking = True
            elif level in ("WARNING", "ERROR"):
                self.others.append(line.rstrip())
            self.said.notify_all()


@contextmanager
def working(folder: Path, hub_id: str, options: Sequence[str]) -> Iterator[WorkerLog]:
    """Run ``hexhub worker`` as a process while the block lasts."""
    heard = WorkerLog()
    environment = {**os.environ, "HEXHUB_STATE": str(folder), "HEXHUB_HUB_ID": hub_id}
    for name in ("HEXHUB_DATABASE_URL", "HEXHUB_INFLUX_URL"):
        environment.pop(name, None)
    program = Path(sys.executable).with_name("hexhub")
    with subprocess.Popen(
        [program, "worker", "--verbose", *options],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def listen() -> None:
            assert process.stderr is not None
            for line in process.stderr:
                heard.take(line)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            with heard.said:
                heard.said.wait_for(lambda: heard.is_taking, PATIENCE_S)
            if process.poll() is not None or not heard.is_taking:
                raise click.ClickException("No worker:\n" + "\n".join(heard.others))
            yield heard
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            listener.join(10)


# --- measuring ------------------------------------------------------------------------------------


class Bench:
    """Takes the measurements of one run of the worker."""

    def __init__(self, store: Store, catalog: PublishedCatalog, heard: WorkerLog) -> None:
        self._store = store
        self._version = catalog.course(COURSE).version
        self._heard = heard

    def submit(self, place: Place) -> Attempt:
        """Put an attempt into the queue."""
        if place.lesson != "machine":
            self._heard.waiting = (0, 0)
        return self._store.submit(place, StepName("step"), self._version)[0]

    def fill(self) -> None:
        """Wait until all check containers wait that the worker wants to have waiting."""
        with self._heard.said:
            self._heard.said.wait_for(
                lambda: 0 < self._heard.waiting[0] == self._heard.waiting[1], PATIENCE_S
            )

    def wait_for(self, attempt: Attempt, kind: Kind, way: str) -> Row:
        """Wait until the worker has stored the outcome, and give the row of it."""
        short = attempt.id[:8]
        with self._heard.said:
            self._heard.said.wait_for(lambda: short in self._heard.total_ms, PATIENCE_S)
        done = self._store.attempt(attempt.id)
        load = os.getloadavg()[0]
        if done.state is not AttemptState.DONE or done.outcome is None:
            return Row(way, kind.name, 0.0, 0.0, f"{done.state.value} after {PATIENCE_S:g} s")
        fault = ""
        if done.outcome.kind is not kind.wanted or done.tries != 1:
            fault = f"{done.outcome.kind.value} in try {done.tries}: {done.outcome.message}"
        own_ms = done.outcome.duration_s * 1000
        phases = dict(self._heard.phases[short])
        phases["harness"] = phases.pop("talk", own_ms) - own_ms
        phases["store, rest"] = self._heard.total_ms[short] - own_ms - sum(phases.values())
        phases["own time"] = own_ms
        return Row(
            way,
            kind.name,
            self._heard.total_ms[short],
            own_ms,
            fault,
            is_warm="create" not in phases,
            load=load,
            phases=phases,
        )


def run_plain(given: Path) -> Row:
    """Time ``docker run`` of the author's command, with the same image and files."""
    command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "sh"]
    command += ["-v", f"{given}:/given:ro", "-e", "HEXHUB_WORK=/given"]
    command += ["-e", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", "-e", "PYTHONDONTWRITEBYTECODE=1"]
    command += ["-e", "PATH=/opt/check/bin:/usr/local/bin:/usr/bin:/bin", "hexhub/python"]
    began_s = time.perf_counter()
    said = subprocess.run([*command, "-c", PLAIN_SCRIPT], capture_output=True, text=True)
    total_ms = (time.perf_counter() - began_s) * 1000
    own_ns, _, code = said.stdout.strip().partition(" ")
    load = os.getloadavg()[0]
    if said.returncode != 0 or code != "0":
        return Row("docker run", "files, right", 0.0, 0.0, said.stderr.strip() or said.stdout)
    return Row("docker run", "files, right", total_ms, int(own_ns) / 1e6, load=load)


def run_plain_at_once(given: Path, count: int) -> list[Row]:
    """Time several ``docker run`` at once."""
    rows: list[Row] = []
    threads = [threading.Thread(target=lambda: rows.append(run_plain(given))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    way = f"docker run, {count} at once"
    return [Row(way, r.kind, r.total_ms, r.own_ms, r.fault, load=r.load) for r in rows]


# --- what is told ---------------------------------------------------------------------------------


def show_table(rows: Sequence[Row]) -> str:
    """Give p50, p95, max and n of every way and kind, as a table in Markdown."""
    lines = [
        "| way | check | p50 ms | p95 ms | max ms | n | warm | failures | own time p50 ms | load |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (way, kind), group in _grouped(rows).items():
        good = [row for row in group if not row.fault]
        overhead = [row.overhead_ms for row in good] or [NAN]
        lines.append(
            f"| {way} | {kind} | {share_of(overhead, 0.5):.0f} | {share_of(overhead, 0.95):.0f} "
            f"| {max(overhead):.0f} | {len(group)} | {sum(row.is_warm for row in group)} "
            f"| {len(group) - len(good)} "
            f"| {statistics.median([row.own_ms for row in good] or [0.0]):.0f} "
            f"| {statistics.median([row.load for row in group]):.1f} |"
        )
    return "\n".join(lines)


def show_phases(rows: Sequence[Row]) -> str:
    """Give the median of every phase, as a table in Markdown."""
    grouped = {k: [r for r in g if not r.fault] for k, g in _grouped(rows).items()}
    grouped = {key: group for key, group in grouped.items() if group and group[0].phases}
    names: list[str] = []
    for group in grouped.values():
        names += [name for row in group for name in row.phases]
    names = list(dict.fromkeys(names))
    lines = [
        f"| way | check | {' | '.join(names)} |",
        f"|---|---|{'--:|' * len(names)}",
    ]
    for (way, kind), group in grouped.items():
        cells = []
        for name in names:
            values = [row.phases[name] for row in group if name in row.phases]
            cells.append(f"{statistics.median(values):.1f}" if values else "")
        lines.append(f"| {way} | {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.way, row.kind), []).append(row)
    return groups


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write every row."""
    names = sorted({name for row in rows for name in row.phases})
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        head = ["way", "kind", "total_ms", "own_ms", "overhead_ms", "is_warm", "load", "fault"]
        out.writerow([*head, *names])
        for row in rows:
            times = [f"{ms:.1f}" for ms in (row.total_ms, row.own_ms, row.overhead_ms)]
            facts = [row.way, row.kind, *times, row.is_warm, f"{row.load:.2f}", row.fault]
            out.writerow([*facts, *(row.phases.get(name, "") for name in names)])


@click.command()
@click.option("-n", "count", default=50, show_default=True, help="Attempts of each kind and way.")
@click.option("--quick", is_flag=True, help=f"For a first look: {QUICK_COUNT} attempts of each.")
@click.option("--at-once", default=10, show_default=True, help="How many press Check together.")
@click.option("--slots", type=int, help="Of the worker; its own default if not given.")
@click.option("--warm", type=int, help="Of the worker; its own default if not given.")
@click.option("--only", multiple=True, help="Measure this kind only, such as 'files, right'.")
@click.option("--way", "ways", multiple=True, help="'warm', 'cold', 'at once'; all if not given.")
@click.option("--csv", "csv_path", default="test-results/bench-checks.csv", show_default=True)
def main(
    count: int,
    quick: bool,
    at_once: int,
    slots: int | None,
    warm: int | None,
    only: Sequence[str],
    ways: Sequence[str],
    csv_path: str,
) -> None:
    """Measure the overhead of checks, and print it beside that of plain ``docker run``."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    hub_id = f"bench-{secrets.token_hex(4)}"
    count = min(count, QUICK_COUNT) if quick else count
    rows: list[Row] = []
    chosen = [kind for kind in kinds() if not only or kind.name in only]
    slots_option = ["--slots", str(slots)] if slots else []
    click.echo(f"{describe_machine()}; load {os.getloadavg()[0]:.2f} at the start")
    with tempfile.TemporaryDirectory(prefix="hexhub-bench-") as name:
        folder = Path(name)
        given = folder / "given"
        given.mkdir()
        (given / "double.py").write_text(RIGHT)
        (given / "test_double.py").write_text(TEST)
        catalog = PublishedCatalog(folder / "catalog")
        source = write_course(folder / COURSE)
        catalog.publish(source, read_course(source), {})
        store = Store(f"sqlite:///{folder / 'hexhub.sqlite'}")
        store.migrate()
        engine = Engine(hub_id)
        machines = Machines(engine, catalog)
        try:
            alone = [(kind, machines.start(kind, f"alone{i}")) for i, kind in enumerate(chosen)]
            crowd = {
                kind.name: [machines.start(kind, f"crowd{i}-{n}") for n in range(at_once)]
                for i, kind in enumerate(chosen)
                if kind.is_crowded and (not ways or "at once" in ways)
            }
            for way, options in (
                ("warm", ["--warm", str(warm)] if warm is not None else []),
                ("cold", ["--warm", "0"]),
            ):
                with working(folder, hub_id, [*slots_option, *options]) as heard:
                    bench = Bench(store, catalog, heard)
                    if not ways or way in ways:
                        measure_alone(rows, bench, alone, way, count, given)
                    if not ways or "at once" in ways:
                        measure_crowd(rows, bench, chosen, crowd, way, count, given)
                for line in heard.others:
                    click.echo(f"worker: {line}")
        except KeyboardInterrupt:
            click.echo("Interrupted; what was measured until now:")
        finally:
            machines.remove()
            engine.close()
            store.close()
    write_csv(Path(csv_path), rows)
    click.echo(f"\nOverhead: total less the tests' own time\n\n{show_table(rows)}")
    click.echo(f"\nMedians of the phases, ms\n\n{show_phases(rows)}\n")
    faults = [row for row in rows if row.fault]
    for row in faults:
        click.echo(f"FAILED {row.way}, {row.kind}: {row.fault}")
    click.echo(f"{len(rows)} measured, {len(faults)} failed; every row is in {csv_path}")
    sys.exit(1 if faults else 0)


def measure_alone(
    rows: list[Row],
    bench: Bench,
    alone: Sequence[tuple[Kind, Place]],
    way: str,
    count: int,
    given: Path,
) -> None:
    """One attempt after the other, each followed by a ``docker run`` and a pause."""
    for kind, place in alone:
        for _ in range(count):
            if way == "warm" and kind.lesson != "machine":
                bench.fill()
            time.sleep(kind.pause_s)
            rows.append(bench.wait_for(bench.submit(place), kind, way))
            if kind.name == "files, right":
                time.sleep(PAUSE_S)
                rows.append(run_plain(given))


def measure_crowd(
    rows: list[Row],
    bench: Bench,
    chosen: Sequence[Kind],
    crowd: Mapping[str, Sequence[Place]],
    way: str,
    count: int,
    given: Path,
) -> None:
    """Several students at the same moment, again and again."""
    for kind in chosen:
        places = crowd.get(kind.name)
        if not places:
            continue
        label = f"{way}, {len(places)} at once"
        for number in range(-(-count // len(places)) + 1):
            if way == "warm" and kind.lesson != "machine":
                bench.fill()
            time.sleep(kind.pause_s)
            attempts = [bench.submit(place) for place in places]
            measured = [bench.wait_for(attempt, kind, label) for attempt in attempts]
            if number == 0:
                # What waits is what was asked for last; before, that was another lesson.
                continue
            rows += measured
            if kind.name == "files, right" and way == "cold":
                time.sleep(PAUSE_S)
                rows += run_plain_at_once(given, len(places))


if __name__ == "__main__":
    main()
