"""``make bench-start``: how long a student waits for a machine, beside stock DockerSpawner.

Four ways, in one run on one hub, proxy, image and network, in turns: *stock* DockerSpawner with
its best settings, ours *cold* (no container waits), ours *warm* (one waits), ours *resumed* (the
student's own machine, stopped). Then the *herd*: many students in one second while no container
waits, and what another student's page takes meanwhile.

Two clocks. *Server*: from the request to the hub's API until the server answers through the proxy.
*Click*: in real Chromium, from the click to 42 in the terminal (``tests/bench/click.py``).

A cold start follows at once on a warm one of somebody else, who took the one container that waited;
whether a start was warm is told by the container's id, which waited before or did not. Before each
other start all containers wait that shall, so that none is made meanwhile. Nothing is measured
while something is removed. Every row goes to ``test-results/bench-start.csv``.
"""

import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import httpx

from hexhub.names import machine_name
from tests.bench.bench_hub import COURSE, OURS, STOCK, BenchHub, Opened, running
from tests.bench.click import ClickFailed, Visitor, chromium
from tests.bench.figures import describe_machine, load_now, markdown_table, share_of, write_rows
from tests.bench.held_memory import MIB, held_by
from tests.hub.trial_hub import Student

PAUSE_S = 0.5
"""After a removal, before the next start."""
PAGE_PAUSE_S = 0.05
GOALS = {
    ("server", "warm"): "p50 250, p95 500",
    ("server", "cold"): "p50 1800",
    ("click", "warm"): "p50 1000",
    ("herd", "cold"): "last 7000",
    ("page", "during the herd"): "p95 150",
}
"""Of issue 5, on 2 cores, in milliseconds."""


@dataclass(frozen=True)
class Row:
    """One start, or one page; times in milliseconds."""

    clock: str
    way: str
    total_ms: float
    fault: str = ""
    load: float = 0.0


def row_of(clock: str, way: str, opened: Opened) -> Row:
    """Give the row of a start."""
    return Row(clock, way, opened.total_ms, opened.fault, load_now())


class Bench:
    """Takes the measurements."""

    def __init__(self, hub: BenchHub) -> None:
        self.hub = hub
        self.rows: list[Row] = []
        self.pool_bytes = 0

    def measure_server(self, count: int) -> None:
        """Measure every way ``count`` times by the server's clock, resumed half as often."""
        sleeper = self.hub.student("resumed")
        self._expect(self.hub.open(sleeper, OURS))
        for number in range(count):
            if number % 2:
                self._stock()
            self._warm_then_cold()
            if number % 2 == 0:
                self._resumed(sleeper)
                self._stock()
            _tell_progress("server", number + 1, count)
        self.hub.remove(sleeper, OURS)

    def _warm_then_cold(self) -> None:
        waited = set(self.hub.fill())
        if not self.pool_bytes:
            self.pool_bytes = sum(held_by(self.hub.client, each).pss for each in waited)
        lucky, late = self.hub.student("warm"), self.hub.student("cold")
        for student in (lucky, late):
            opened = self.hub.open(student, OURS)
            is_warm = not opened.fault and self._container_of(student) in waited
            self.rows.append(row_of("server", "warm" if is_warm else "cold", opened))
        for student in (lucky, late):
            self.hub.remove(student, OURS)
        time.sleep(PAUSE_S)

    def _stock(self) -> None:
        self.hub.fill()
        student = self.hub.student("stock")
        self.rows.append(row_of("server", "stock", self.hub.open(student, STOCK)))
        self.hub.remove(student, STOCK)
        time.sleep(PAUSE_S)

    def _resumed(self, sleeper: Student) -> None:
        self.hub.stop(sleeper, OURS)
        self.hub.fill()
        time.sleep(PAUSE_S)
        self.rows.append(row_of("server", "resumed", self.hub.open(sleeper, OURS)))

    def _container_of(self, student: Student) -> str:
        name = machine_name(self.hub.hub_id, student.name, OURS)
        return self.hub.machine_ids().get(name, "")

    def _expect(self, opened: Opened) -> None:
        if opened.fault:
            raise click.ClickException(f"{opened.fault}\n{self.hub.trial.output}")

    def measure_clicks(self, count: int) -> None:
        """Measure every way ``count`` times by the browser's clock, resumed half as often.

        One round before primes the browser's caches.
        """
        with chromium() as browser:
            visitors = {
                way: Visitor(browser, self.hub, way) for way in ("stock", "warm", "cold", "resumed")
            }
            for number in range(count + 1):
                orders = (("resumed", "warm", "cold", "stock"), ("stock", "warm", "cold"))
                for way in orders[number % 2]:
                    row = self._click(visitors[way])
                    if number > 0:
                        self.rows.append(row)
                    time.sleep(PAUSE_S)
                _tell_progress("click", number, count)

    def _click(self, visitor: Visitor) -> Row:
        visitor.prepare()
        waited = set(self.hub.fill())
        taker = self.hub.student("taker") if visitor.way == "cold" else None
        if taker is not None:
            self._expect(self.hub.open(taker, OURS))  # has the one container that waited
        way, took_ms, fault = visitor.way, 0.0, ""
        try:
            took_ms = visitor.click_to_42()
            if way in ("warm", "cold"):
                way = "warm" if self._container_of(visitor.student) in waited else "cold"
        except ClickFailed as exc:
            fault = str(exc)
        row = Row("click", way, took_ms, fault, load_now())
        visitor.leave(removes=visitor.way != "resumed")
        if taker is not None:
            self.hub.remove(taker, OURS)
        return row

    def measure_herd(self, size: int) -> None:
        """Let many students come in one second, and look at a page of another one meanwhile."""
        reader = self.hub.student("reader")
        with PageReader(reader) as before:
            time.sleep(3.0)
        self.rows += [Row("page", "before the herd", ms) for ms in before.times_ms]
        self.rows += [Row("page", "before the herd", 0.0, fault) for fault in before.faults]
        herd = [self.hub.student("herd") for _ in range(size)]
        began = time.perf_counter()
        finished: list[float] = []

        def come(number: int, student: Student) -> None:
            time.sleep(max(0.0, began + number / size - time.perf_counter()))
            opened = self.hub.open(student, OURS)
            finished.append(time.perf_counter() - began)
            self.rows.append(row_of("herd", "cold", opened))

        threads = [threading.Thread(target=come, args=each) for each in enumerate(herd)]
        with PageReader(reader) as meanwhile:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.rows.append(Row("herd", "last of all", max(finished) * 1000, load=load_now()))
        self.rows += [Row("page", "during the herd", ms) for ms in meanwhile.times_ms]
        self.rows += [Row("page", "during the herd", 0.0, fault) for fault in meanwhile.faults]
        for student in herd:
            self.hub.remove(student, OURS)


def _tell_progress(clock: str, number: int, count: int) -> None:
    if number % 10 == 0 or number == count:
        click.echo(f"{time.strftime('%H:%M:%S')} {clock}: {number} of {count} rounds", err=True)


class PageReader:
    """One who opens a page of HexHub again and again, and how long that takes."""

    def __init__(self, student: Student) -> None:
        self._client = student.client
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.times_ms: list[float] = []
        self.faults: list[str] = []
        self._open()  # logs in

    def __enter__(self) -> "PageReader":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _open(self) -> httpx.Response:
        return self._client.get(f"/services/hexhub/courses/{COURSE}")

    def _read(self) -> None:
        while not self._is_over.wait(PAGE_PAUSE_S):
            began = time.perf_counter()
            try:
                answer = self._open()
            except httpx.HTTPError as exc:
                self.faults.append(type(exc).__name__)
                continue
            if answer.status_code == 200:
                self.times_ms.append((time.perf_counter() - began) * 1000)
            else:
                self.faults.append(str(answer.status_code))


def show_table(rows: Sequence[Row]) -> str:
    """Give p50, p95, max, n and failures of every clock and way, with the goals beside."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.clock, row.way), []).append(row)
    lines = []
    for (clock, way), group in groups.items():
        times = [row.total_ms for row in group if not row.fault]
        lines.append(
            [
                clock,
                way,
                *(f"{each:.0f}" for each in (share_of(times, 0.5), share_of(times, 0.95))),
                f"{max(times, default=0.0):.0f}",
                str(len(group)),
                str(len(group) - len(times)),
                f"{share_of([row.load for row in group], 0.5):.1f}",
                GOALS.get((clock, way), ""),
            ]
        )
    head = ["clock", "way", "p50 ms", "p95 ms", "max ms", "n", "failed", "load", "goal"]
    return markdown_table(head, lines, texts=2)


@click.command()
@click.option("-n", "count", default=50, show_default=True, help="Starts of each way, server.")
@click.option("--clicks", default=50, show_default=True, help="Starts of each way, click.")
@click.option("--herd", default=30, show_default=True, help="Students who come in one second.")
@click.option(
    "--only",
    type=click.Choice(["server", "click", "herd"]),
    multiple=True,
    help="Measure this alone; may be given again.",
)
@click.option("--quick", is_flag=True, help="Six of each, and a herd of six.")
@click.option("--csv", "csv_path", default="test-results/bench-start.csv", show_default=True)
def main(
    count: int, clicks: int, herd: int, only: tuple[str, ...], quick: bool, csv_path: str
) -> None:
    """Measure starts, and print them beside those of stock DockerSpawner."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if quick:
        count, clicks, herd = min(count, 6), min(clicks, 6), min(herd, 6)
    if only:
        count, clicks, herd = (
            each if clock in only else 0
            for clock, each in (("server", count), ("click", clicks), ("herd", herd))
        )
    click.echo(f"{describe_machine()}; load {load_now():.2f} at the start")
    rows: list[Row] = []
    pool_bytes = 0
    with tempfile.TemporaryDirectory(prefix="hexhub-bench-") as name:
        try:
            if count or clicks:
                with running(Path(name) / "with-pool", pool=1) as hub:
                    bench = Bench(hub)
                    rows = bench.rows
                    if count:
                        bench.measure_server(count)
                    pool_bytes = bench.pool_bytes
                    if clicks:
                        bench.measure_clicks(clicks)
            if herd:
                with running(Path(name) / "without-pool", pool=0) as hub:
                    bench = Bench(hub)
                    bench.measure_herd(herd)
                    rows += bench.rows
        except KeyboardInterrupt:
            click.echo("Interrupted; what was measured until now:")
    write_rows(
        Path(csv_path),
        ["clock", "way", "total_ms", "load", "fault"],
        ([r.clock, r.way, f"{r.total_ms:.1f}", f"{r.load:.2f}", r.fault] for r in rows),
    )
    click.echo(f"\n{show_table(rows)}\n")
    if pool_bytes:
        click.echo(f"A container that waits holds {pool_bytes / MIB:.0f} MB (PSS); one waited.")
    faults = [row for row in rows if row.fault]
    for row in faults:
        click.echo(f"FAILED {row.clock}, {row.way}: {row.fault}")
    click.echo(f"{len(rows)} measured, {len(faults)} failed; every row is in {csv_path}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
