"""The probes of ``hexhub doctor --isolation``, from inside real machines, on real networks.

No packet goes to a metadata service or to a network that is not ours: what stands for them is made
by the examination itself.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hexhub.doctor import Level, examine_walls
from hexhub.isolation.examination import MACHINES, examine_isolation
from hexhub.isolation.model import LOCAL_DOORS, Reach
from hexhub.isolation.stand_ins import Elsewhere
from hexhub.machines import connect_docker
from tests.isolation.conftest import HEXHUB, Ground, what_is_left

HOST_DOORS = {
    "a port of this computer",
    "a port of this computer, by UDP",
    "a port at this computer's own address",
    "the gate of the other network",
    "the hub's own port",
    "the proxy's API",
    "the web service's own port",
}
OUTER_DOORS = {
    "a cloud's metadata",
    "private network 10.0.0.0/8",
    "private network 100.64.0.0/10",
    "private network 172.16.0.0/12",
    "private network 192.168.0.0/16",
}
NEIGHBOURS = {"another student's machine, other network", "another student's machine, same network"}


def examine(ground: Ground, database_url: str = "sqlite://"):
    """Examine, and see that nothing is left of it."""
    client = connect_docker()
    try:
        findings = examine_isolation(ground.state, client, database_url)
    finally:
        client.close()
    assert what_is_left(ground.state.hub_id) == []
    assert [f for f in findings if f.found is Reach.NOT_PROBED] == []
    return findings


def doors(findings, found: Reach, machines=MACHINES) -> set[str]:
    """Give the doors that were found so from any of the machines."""
    return {f.door for f in findings if f.found is found and f.machine in machines}


def test_without_rules_open_doors_are_found(ground):
    """Without the firewall, host and private networks are reached, and the probes say so."""
    findings = examine(ground)
    internet, none = MACHINES[:2], MACHINES[2:]
    for machine in internet:
        assert doors(findings, Reach.OPEN, [machine]) == {
            *HOST_DOORS,
            *OUTER_DOORS,
            "the gate (HexHub itself)",
            "the internet",
        }
    for machine in none:
        assert doors(findings, Reach.OPEN, [machine]) == {*HOST_DOORS, "the gate (HexHub itself)"}
    wrong = {finding.door for finding in findings if finding.is_wrong}
    assert wrong == HOST_DOORS | OUTER_DOORS


def test_with_rules_every_door_is_shut(ground):
    """After ``network up`` a machine reaches the gate, the internet where it may, and nothing else.

    The database on this computer is behind one of the doors; all that a machine could do to the
    kernel is refused, for the student and for root.
    """
    set_up = ground.hexhub("network", "up")
    assert set_up.returncode == 0, set_up.stderr
    gateway = ground.networks[0].gateway
    findings = examine(ground, f"postgresql+psycopg://hexhub@{gateway}:25432/hexhub")
    assert [finding for finding in findings if finding.is_wrong] == []
    internet, none = MACHINES[:2], MACHINES[2:]
    assert doors(findings, Reach.OPEN, internet) == {"the gate (HexHub itself)", "the internet"}
    assert doors(findings, Reach.OPEN, none) == {"the gate (HexHub itself)"}
    shut = {*HOST_DOORS, *OUTER_DOORS, *NEIGHBOURS, *LOCAL_DOORS.values(), "the database"}
    for machine in MACHINES:
        assert shut <= doors(findings, Reach.SHUT, [machine])


def test_a_database_elsewhere_is_never_asked(ground):
    """A database on another computer is stood in for, and is shut where its network is."""
    assert ground.hexhub("network", "up").returncode == 0
    findings = examine(ground, "postgresql+psycopg://hexhub@10.20.30.40:5433/hexhub")
    assert {f.found for f in findings if f.door == "the database"} == {Reach.SHUT}
    assert [finding for finding in findings if finding.is_wrong] == []


def test_the_command_fails_on_an_open_door(ground):
    """The table names the open doors and the exit code is 1; with the rules it is 0."""
    done = ground.hexhub("doctor", "--isolation")
    assert done.returncode == 1, done.stderr
    assert "OPEN (it answers)" in done.stdout
    assert "not as they should be" in done.stdout
    weak = {wall.about for wall in examine_walls(ground.state) if wall.level is not Level.OK}
    assert "subdomains" in weak
    told = done.stdout.split("What no door shows:")[1]
    assert [about for about in weak if about not in told] == []
    assert ground.hexhub("network", "up").returncode == 0
    done = ground.hexhub("doctor", "--isolation")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "OPEN" not in done.stdout
    assert "doors are as they should be" in done.stdout
    assert what_is_left(ground.state.hub_id) == []


def test_an_examination_that_is_ended_leaves_nothing(ground):
    """Told to end in the middle, it removes machines, routes and the namespace first."""
    started = start_and_wait(ground)
    started.send_signal(signal.SIGTERM)
    started.communicate(timeout=120)
    assert started.returncode == 143
    assert what_is_left(ground.state.hub_id) == []


def test_what_a_killed_examination_left_is_removed_by_the_next(ground):
    """After a kill -9 the next one starts from nothing."""
    started = start_and_wait(ground)
    started.kill()
    started.communicate(timeout=120)
    try:
        assert what_is_left(ground.state.hub_id) != []
        examine(ground)
    finally:
        with Elsewhere(ground.state.hub_id, ground.networks, []):
            pass


def start_and_wait(ground: Ground) -> subprocess.Popen[str]:
    """Start the command and wait until it knocks: its machines and its stand-in are there."""
    started = subprocess.Popen(
        [HEXHUB, "doctor", "--isolation", "--state", str(ground.state.path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert started.stderr is not None
    said = started.stderr.readline() + started.stderr.readline()
    assert "Knocking at every door" in said, said + started.stderr.read()
    return started


NOT_ROOT = """
import os, sys
from pathlib import Path
from click.testing import CliRunner
from hexhub.cli.doctor import doctor
from hexhub.cli.network import network
from hexhub.isolation import examination
from hexhub.machine_network import ensure_networks
from hexhub.machines import connect_docker
from hexhub.state_folder import StateFolder

state = StateFolder(Path(sys.argv[1]) / "state")
state.make()
networks = ensure_networks(connect_docker(), state.hub_id)
state.keep_ports({"gate": [network.gateway for network in networks]})
for command, arguments in ((network, ["up"]), (doctor, ["--isolation"])):
    result = CliRunner().invoke(command, [*arguments, "--state", str(state.path)])
    print(result.output, result.exception)
print("exit code", result.exit_code)
"""


def test_what_cannot_be_probed_is_not_called_shut():
    """Without root no stand-in can be made: its doors are told as not probed, no rule is set.

    The host's ports are still knocked at, and found open.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        state = Path(folder) / "state"
        try:
            done = subprocess.run(
                [
                    # Somebody else, who may read what root may, wherever this checkout is.
                    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
                    *(sys.executable, "-c", NOT_ROOT, folder),
                ],
                capture_output=True,
                text=True,
                timeout=240,
                cwd="/",
                check=False,
            )
            assert "Run this as root" in done.stdout, done.stderr
            rows = {
                door: [line for line in done.stdout.splitlines() if line.startswith(door)]
                for door in (*sorted(OUTER_DOORS), "the internet", "a port of this computer ")
            }
            assert all("OPEN" in row for row in rows.pop("a port of this computer "))
            for found in rows.values():
                assert found != []
                assert all("not probed (a stand-in for it needs root)" in row for row in found)
            assert "nothing is known of them" in done.stdout
            assert "exit code 1" in done.stdout
        finally:
            subprocess.run(
                [HEXHUB, "clean", "--yes", "--state", str(state)],
                capture_output=True,
                check=True,
            )


@pytest.mark.parametrize("way", ["route", "listener"])
def test_a_door_without_a_working_stand_in_is_not_knocked_at(ground, way):
    """Where packets would go elsewhere, or nobody would answer, the stand-in itself says so."""
    network = ground.networks[0]
    source = str(network.gateway).rsplit(".", 1)[0] + ".77"
    address = "10.200.0.1"
    with Elsewhere(ground.state.hub_id, ground.networks, [address]) as elsewhere:
        assert elsewhere.leads_here(address, source, network.bridge)
        assert elsewhere.answers(address, 80)
        if way == "route":
            assert not elsewhere.leads_here("203.0.113.9", source, network.bridge)
            subprocess.run(["ip", "link", "del", f"hx{ground.state.hub_id[:6]}o"], check=True)
            assert not elsewhere.leads_here(address, source, network.bridge)
        else:
            assert not elsewhere.answers(address, 81)
    assert what_is_left(ground.state.hub_id) == []
