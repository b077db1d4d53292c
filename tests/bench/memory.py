"""``make bench-memory``: what a student with the IDE open holds in memory, beside stock.

Ours first, then stock DockerSpawner, each alone on one hub with the same image: so many servers
are started, in each JupyterLab's page and what it asks for are fetched, and a shell is opened in
a terminal that stays connected. Then PSS is read (``tests/bench/held_memory.py``), how much less
memory the host has available, and, once all are stopped, that nothing is held and the containers
are there still. ``make bench-hundred`` does it with a hundred of ours and holds them for a while.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click
from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.bench.bench_hub import OURS, STOCK, BenchHub, is_alive, running
from tests.bench.figures import describe_machine, load_now, markdown_table, share_of, write_rows
from tests.bench.held_memory import MIB, Held, available_bytes, held_by, total_bytes
from tests.hub.trial_hub import Student

AT_ONCE = 8
"""Servers that are started together."""
SETTLE_S = 5.0
ASKED = (
    "lab",
    "lab/api/settings",
    "lab/api/translations/en",
    "lab/api/workspaces/default",
    "api/contents?content=1",
    "api/contents/work?content=1",
    "api/kernelspecs",
    "api/sessions",
    "api/kernels",
    "api/terminals",
    "api/me",
)
"""What JupyterLab's page fetches when it opens; of the lesson's panel: ``hexhub/lesson``."""
GOAL_MB = 90
ROOM_BYTES = 24 * 1024**3
KEPT_BYTES = 2 * 1024**3
"""Of 24 GiB, for the system, Docker and HexHub itself."""


class Terminals:
    """Terminals that stay connected, as the page of an open IDE keeps them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open: list[WebSocketClientConnection] = []

    def open(self, student: Student, server: str) -> None:
        """Open a terminal, wait until its shell has answered, and leave it open.

        Raises:
            TimeoutError: It does not.
        """
        asyncio.run_coroutine_threadsafe(self._connect(student, server), self._loop).result(150)

    async def _connect(self, student: Student, server: str) -> None:
        base = f"/user/{student.name}/{server}/"
        answer = await asyncio.to_thread(_post, student, f"{base}api/terminals")
        cookies = "; ".join(f"{c.name}={c.value}" for c in student.client.cookies.jar)
        address = f"{str(student.client.base_url).replace('http', 'ws', 1).rstrip('/')}{base}"
        request = HTTPRequest(
            f"{address}terminals/websocket/{answer['name']}", headers={"Cookie": cookies}
        )
        socket = await websocket_connect(request)
        self._open.append(socket)
        await socket.write_message(json.dumps(["stdin", "echo $((6*7))\r"]))
        said = ""
        while "42\\r" not in said:
            message = await asyncio.wait_for(socket.read_message(), 120)
            said += str(message)

    def close(self) -> None:
        """Close them all."""

        async def close_all() -> None:
            for socket in self._open:
                socket.close()

        asyncio.run_coroutine_threadsafe(close_all(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


def _post(student: Student, path: str) -> dict[str, str]:
    tokens = [c.value or "" for c in student.client.cookies.jar if c.name == "_xsrf"]
    for token in reversed(tokens):
        answer = student.client.post(path, headers={"X-XSRFToken": token, "Sec-Fetch-Mode": "cors"})
        if answer.status_code == 200:
            found: dict[str, str] = answer.json()
            return found
    raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")


@dataclass(frozen=True)
class Crowd:
    """What many students of one way hold together.

    Attributes:
        way: "ours" or "stock".
        held: Of each container.
        less_available: By how much less memory the host has available.
        after_stop: PSS of all of them once they are stopped.
        kept: Containers that are there still.
        silent: Servers that did not answer at the end.
    """

    way: str
    held: Sequence[Held]
    less_available: int
    after_stop: int
    kept: int
    silent: int


def measure(hub: BenchHub, way: str, count: int, hold_s: float) -> Crowd:
    """Open the IDE for so many students, measure, stop them all, measure again."""
    server = STOCK if way == "stock" else OURS
    students = [hub.student(way) for _ in range(count)]
    before = available_bytes()
    terminals = Terminals()

    def come(student: Student) -> None:
        opened = hub.open(student, server)
        if opened.fault:
            raise click.ClickException(f"{student.name}: {opened.fault}")
        more = () if way == "stock" else ("hexhub/lesson",)
        for path in (*ASKED, *more):
            answer = student.client.get(f"/user/{student.name}/{server}/{path}")
            if answer.status_code != 200:
                raise click.ClickException(f"{student.name}: {path}: {answer.status_code}")
        terminals.open(student, server)

    try:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            for number, _ in enumerate(threads.map(come, students), 1):
                if number % 10 == 0:
                    click.echo(f"{number} {way} are there; load {load_now():.1f}", err=True)
        time.sleep(max(SETTLE_S, hold_s))
        names = hub.machine_ids()
        held = [held_by(hub.client, each) for each in names.values()]
        less = before - available_bytes()
        silent = sum(not is_alive(student, server) for student in students)
    finally:
        terminals.close()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda student: hub.stop(student, server), students))
    after = [
        held_by(hub.client, str(each["Id"])).pss
        for each in hub.containers()
        if each["State"] == "running"
    ]
    kept = len(hub.machine_ids())
    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(lambda student: hub.remove(student, server), students))
    return Crowd(way, held, less, sum(after), kept, silent)


def show_table(crowds: Sequence[Crowd]) -> str:
    """Give what a student holds, and how many fit, as a table in Markdown."""
    rows = []
    for crowd in crowds:
        count = len(crowd.held)
        pss = [each.pss / MIB for each in crowd.held]
        whole = crowd.less_available / count
        rows.append(
            [
                crowd.way,
                str(count),
                f"{statistics.fmean(pss):.0f}",
                f"{share_of(pss, 0.95):.0f}",
                f"{statistics.fmean(each.private for each in crowd.held) / MIB:.0f}",
                f"{statistics.fmean(each.shim for each in crowd.held) / MIB:.0f}",
                f"{whole / MIB:.0f}",
                f"{int((ROOM_BYTES - KEPT_BYTES) / whole) if whole > 0 else 0}",
                f"{crowd.after_stop / MIB:.0f}",
                str(crowd.kept),
                str(crowd.silent),
            ]
        )
    head = ["way", "students", "PSS MB", "p95", "private MB", "shim MB", "host MB each"]
    head += ["fit in 24 GiB", "MB after stop", "kept", "silent"]
    return markdown_table(head, rows)


@click.command()
@click.option("-n", "count", default=10, show_default=True, help="Students of each way.")
@click.option("--only", type=click.Choice(["ours", "stock"]), help="Measure this way only.")
@click.option("--hold", default=0.0, help="Seconds for which they are held before measuring.")
@click.option("--csv", "csv_path", default="test-results/bench-memory.csv", show_default=True)
def main(count: int, only: str | None, hold: float, csv_path: str) -> None:
    """Measure what students with the IDE open hold in memory; takes root."""
    click.echo(
        f"{describe_machine()}; load {load_now():.2f} at the start, "
        f"{available_bytes() / MIB:.0f} of {total_bytes() / MIB:.0f} MB available"
    )
    crowds: list[Crowd] = []
    with (
        tempfile.TemporaryDirectory(prefix="hexhub-bench-") as name,
        running(Path(name) / "hub", pool=0) as hub,
    ):
        for way in (only,) if only else ("ours", "stock"):
            # Once, uncounted: what the first one brings into the page cache is everybody's.
            measure(hub, way, 1, 0.0)
            crowds.append(measure(hub, way, count, hold))
    write_rows(
        Path(csv_path),
        ["way", "pss", "private", "shim"],
        ([crowd.way, h.pss, h.private, h.shim] for crowd in crowds for h in crowd.held),
    )
    click.echo(f"\n{show_table(crowds)}\n\nThe goal is {GOAL_MB} MB of PSS for each of ours.")
    sys.exit(1 if any(crowd.silent or crowd.after_stop for crowd in crowds) else 0)


if __name__ == "__main__":
    main()
