"""``hexhub network``: the firewall that keeps students' machines from what is not theirs."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import click
import docker

from hexhub.cli.up import state_option
from hexhub.errors import SetupError
from hexhub.firewall import look_for_rules, remove_rules, set_rules
from hexhub.machine_network import MachineNetwork, ensure_networks, find_networks
from hexhub.machines import connect_docker
from hexhub.state_folder import StateFolder

_Result = TypeVar("_Result")
_NEVER_STARTED = (
    "No HexHub was ever started with the state folder {path}. Start it: hexhub up   "
    "(or name another folder with --state)"
)


@click.group()
def network() -> None:
    """Set and remove the firewall rules of students' machines; needs root."""


@network.command()
@state_option
def up(state_path: Path) -> None:
    """Set the rules.

    Machines then reach neither this computer's ports, but their gate, nor private networks. Done by
    hexhub up too, where that runs as root.
    """
    was_changed = _with_networks(state_path, set_rules, ensure_networks)
    click.echo("The rules are set." if was_changed else "The rules were set already.")


@network.command()
@state_option
def down(state_path: Path) -> None:
    """Remove the rules."""
    was_there = remove_rules(_started(state_path).hub_id)
    click.echo("The rules are removed." if was_there else "There were no rules.")


@network.command()
@state_option
def status(state_path: Path) -> None:
    """Say whether the rules are set; exit code 1 if not."""
    lacking = _with_networks(state_path, look_for_rules, find_networks)
    if not lacking:
        click.echo("The rules are set.")
        return
    click.echo("Not set:")
    for rule in lacking:
        click.echo(f"  {rule}")
    click.echo("Set them: hexhub network up")
    sys.exit(1)


def _with_networks(
    state_path: Path,
    act: Callable[[str, Sequence[MachineNetwork], int], _Result],
    networks: Callable[[docker.APIClient, str], Sequence[MachineNetwork]],
) -> _Result:
    state = _started(state_path)
    gate_port = state.kept_ports().get("gate")
    if gate_port is None:
        raise SetupError(_NEVER_STARTED.format(path=state.path))
    return act(state.hub_id, networks(connect_docker(), state.hub_id), gate_port)


def _started(state_path: Path) -> StateFolder:
    state = StateFolder(state_path.absolute())
    if not state.exists:
        raise SetupError(_NEVER_STARTED.format(path=state.path))
    return state
