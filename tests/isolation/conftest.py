"""A HexHub's networks, ports and rules, without the HexHub; all of it is removed in the end."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hexhub.firewall import remove_rules
from hexhub.machine_network import MachineNetwork, ensure_networks, remove_networks
from hexhub.machines import connect_docker, remove_machines
from hexhub.state_folder import StateFolder

HEXHUB = Path(sys.executable).with_name("hexhub")
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


@dataclass(frozen=True)
class Ground:
    """What ``hexhub up`` leaves on disk and in Docker before a program of it runs."""

    state: StateFolder
    networks: tuple[MachineNetwork, MachineNetwork]

    def hexhub(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this state folder, and give what it said.

        Args:
            arguments: Of the command line.
            environment: Variables beside those of the test.
        """
        return subprocess.run(
            [HEXHUB, *arguments, "--state", str(self.state.path)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


def what_is_left(hub_id: str) -> list[str]:
    """Give all that an examination may have left on this computer: routes, interfaces, machines."""
    short = hub_id[:6]
    commands = (
        ("ip", "netns", "list"),
        ("ip", "-o", "link"),
        ("ip", "rule"),
        ("ip", "route", "show", "table", "all"),
    )
    outputs = [
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for command in commands
    ]
    words = (f"hexhub-{short}-", f"hx{short}o", str(0x68000000 + int(short, 16)))
    left = [
        line
        for output in outputs
        for line in output.splitlines()
        if any(word in line for word in words)
    ]
    machines = connect_docker().containers(all=True, filters={"label": f"hexhub.hub={hub_id}"})
    return left + [machine["Id"] for machine in machines]


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


@contextlib.contextmanager
def laid_ground(folder: Path) -> Iterator[Ground]:
    """Make networks of a new hub; its rules, machines and networks are removed in the end.

    Args:
        folder: For its state; there already.
    """
    state = StateFolder(folder / "state")
    state.make()
    client = connect_docker()
    try:
        networks = ensure_networks(client, state.hub_id)
        loopback = ["127.0.0.1"]
        state.keep_ports(
            {
                "proxy-api": loopback,
                "hub": loopback,
                "web": loopback,
                "gate": [network.gateway for network in networks],
            }
        )
        yield Ground(state, networks)
    finally:
        remove_rules(state.hub_id)
        remove_machines(client, state.hub_id)
        remove_networks(client, state.hub_id)
        client.close()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Give networks of a new hub."""
    with laid_ground(tmp_path) as made:
        yield made
