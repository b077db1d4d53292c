"""The rules, set and removed by the real iptables, in network namespaces of the tests' own."""

import ctypes
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hexhub.errors import SetupError
from hexhub.firewall import look_for_rules, remove_rules, set_rules
from hexhub.machine_network import MachineNetwork

HUB_ID = "0123456789ab"
GATE_PORT = 25_000
NETWORKS = (
    MachineNetwork("hexhub-012345", "hx012345", False, "172.20.0.1", "172.20.0.0/16"),
    MachineNetwork("hexhub-012345-isolated", "hx012345i", True, "172.21.0.1", "172.21.0.0/16"),
)
DEEDS: dict[str, Callable[[], object]] = {
    "up": lambda: set_rules(HUB_ID, NETWORKS, GATE_PORT),
    "down": lambda: remove_rules(HUB_ID),
    "look": lambda: len(look_for_rules(HUB_ID, NETWORKS, GATE_PORT)),
}
_CLONE_NEWNET = 0x40000000
OTHERS = """
-P FORWARD DROP
-N DOCKER-USER
-N theirs
-A INPUT -i lo -j ACCEPT
-A INPUT -j theirs
-A FORWARD -j DOCKER-USER
-A DOCKER-USER -s 10.9.0.0/16 -j DROP
-A DOCKER-USER -j RETURN
-A theirs -p tcp -m tcp --dport 22 -j ACCEPT
"""


class Place:
    """A network namespace with rules of others."""

    def __init__(self, name: str) -> None:
        self.name = name

    def iptables(self, *arguments: str) -> str:
        """Run iptables there and give what it prints."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, "iptables", *arguments],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def act(self, *words: str) -> list[str]:
        """Set (up), remove (down) or count what lacks (look) there, and give the answers.

        A thread that is in the namespace does it, and so do the programs that it starts; a process
        of its own would spend its time on imports.
        """

        def enter() -> None:
            with (Path("/run/netns") / self.name).open("rb") as namespace:
                if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

        # Left by its end, and not lent to anybody else: it never comes back from there.
        with ThreadPoolExecutor(1, initializer=enter) as inside:
            return [str(inside.submit(DEEDS[word]).result()) for word in words]


@pytest.fixture
def empty_place() -> Iterator[Place]:
    """Give a network namespace without a rule."""
    name = f"hexhub-trial-{secrets.token_hex(4)}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield Place(name)
    subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def place(empty_place: Place) -> Place:
    """Give a network namespace with Docker's chain and rules of an administrator."""
    for line in OTHERS.strip().splitlines():
        empty_place.iptables(*line.split())
    return empty_place


def test_rules_are_set_once_and_removed_whole(place):
    """Set twice they are there once; removed, everything is as it was; twice does no harm."""
    before = place.iptables("-S")
    lacking, *more = place.act("look", "up", "look", "up")
    assert int(lacking) >= 12  # and two for each name server at a private address
    assert more == ["True", "0", "False"]
    rules = place.iptables("-S")
    ours = [line for line in rules.splitlines() if "HEXHUB-012345" in line]
    assert [line for line in rules.splitlines() if line not in ours] == before.splitlines()
    assert all("hx012345" in line for line in ours if line.startswith("-A INPUT "))
    assert all("hx012345" in line for line in ours if line.startswith("-A DOCKER-USER "))
    assert place.act("down", "down") == ["True", "False"]
    assert place.iptables("-S") == before


def test_rules_stand_before_those_of_others(place):
    """What others accept for everybody is accepted after our refusals."""
    place.act("up")
    assert "HEXHUB-012345" in place.iptables("-S", "INPUT", "1")
    assert "HEXHUB-012345" in place.iptables("-S", "DOCKER-USER", "1")


@pytest.mark.parametrize(
    "damage",
    [
        ("-D", "INPUT", "1"),
        ("-D", "DOCKER-USER", "1"),
        ("-F", "HEXHUB-012345-OUT"),
        ("-I", "HEXHUB-012345-HOST", "-j", "ACCEPT"),
    ],
)
def test_rules_that_somebody_broke_are_mended(place, damage):
    """What was removed or slipped in is seen, and set right without doubling the rest."""
    place.act("up")
    whole = place.iptables("-S")
    place.iptables(*damage)
    lacking, was_changed, lacks_after = place.act("look", "up", "look")
    assert int(lacking) > 0
    assert (was_changed, lacks_after) == ("True", "0")
    assert sorted(place.iptables("-S").splitlines()) == sorted(whole.splitlines())


def test_a_rule_that_an_administrator_puts_first_stays_first(place):
    """An exception for one address of the company's network is not moved by setting again."""
    place.act("up")
    place.iptables("-I", "DOCKER-USER", "-d", "10.1.2.3/32", "-j", "ACCEPT")
    place.iptables("-F", "HEXHUB-012345-OUT")
    assert place.act("up", "look") == ["True", "0"]
    assert "10.1.2.3" in place.iptables("-S", "DOCKER-USER", "1")


def test_a_docker_without_rules_is_told(empty_place):
    """Where Docker was told to manage no rules, that is said, and nothing is set."""
    with pytest.raises(SetupError, match="no chain DOCKER-USER"):
        empty_place.act("up")
    assert "HEXHUB" not in empty_place.iptables("-S")
