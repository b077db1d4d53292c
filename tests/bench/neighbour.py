"""What one student's abuse costs another: from Enter to the answer, with and without it.

Somebody presses Enter in the terminal of their IDE over and over: through the proxy and Jupyter
their shell runs ``/bin/true`` and says a word. Beside them another student opens a machine, with
the limits of the same lesson, and one abuse runs in it; then the next one with another. Each
measurement with an abuse follows one without. Wanted: p50 and p95 stay below twice what they are
without.

A full disk is one that its limit holds. Where Docker's storage on this computer can hold none, a
second Docker with its folder on a btrfs in a mounted file (docs/isolation.md) is measured, too; on
the storage that cannot, the endless writer writes the same file over and over.
"""

import asyncio
import itertools
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from hexhub.launch import holds_disk_quota
from hexhub.machines import connect_docker
from hexhub.names import machine_name
from tests.bench.figures import describe_machine, load_now, markdown_table, share_of, write_rows
from tests.hub.second_docker import HUB_ADDRESS, SecondDocker
from tests.hub.terminal import Connection, Terminal
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import Student, TrialHub

IMAGE = "hexhub/base"
LESSON = server_of("plain")
LIMITS = "512 MB of memory, 1 processor, 200 processes, 1 GB of disk"
PAUSE_S = 0.1
SETTLE_S = 3.0
HERE = "here"
MOUNTED = "btrfs in a mounted file"

ABUSES = {
    "nothing": "exec sleep infinity",
    "fork bomb": "bomb() { bomb | bomb & }; while :; do bomb; sleep 0.1; done",
    "memory hog": "while :; do python3 -c 'x = [bytearray(2**24) for _ in range(10**6)]'; done",
    "busy loops": "for i in $(seq 16); do while :; do :; done & done; wait",
    "endless writer": (
        "while :; do dd if=/dev/zero of=$HOME/endless bs=64k count=8192 conv=fsync; done"
    ),
    "full disk": "while :; do dd if=/dev/zero of=$HOME/full-$((i++)) bs=1M; sleep 0.05; done",
}
ON_ANY_STORAGE = tuple(name for name in ABUSES if name != "full disk")
ON_DISK = ("nothing", "endless writer", "full disk")


@dataclass(frozen=True)
class Ground:
    """Where machines run.

    Attributes:
        name: Of their storage.
        environment: Of docker's client and of HexHub.
    """

    name: str
    environment: dict[str, str]

    def docker(self, *arguments: str) -> str:
        """Give what a docker command prints."""
        return subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        ).stdout


@dataclass(frozen=True)
class Measured:
    """Round trips at the prompt, in milliseconds.

    Attributes:
        ground: Name of the storage.
        abuse: What ran beside it.
        without, beside: Before the abuse, and during it.
    """

    ground: str
    abuse: str
    without: Sequence[float]
    beside: Sequence[float]


async def press_enter(connection: Connection, seconds: float) -> list[float]:
    """Press Enter again and again, and give the milliseconds until each answer."""
    trips = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        word = secrets.token_hex(3)
        began = time.perf_counter()
        await connection.type(f"/bin/true; echo {word}''-said", until=f"{word}-said")
        trips.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(PAUSE_S)
    return trips


class Class:
    """A HexHub with one student at work and others who come, abuse their machine, and go."""

    def __init__(self, ground: Ground, hub: TrialHub) -> None:
        self._ground = ground
        self._hub = hub
        self._numbers = itertools.count(1)
        self._neighbour = Student(hub, "neighbour")
        self._open(self._neighbour)
        self._terminal = Terminal(self._neighbour, LESSON)

    def measure(self, abuse: str, seconds: float) -> Measured:
        """Measure without the abuse for half of the time, then beside it."""
        abuser = Student(self._hub, f"abuser-{next(self._numbers)}")
        self._open(abuser)
        machine = machine_name(self._hub.hub_id, abuser.name, LESSON)

        async def both() -> tuple[list[float], list[float]]:
            async with self._terminal.connected() as connection:
                await press_enter(connection, 1)
                without = await press_enter(connection, seconds / 2)
                self._ground.docker(
                    *("exec", "--detach", machine, "bash", "-c", f"({ABUSES[abuse]}) 2>/dev/null")
                )
                await asyncio.sleep(SETTLE_S)
                return without, await press_enter(connection, seconds)

        try:
            return Measured(self._ground.name, abuse, *asyncio.run(both()))
        finally:
            self._ground.docker("rm", "--force", "--volumes", machine)
            abuser.client.close()

    def close(self) -> None:
        """Close the connections."""
        self._neighbour.client.close()

    def _open(self, student: Student) -> None:
        answer = self._hub.open(student, LESSON)
        if answer.status_code != 201:
            raise click.ClickException(f"{student.name}: {answer.status_code} {answer.text}")


@contextmanager
def second_ground(folder: Path) -> Iterator[Ground]:
    """Give a second Docker whose storage holds the disk of a machine at its limit."""
    second = SecondDocker(folder, in_memory=False)
    try:
        second.start()
        second.take_image(IMAGE)
        yield Ground(MOUNTED, {**second.environment, "HEXHUB_GATE_ADDRESS": HUB_ADDRESS})
    finally:
        second.remove()


def measure_all(
    ground: Ground,
    folder: Path,
    abuses: Sequence[str],
    seconds: float,
    say: Callable[[str], None],
) -> list[Measured]:
    """Measure abuses, one after another, with one HexHub."""
    hub = TrialHub(folder, ground.environment)
    found = []
    try:
        hub.start()
        students = Class(ground, hub)
        for abuse in abuses:
            found.append(students.measure(abuse, seconds))
            say(f"{ground.name}: {abuse} is measured; load {load_now():.1f}")
        students.close()
    finally:
        hub.remove()
    return found


def show_table(measured: Sequence[Measured]) -> str:
    """Give the figures as a table in Markdown."""
    rows = []
    for each in measured:
        shares = (0.5, 0.95)
        without = [share_of(each.without, share) for share in shares]
        beside = [share_of(each.beside, share) for share in shares]
        ratios = [b / w for b, w in zip(beside, without, strict=True)]
        rows.append(
            [
                each.ground,
                each.abuse,
                *(f"{ms:.1f}" for ms in without),
                str(len(each.without)),
                *(f"{ms:.1f}" for ms in beside),
                str(len(each.beside)),
                *(f"{ratio:.2f}" for ratio in ratios),
                "yes" if max(ratios) < 2 else "**no**",
            ]
        )
    head = ["storage", "beside it", "p50 without", "p95 without", "n", "p50 beside", "p95 beside"]
    head += ["n", "ratio p50", "ratio p95", "below twice"]
    return markdown_table(head, rows, texts=2)


@click.command()
@click.option("--seconds", default=20.0, show_default=True, help="Beside each abuse.")
@click.option("--only", multiple=True, type=click.Choice(list(ABUSES)), help="These abuses only.")
@click.option("--csv", "csv_path", default="test-results/bench-neighbour.csv", show_default=True)
def main(seconds: float, only: Sequence[str], csv_path: str) -> None:
    """Measure what one student's abuse costs at another's prompt; takes root."""
    if os.geteuid() != 0:
        sys.exit("This measures with a second Docker and a mounted file: run it as root.")
    click.echo(f"{describe_machine()}; load {load_now():.2f} at the start. Limits: {LIMITS}")
    client = connect_docker()
    holds_quota = holds_disk_quota(client, IMAGE)
    client.close()
    chosen = set(only or ABUSES)

    def say(line: str) -> None:
        click.echo(line, err=True)

    with tempfile.TemporaryDirectory(prefix="hexhub-bench-") as name:
        folder = Path(name)
        wanted = [each for each in ABUSES if each in chosen]
        here = [each for each in wanted if holds_quota or each in ON_ANY_STORAGE]
        measured = measure_all(Ground(HERE, {}), folder / "here", here, seconds, say)
        there = [each for each in wanted if each in ON_DISK and not holds_quota]
        if there:
            (folder / "docker").mkdir()
            with second_ground(folder / "docker") as ground:
                measured += measure_all(ground, folder / "there", there, seconds, say)
    write_rows(
        Path(csv_path),
        ["storage", "abuse", "is_beside", "ms"],
        (
            [each.ground, each.abuse, int(is_beside), f"{ms:.3f}"]
            for each in measured
            for is_beside, trips in ((False, each.without), (True, each.beside))
            for ms in trips
        ),
    )
    click.echo(f"\n{show_table(measured)}\n\nMilliseconds from Enter to the answer.")


if __name__ == "__main__":
    main()
