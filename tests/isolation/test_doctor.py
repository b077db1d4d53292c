"""``hexhub doctor --isolation``: its table, read, without the firewall and with it.

One examination for each: eight containers are started for it. Other cases are in ``test_doors``.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from hexhub.doctor import Level, examine_walls
from hexhub.isolation.examination import MACHINES
from hexhub.isolation.model import LOCAL_DOORS, Reach
from hexhub.isolation.stand_ins import Elsewhere
from tests.isolation.conftest import (
    HOST_DOORS,
    NEIGHBOURS,
    OUTER_DOORS,
    Ground,
    laid_ground,
    start_and_wait,
    what_is_left,
)


@dataclass(frozen=True)
class Told:
    """What ``hexhub doctor --isolation`` said.

    Attributes:
        ground: Whose doors were tried.
        done: The command.
        found: Machine → door → word of its last column; capitals: it is not as it should be.
    """

    ground: Ground
    done: subprocess.CompletedProcess[str]
    found: Mapping[str, Mapping[str, str]]

    def doors(self, word: Reach, machines: Sequence[str] = MACHINES) -> set[str]:
        """Give the doors that were found so from any of the machines, be that right or wrong."""
        return {
            door
            for machine in machines
            for door, found in self.found[machine].items()
            if found.lower() == word
        }

    @property
    def wrong(self) -> set[str]:
        """The doors that were not as they should be, from any machine."""
        return {
            door
            for doors in self.found.values()
            for door, found in doors.items()
            if found.isupper()
        }


def ask_doctor(ground: Ground, **environment: str) -> Told:
    """Run the command, see that nothing is left of it, and read its table."""
    done = ground.hexhub("doctor", "--isolation", **environment)
    assert what_is_left(ground.state.hub_id) == []
    head, *lines = done.stdout.partition("\n\n")[0].splitlines()
    assert head.split() == ["door", "from", "machines", "expected", "found"], done.stderr
    found: dict[str, dict[str, str]] = {machine: {} for machine in MACHINES}
    for line in lines:
        door, machines, expected, last = re.split(" {2,}", line, maxsplit=3)
        word = last.partition(" (")[0]
        assert word.isupper() == (word.lower() != expected), line
        for name in machines.split(", "):
            for machine in MACHINES:
                if name in ("all", machine, machine.partition("/")[0]):
                    assert door not in found[machine], done.stdout
                    found[machine][door] = word
    assert "not probed" not in done.stdout.lower()
    return Told(ground, done, found)


@pytest.fixture(scope="module")
def without_rules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Give what is told without the firewall, just after another examination was killed."""
    with laid_ground(tmp_path_factory.mktemp("ground")) as ground:
        try:
            started = start_and_wait(ground)
            started.kill()
            started.communicate(timeout=120)
            assert what_is_left(ground.state.hub_id) != []
            yield ask_doctor(ground)
        finally:
            with Elsewhere(ground.state.hub_id, ground.networks, []):
                pass


@pytest.fixture(scope="module")
def with_rules(without_rules: Told) -> Told:
    """Give what is told of the same doors after ``network up``; PostgreSQL's is one of them."""
    ground = without_rules.ground
    set_up = ground.hexhub("network", "up")
    assert set_up.returncode == 0, set_up.stderr
    url = f"postgresql+psycopg://hexhub@{ground.networks[0].gateway}:25432/hexhub"
    return ask_doctor(ground, HEXHUB_DATABASE_URL=url)


def test_without_rules_open_doors_are_found(without_rules):
    """Without the firewall, host and private networks are reached, and the probes say so."""
    internet, none = MACHINES[:2], MACHINES[2:]
    for machine in internet:
        assert without_rules.doors(Reach.OPEN, [machine]) == {
            *HOST_DOORS,
            *OUTER_DOORS,
            "the gate (HexHub itself)",
            "the internet",
        }
    for machine in none:
        assert without_rules.doors(Reach.OPEN, [machine]) == {
            *HOST_DOORS,
            "the gate (HexHub itself)",
        }
    assert without_rules.wrong == HOST_DOORS | OUTER_DOORS


def test_the_command_fails_on_an_open_door(without_rules):
    """The table names the open doors, the exit code is 1, and what no door shows is told."""
    done = without_rules.done
    assert done.returncode == 1, done.stderr
    assert "OPEN (it answers)" in done.stdout
    assert "not as they should be" in done.stdout
    state = without_rules.ground.state
    weak = {wall.about for wall in examine_walls(state) if wall.level is not Level.OK}
    assert "subdomains" in weak
    told = done.stdout.split("What no door shows:")[1]
    assert [about for about in weak if about not in told] == []


def test_what_a_killed_examination_left_is_removed_by_the_next(without_rules):
    """After a kill -9 the next one starts from nothing, tries every door and leaves nothing."""
    for machine in MACHINES:
        assert set(without_rules.found[machine]) >= {
            *HOST_DOORS,
            *OUTER_DOORS,
            *NEIGHBOURS,
            *LOCAL_DOORS.values(),
        }


def test_with_rules_every_door_is_shut(with_rules):
    """After ``network up`` a machine reaches the gate, the internet where it may, and nothing else.

    The database on this computer is behind one of the doors; all that a machine could do to the
    kernel is refused, for the student and for root. The exit code is 0.
    """
    assert with_rules.done.returncode == 0, with_rules.done.stdout + with_rules.done.stderr
    assert "OPEN" not in with_rules.done.stdout
    assert "doors are as they should be" in with_rules.done.stdout
    assert with_rules.wrong == set()
    internet, none = MACHINES[:2], MACHINES[2:]
    for machine in internet:
        assert with_rules.doors(Reach.OPEN, [machine]) == {
            "the gate (HexHub itself)",
            "the internet",
        }
    for machine in none:
        assert with_rules.doors(Reach.OPEN, [machine]) == {"the gate (HexHub itself)"}
    shut = {*HOST_DOORS, *OUTER_DOORS, *NEIGHBOURS, *LOCAL_DOORS.values(), "the database"}
    for machine in MACHINES:
        assert shut <= with_rules.doors(Reach.SHUT, [machine])
