"""A HexHub's networks, ports and rules, without the HexHub; all of it is removed in the end."""

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


@dataclass(frozen=True)
class Ground:
    """What ``hexhub up`` leaves on disk and in Docker before a program of it runs."""

    state: StateFolder
    networks: tuple[MachineNetwork, MachineNetwork]

    def hexhub(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command with this state folder, and give what it said."""
        return subprocess.run(
            [HEXHUB, *arguments, "--state", str(self.state.path)],
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


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Give networks of a new hub; its rules, machines and networks are removed in the end."""
    state = StateFolder(tmp_path / "state")
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
