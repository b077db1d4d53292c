"""What one student's abuse costs another: round trips at a prompt, before and meanwhile.

Two machines are made from the spawner's own arguments, with the limits that a lesson has where it
names none. In one of them somebody presses Enter over and over (a line goes in, the shell runs
``/bin/true`` and gives the line back); in the other one abuse after another runs. Wanted: the p50
and p95 of the prompt stay below twice what they are without. Run it on a quiet machine:
``make bench-neighbour``.

What is written to disk is bounded here, since not every storage can hold a quota.
"""

import argparse
import json
import secrets
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hexhub.catalog.model import Lesson, Limits, MachineUser, Network, Text
from hexhub.machine_network import ensure_networks, remove_networks
from hexhub.machines import connect_docker, remove_machines
from hexhub.names import CourseName, LessonName
from spawner.container import make_container

IMAGE = "hexhub/base"
LESSON = Lesson(
    course=CourseName("bench"),
    name=LessonName("neighbour"),
    title=Text({"en": "Neighbour"}),
    image=IMAGE,
    user=MachineUser.STUDENT,
    limits=Limits(
        memory_bytes=768 * 1024**2, cpus=1.0, processes=256, disk_bytes=1024**3, idle_s=1800
    ),
    network=Network.NONE,
    steps=(),
    theory=Text({"en": ""}),
)
PROMPT = 'while read -r line; do /bin/true; echo "$line"; done'
ABUSES = {
    "nothing, again": "exec sleep infinity",
    "fork bomb": "bomb() { bomb | bomb & }; while :; do bomb; sleep 0.1; done 2>/dev/null",
    "memory hog": (
        "while :; do python3 -c 'x = [bytearray(2**24) for _ in range(10**6)]'; done 2>/dev/null"
    ),
    "busy loops": "for i in $(seq 16); do while :; do :; done & done; wait",
    "full disk": (
        "while dd if=/dev/zero of=$HOME/full-$((i++ % 4)) bs=1M count=512; do :; done 2>/dev/null"
    ),
    "endless writer": (
        "while :; do dd if=/dev/zero of=$HOME/endless bs=64k count=8192 conv=fsync; done "
        "2>/dev/null"
    ),
    "many small files": (
        "while :; do mkdir -p $HOME/m; for i in $(seq 3000); do : > $HOME/m/$i; done; "
        "rm -r $HOME/m; done"
    ),
}


class Prompt:
    """A shell in a machine, and somebody who presses Enter."""

    def __init__(self, machine: str) -> None:
        self._shell = subprocess.Popen(
            ["docker", "exec", "-i", machine, "bash", "-c", PROMPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def round_trip_s(self, line: bytes) -> float:
        """Press Enter once."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        began = time.perf_counter()
        self._shell.stdin.write(line + b"\n")
        self._shell.stdin.flush()
        said = self._shell.stdout.readline()
        took_s = time.perf_counter() - began
        assert said == line + b"\n", said
        return took_s

    def close(self) -> None:
        """Leave the shell."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        self._shell.stdin.close()
        self._shell.wait()
        self._shell.stdout.close()


@contextmanager
def machines() -> Iterator[tuple[str, str]]:
    """Give two machines of two students; they and their networks are removed in the end."""
    hub_id = secrets.token_hex(6)
    client = connect_docker()
    try:
        _, isolated = ensure_networks(client, hub_id)
        made = []
        for user in ("victim", "abuser"):
            arguments = make_container(LESSON, user=user, hub_id=hub_id, network=isolated.name)
            made.append(
                client.create_container(
                    **{**arguments, "entrypoint": ["/usr/bin/tini", "-g", "--", "sleep"]}
                    | {"command": ["infinity"]}
                )["Id"]
            )
            client.start(made[-1])
        yield made[0], made[1]
    finally:
        remove_machines(client, hub_id)
        remove_networks(client, hub_id)
        client.close()


def measure(prompt: Prompt, seconds: float) -> list[float]:
    """Press Enter ten times a second, and give the round trips in milliseconds."""
    found = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(1000 * prompt.round_trip_s(b"line %d" % len(found)))
        time.sleep(0.1)
    return found


def quantiles(rows: list[float]) -> tuple[float, float]:
    """Give p50 and p95."""
    return statistics.median(rows), statistics.quantiles(rows, n=20)[-1]


def measure_abuse(prompt: Prompt, abuser: str, abuse: str, seconds: float) -> list[float]:
    """Measure while an abuse runs; it is over afterwards, with all that it has written."""
    work = ["docker", "exec", "--detach", abuser, "bash", "-c", abuse]
    subprocess.run(work, check=True)
    time.sleep(2)
    rows = measure(prompt, seconds)
    # A machine full of processes takes no command any more; it is started afresh from outside.
    subprocess.run(["docker", "restart", "-t", "0", abuser], check=True, capture_output=True)
    clear = "rm -rf $HOME/full-* $HOME/endless $HOME/m; sync"
    subprocess.run(["docker", "exec", abuser, "bash", "-c", clear], check=True)
    return rows


def main() -> None:
    """Print a row for each abuse: p50 and p95 before, meanwhile, and their ratio."""
    parser = argparse.ArgumentParser(description="What one student's abuse costs another.")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement")
    parser.add_argument("--only", choices=ABUSES, action="append", help="this abuse")
    parser.add_argument("--rows", type=Path, help="where raw rows are kept, as JSON")
    options = parser.parse_args()
    kept: dict[str, dict[str, list[float]]] = {}
    print("milliseconds at another student's prompt: p50 / p95, and how many times the quiet one")
    with machines() as (victim, abuser):
        prompt = Prompt(victim)
        measure(prompt, 2)
        for name in options.only or ABUSES:
            quiet = measure(prompt, options.seconds / 2)
            meanwhile = measure_abuse(prompt, abuser, ABUSES[name], options.seconds)
            kept[name] = {"quiet": quiet, "meanwhile": meanwhile}
            (q50, q95), (m50, m95) = quantiles(quiet), quantiles(meanwhile)
            worst = max(m50 / q50, m95 / q95)
            print(
                f"{name:<18} quiet {q50:6.1f} /{q95:6.1f}   meanwhile {m50:6.1f} /{m95:6.1f}   "
                f"{m50 / q50:4.1f}x /{m95 / q95:4.1f}x   n={len(meanwhile)}"
                f"{'' if worst < 2 else '   more than twice'}",
                flush=True,
            )
        prompt.close()
    if options.rows:
        options.rows.write_text(json.dumps(kept))


if __name__ == "__main__":
    main()
