"""What is there of a HexHub that no server stands for, and which server has no machine."""

import contextlib
import sqlite3

from hexhub.names import is_nobodys, machine_name
from tests.hub.trial_hub import TrialHub, docker


def left_over(hub: TrialHub) -> list[str]:
    """Say what is wrong, a line for each thing; nothing where all is as it should be.

    Each server has exactly one machine that runs and one token, and there are no other running
    machines and no other tokens of servers; nothing is half-made or half-claimed; the networks are
    the two of the hub; no container has a volume. Machines that wait for a student are no matter.
    """
    with contextlib.closing(sqlite3.connect(hub.state / "jupyterhub.sqlite")) as database:
        servers = database.execute(
            "SELECT users.name, spawners.name FROM spawners JOIN users ON users.id = user_id"
            " WHERE server_id IS NOT NULL"
        ).fetchall()
        notes = "SELECT note FROM api_tokens WHERE note LIKE 'Server at %'"
        tokens = [note for (note,) in database.execute(notes)]
    serving = {machine_name(hub.hub_id, user, server) for user, server in servers}
    there = set(hub.containers().values())
    running = {
        name
        for name in hub.containers("--filter", "status=running").values()
        if not is_nobodys(name)
    }
    made = hub.containers("--filter", "status=created").values()
    found = [f"machine {name} without a server" for name in running - serving]
    found += [f"server of {name} without a machine" for name in serving - running]
    found += [f"{name} half-made" for name in made if not is_nobodys(name)]
    found += [f"{name} half-claimed" for name in there if ".claimed." in name]
    if len(tokens) != len(serving):
        found.append(f"{len(serving)} server(s) with tokens {tokens}")
    networks = docker("network", "ls", "--quiet", "--filter", f"label=hexhub.hub={hub.hub_id}")
    if len(networks.split()) != 2:
        found.append(f"networks {networks}")
    if mounts := docker(
        *("ps", "--all", "--filter", f"label=hexhub.hub={hub.hub_id}", "--format", "{{.Mounts}}")
    ):
        found.append(f"volumes {mounts}")
    return found
