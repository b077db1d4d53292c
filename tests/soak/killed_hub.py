"""``make soak``: the hub killed at random moments for minutes, while students start and stop.

In rounds: students of one HexHub start and stop their machines without a pause, and the hub is
killed with -9 again and again, as often as the supervisor starts it anew. With the last kill of a
round the students pause; so many seconds after the hub answers again, each server must have exactly
one machine that runs, and nothing else may be left: no other machine that runs, none half-made or
half-claimed, no volume, network or token (``tests/hub/left_over.py``). After the last round each
student's lesson must open, in the one container that they have.

A container that waits for students becomes one's machine all the time, so that kills meet claims
as well as cold starts, resumes and stops.
"""

import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
import httpx

from tests.hub.left_over import left_over
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import Student, TrialHub

PLAIN = server_of("plain")
WITHIN_S = 30.0
"""Of issue 5: after a restart, all is put right within this time."""
POOL = """
c.MachinePool.memory = "512M"
c.MachinePool.most = 2
c.MachinePool.quiet_s = 0.1
c.MachinePool.patience_s = 1
c.MachinePool.busy_load = 1000
"""
_OPENS_WITHIN_S = 180.0
_CUT_OFF_S = 0.2
"""An answer of the proxy that no hub is there comes sooner, unless the hub died meanwhile."""


@dataclass
class Traffic:
    """Students who start and stop their machines until told to pause."""

    hub: TrialHub
    students: list[Student]
    seed: int
    answers: Counter[str] = field(default_factory=Counter)
    _is_over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self) -> None:
        """Let them begin."""
        self._is_over.clear()
        self._threads = [
            threading.Thread(target=self._come_and_go, args=(each, random.Random(self.seed + n)))
            for n, each in enumerate(self.students)
        ]
        for thread in self._threads:
            thread.start()

    def pause(self) -> None:
        """Let nobody press any more; what was pressed goes on."""
        self._is_over.set()

    def join(self) -> None:
        """Wait until everybody has their last answer."""
        for thread in self._threads:
            thread.join()

    def _come_and_go(self, student: Student, chance: random.Random) -> None:
        path = f"users/{student.name}/servers/{PLAIN}"
        while not self._is_over.wait(chance.uniform(0.0, 1.5)):
            starts = chance.random() < 0.6
            began = time.monotonic()
            try:
                asked = (
                    self.hub.ask("POST", path, json={"display_name": "Soak"})
                    if starts
                    else self.hub.ask("DELETE", path)
                )
                status = asked.status_code
            except httpx.HTTPError:
                status = 503
            what = str(status)
            if status == 503:
                is_cut_off = time.monotonic() - began > _CUT_OFF_S
                what = "cut off" if is_cut_off else "no hub"
                self._is_over.wait(0.5)
            self.answers[f"{'start' if starts else 'stop'}: {what}"] += 1


class Soak:
    """Rounds of kills on one HexHub."""

    def __init__(self, hub: TrialHub, *, students: int, seed: int) -> None:
        """Log the students in.

        Args:
            hub: Runs, with a pool (:data:`POOL`), and is nobody else's.
            students: How many.
            seed: Of all chance; what Docker and the kernel do stays their own.
        """
        self.hub = hub
        self.students = [Student(hub, f"soak-{number}") for number in range(students)]
        self.chance = random.Random(seed)
        self.traffic = Traffic(hub, self.students, seed)
        self.kills = 0

    def run_round(self, kills: int, within_s: float, longest_s: float) -> float:
        """Kill the hub so many times, and wait until all is right again.

        Args:
            kills: How often.
            longest_s: That the hub lives after it has begun to answer.
            within_s: After the last restart.

        Returns:
            Seconds after which all was right.

        Raises:
            AssertionError: It was not in time; says what is wrong.
        """
        self.traffic.begin()
        try:
            for _ in range(kills - 1):
                self._kill(self.chance.uniform(0.2, longest_s))
                self.hub.wait_until_answers(timeout_s=120)
            time.sleep(self.chance.uniform(0.2, longest_s))
        finally:
            self.traffic.pause()
        self._kill(0.0)
        self.traffic.join()
        self.hub.wait_until_answers(timeout_s=120)
        began = time.monotonic()
        while found := left_over(self.hub):
            took_s = time.monotonic() - began
            assert took_s < within_s, f"{took_s:.0f} s after the restart there are: {found}"
            time.sleep(0.3)
        return time.monotonic() - began

    def _kill(self, after_s: float) -> None:
        time.sleep(after_s)
        self.hub.kill("hub")
        self.kills += 1

    def expect_lessons_open(self) -> None:
        """Open each student's lesson.

        Raises:
            AssertionError: One does not open, or has more than one container.
        """
        for student in self.students:
            deadline = time.monotonic() + _OPENS_WITHIN_S
            while (answer := self.hub.open(student, PLAIN)).status_code not in (201, 202):
                assert time.monotonic() < deadline, answer.text
                time.sleep(0.5)
            assert student.open_lab(PLAIN).status_code == 200
            assert len(self.hub.machines(student)) == 1, student.name

    def close(self) -> None:
        """Let go of the students' connections."""
        for student in self.students:
            student.client.close()


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="Rounds begin for so long.")
@click.option("--students", default=6, show_default=True)
@click.option("--kills", default=3, show_default=True, help="Kills in a round.")
@click.option("--longest", "longest_s", default=15.0, show_default=True, help="Life of a hub.")
@click.option("--within", "within_s", default=WITHIN_S, show_default=True, help="Seconds.")
@click.option("--seed", type=int, help="Of chance.  [default: another one each time]")
def main(
    minutes: float, students: int, kills: int, longest_s: float, within_s: float, seed: int | None
) -> None:
    """Kill the hub at random moments, and prove that nothing is left over."""
    seed = random.randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}")
    fault = ""
    took: list[float] = []
    with tempfile.TemporaryDirectory(prefix="hexhub-soak-") as name:
        hub = TrialHub(Path(name) / "hub", config=POOL, lessons=["plain"])
        try:
            hub.start()
            soak = Soak(hub, students=students, seed=seed)
            until = time.monotonic() + 60 * minutes
            while time.monotonic() < until:
                took.append(soak.run_round(kills, within_s, longest_s))
                click.echo(f"round {len(took)}: all right {took[-1]:.1f} s after the restart")
            soak.expect_lessons_open()
            soak.close()
        except AssertionError as exc:
            fault = f"{exc}\n{hub.log('hub')[-6000:]}"
        finally:
            hub.remove()
    click.echo(f"{soak.kills} kills in {len(took)} rounds; {dict(soak.traffic.answers)}")
    if fault:
        click.echo(f"FAILED {fault}")
        sys.exit(1)
    click.echo(f"Nothing was left over; at most {max(took):.1f} s after a restart.")


if __name__ == "__main__":
    main()
