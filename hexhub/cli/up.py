"""``hexhub up``, ``hexhub down``, ``hexhub clean``."""

import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import click
from docker.errors import DockerException

from hexhub.errors import HexHubError, SetupError
from hexhub.firewall import remove_rules, set_rules, why_unavailable
from hexhub.machine_network import remove_networks
from hexhub.machines import (
    connect_docker,
    find_containers,
    find_waiting,
    remove_machines,
    remove_waiting,
    stop_machines,
)
from hexhub.state_folder import StateFolder
from hexhub.subdomains import SubdomainHost
from hexhub.supervisor import PROJECT, Plan, Supervisor

DEFAULT_PORT = 8000
DEFAULT_STATE = ".hexhub"
_DOWN_S = 30.0

state_option = click.option(
    "--state",
    "state_path",
    type=click.Path(file_okay=False, path_type=Path),
    default=DEFAULT_STATE,
    envvar="HEXHUB_STATE",
    show_default=True,
    help="Folder of databases, secrets, logs and published courses.",
)


def _say(line: str) -> None:
    click.echo(f"[hexhub] {line}")


def _fail(error: HexHubError) -> None:
    click.echo(f"hexhub: {error}", err=True)
    sys.exit(1)


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where people reach HexHub on this computer.",
)
@state_option
@click.option(
    "--courses",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=PROJECT / "courses",
    help="Folder of course folders to publish.  [default: those that ship with HexHub]",
)
@click.option(
    "--firewall/--no-firewall",
    "sets_firewall",
    default=True,
    help="Set the firewall rules of machines, as hexhub network up does.  [default: as root]",
)
@click.option(
    "--subdomain-host",
    "subdomain_url",
    envvar="HEXHUB_SUBDOMAIN_HOST",
    default="",
    help="Wildcard name below which each student's machines have one of their own, such as "
    "https://learn.example.org (docs/isolation.md).",
)
def up(port: int, state_path: Path, courses: Path, sets_firewall: bool, subdomain_url: str) -> None:
    """Start HexHub and keep it running until Ctrl-C; students' machines stay."""
    # Database, catalog and checks: down and clean need none of them, and start in half the time.
    from hexhub.launch import prepare

    state = StateFolder(state_path.absolute())
    began = time.monotonic()
    os.umask(0o077)
    try:
        subdomain_host = SubdomainHost.parse(subdomain_url) if subdomain_url else None
        state.make()
        lock = state.lock()
        try:
            plan = prepare(state, port, courses.absolute(), _say, subdomain_host)
            state.keep_subdomain_host(subdomain_host.url if subdomain_host else "")
            _shut_doors(plan, sets_firewall=sets_firewall)
            supervisor = Supervisor(plan, os.environ, _say)
            try:
                asyncio.run(supervisor.run(on_ready=lambda: _greet(plan, began)))
            finally:
                remove_waiting(connect_docker(), state.hub_id)
            _say("Stopped. Students' machines that run go on; hexhub down stops them too.")
        finally:
            os.close(lock)
    except HexHubError as error:
        _fail(error)
    except KeyboardInterrupt:
        _say("Stopped before everything was there.")
        sys.exit(130)


@click.command()
@state_option
def down(state_path: Path) -> None:
    """Stop HexHub and the students' machines; nothing is lost."""
    state = StateFolder(state_path.absolute())
    try:
        _stop_all(state)
    except HexHubError as error:
        _fail(error)


@click.command()
@state_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def clean(state_path: Path, yes: bool) -> None:
    """Remove the students' machines, the network and the state folder of this HexHub."""
    state = StateFolder(state_path.absolute())
    if not state.exists:
        _say(f"Nothing to remove: no HexHub was ever started in {state.path}.")
        return
    try:
        client = connect_docker()
        count = len(find_containers(client, state.hub_id)) - len(find_waiting(client, state.hub_id))
        if not yes:
            click.echo(
                f"This removes {count} machine(s) with all files in them, and {state.path} with "
                "all accounts, progress and published courses."
            )
            click.confirm("Remove all of it?", abort=True)
        _stop_processes(state)
        removed = remove_machines(client, state.hub_id)
        _remove_rules(state)
        networks = remove_networks(client, state.hub_id)
        shutil.rmtree(state.path)
    except HexHubError as error:
        _fail(error)
    except DockerException as error:
        _fail(SetupError(f"Docker could not remove everything: {error}. Try again."))
    else:
        _say(f"Removed {removed} machine(s), {len(networks)} network(s) and {state.path}.")


def _greet(plan: Plan, began: float) -> None:
    seconds = time.monotonic() - began
    click.echo(
        f"\n  HexHub is ready at {plan.public_url}   (after {seconds:.1f} s)\n\n"
        f"  State and logs: {plan.state.path}\n"
        "  Ctrl-C stops it; students' machines stay.\n"
    )


def _stop_processes(state: StateFolder) -> None:
    process_id = state.running_process()
    if process_id is None:
        _say("HexHub does not run.")
    else:
        _end(process_id, state)
        _say("HexHub is stopped.")


def _stop_all(state: StateFolder) -> None:
    _stop_processes(state)
    if state.exists:
        count = stop_machines(connect_docker(), state.hub_id)
        _say(f"{count} machine(s) stopped.")
        _remove_rules(state)


def _shut_doors(plan: Plan, *, sets_firewall: bool) -> None:
    """Set the firewall's rules, before a machine starts; say what is open where that cannot be."""
    if plan.gate_address:
        _say(
            "Docker is elsewhere: this computer's firewall is left as it is. docs/remote-docker.md"
        )
        return
    is_open = "machines may reach this computer's ports and your private networks"
    reason = why_unavailable()
    if not sets_firewall:
        _say(f"The firewall is left as it is (--no-firewall): unless its rules are set, {is_open}.")
    elif reason:
        _say(f"No firewall ({reason}): {is_open}. As root: hexhub network up")
    else:
        try:
            set_rules(plan.state.hub_id, (plan.internet, plan.isolated), plan.ports["gate"])
        except SetupError as error:
            _say(f"No firewall: {is_open}. {error}")


def _remove_rules(state: StateFolder) -> None:
    """Remove the firewall's rules, after the last machine; nothing where only root could."""
    if why_unavailable():
        return
    try:
        if remove_rules(state.hub_id):
            _say("Firewall rules removed.")
    except SetupError as error:
        _say(f"The firewall rules stay: {error}")


def _end(process_id: int, state: StateFolder) -> None:
    os.kill(process_id, signal.SIGTERM)
    deadline = time.monotonic() + _DOWN_S
    while state.running_process() is not None:
        if time.monotonic() > deadline:
            raise SetupError(
                f"Process {process_id} does not end. End it by hand: kill -9 {process_id}"
            )
        time.sleep(0.1)
