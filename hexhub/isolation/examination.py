"""Starts throw-away machines as students get them, and tries every door from inside.

Four machines, for each network and each user, are made from the arguments that the spawner makes
for students' machines (``spawner.container``), with another label and another first process. Beside
each stands a check, as the worker makes it for checks of kind ``machine``. Every network door that
is to be found shut has somebody behind it who answers, and the host itself knocks first (the
control): a door at which even the host gets no answer proves nothing, and is told as not probed.
"""

import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
from docker.errors import DockerException, NotFound

from hexhub.catalog.model import CheckKind, Lesson, Limits, MachineUser, Network, Text
from hexhub.checks.containers import SandboxSpec, make_check_container
from hexhub.errors import SetupError
from hexhub.firewall import find_resolvers
from hexhub.isolation.model import LOCAL_DOORS, Finding, Kind, NetworkDoor, Reach
from hexhub.isolation.stand_ins import (
    INTERNET,
    METADATA,
    PORT,
    Elsewhere,
    HostListeners,
    answers,
    is_here,
    link_local_address,
    main_address,
    private_addresses,
)
from hexhub.launch import missing_images
from hexhub.machine_network import MachineNetwork, ensure_networks
from hexhub.machines import find_containers
from hexhub.names import CourseName, LessonName
from hexhub.state_folder import StateFolder
from spawner.container import CAPABILITIES, make_container

IMAGE = "hexhub/base"
MACHINES = tuple(f"{network}/{user}" for network in Network for user in MachineUser)
"""Network and user of each machine that is tried."""

_KIND = "probe"
_PYTHON = "/opt/hexhub/bin/python"
_LISTENING_PORT = 7777
_LISTENER = f"""
import signal, socket
listener = socket.create_server(("", {_LISTENING_PORT}), backlog=64)
signal.pause()
"""
_BYSTANDER = "import signal; signal.pause()"
_PROBE = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")
_LIMITS = Limits(
    memory_bytes=256 * 1024**2, cpus=1.0, processes=128, disk_bytes=1024**3, idle_s=600
)
_START_S = 60.0
_CAPABILITY_BITS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
}
"""From linux/capability.h."""
_NAMESPACES = ("pid", "net", "mnt", "ipc", "uts")
_PORT_TITLES = {
    "proxy-api": "the proxy's API",
    "hub": "the hub's own port",
    "web": "the web service's own port",
}


@dataclass(frozen=True)
class Machine:
    """A throw-away machine.

    Attributes:
        name: Network and user, such as ``internet/root``.
        network: That it is attached to.
        user: Who the student is in it.
        container_id: At Docker.
        address: On its network.
    """

    name: str
    network: MachineNetwork
    user: MachineUser
    container_id: str
    address: str


def examine_isolation(
    state: StateFolder,
    client: docker.APIClient,
    database_url: str,
    say: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """Try every door from each of :data:`MACHINES` and give what was found, door by door.

    Args:
        state: Of the HexHub whose networks, ports and firewall are tried.
        client: Of Docker.
        database_url: Of HexHub's database.
        say: Takes one line for the person at the terminal.

    Raises:
        SetupError: HexHub was never started here, its image is not there, Docker cannot make the
            machines, or another examination runs.
    """
    gate_port = state.kept_ports().get("gate")
    if gate_port is None:
        raise SetupError(f"No HexHub was ever started in {state.path}. Start it once: hexhub up")
    if missing_images(client, {IMAGE}):
        raise SetupError(f"The image {IMAGE} is missing. Make it: make images")
    with ExitStack() as stack:
        stack.enter_context(_locked(state))
        try:
            _remove_machines(client, state.hub_id)
            networks = ensure_networks(client, state.hub_id)
            ground = Ground(state, networks, gate_port, database_url, stack)
            stack.callback(_remove_machines, client, state.hub_id)
            marker = f"bystander-{secrets.token_hex(8)}"
            say("Starting throw-away machines …")
            with ThreadPoolExecutor(len(MACHINES)) as threads:
                with _signals_wait():
                    starting = [
                        threads.submit(_start_machine, client, state.hub_id, network, user, marker)
                        for network in networks
                        for user in MachineUser
                    ]
                machines = [start.result() for start in starting]
                _wait_until_they_listen(machines)
                say("Knocking at every door …")
                doors = [ground.doors_of(machine, machines) for machine in machines]
                with _signals_wait():
                    asked = [
                        threads.submit(_ask, client, machine, its_doors, ground, marker)
                        for machine, its_doors in zip(machines, doors, strict=True)
                    ]
                found = [answer.result() for answer in asked]
        except DockerException as exc:
            raise SetupError(f"Docker could not make the throw-away machines: {exc}") from exc
    return _by_door(found)


class Ground:
    """All that stands outside the machines while they are tried, and the doors that lead there.

    Args:
        state: Of the HexHub.
        networks: With the internet, and without.
        gate_port: Of the gate on both.
        database_url: Of HexHub's database.
        stack: Takes what must be removed in the end.
    """

    def __init__(
        self,
        state: StateFolder,
        networks: Sequence[MachineNetwork],
        gate_port: int,
        database_url: str,
        stack: ExitStack,
    ) -> None:
        self._networks = tuple(networks)
        self._gate_port = gate_port
        self._listeners = stack.enter_context(HostListeners())
        database = _database_address(database_url)
        has_remote_database = database is not None and not is_here(database[0])
        self._remote_database = database if has_remote_database else None
        ports = {_PORT_TITLES[n]: p for n, p in state.kept_ports().items() if n in _PORT_TITLES}
        if database is not None and not has_remote_database:
            ports["the database"] = database[1]
        self.host_paths = [
            str(path)
            for path in (state.path, Path("/var/lib/docker"), Path("/run/docker.sock"))
            if path.exists()
        ]
        self._host_doors = {net.bridge: self._listen(net, ports) for net in self._networks}
        self._elsewhere_doors, self._elsewhere, self._obstacle = self._stand_in(state, stack)

    def doors_of(self, machine: Machine, machines: Sequence[Machine]) -> list[NetworkDoor]:
        """Give the network doors to be tried from one machine."""
        doors = [
            NetworkDoor(
                "another student's machine, "
                f"{'same' if other.network is machine.network else 'other'} network",
                other.address,
                _LISTENING_PORT,
                obstacle=""
                if answers(other.address, _LISTENING_PORT)
                else "the other machine does not answer even this computer",
            )
            for other in machines
            if other is not machine
        ]
        doors += self._host_doors[machine.network.bridge]
        link_local = link_local_address(machine.network.bridge)
        if link_local:
            port = self._listeners.listen("::", family=socket.AF_INET6)
            doors.append(NetworkDoor("this computer by IPv6", f"{link_local}%eth0", port))
        doors += [self._elsewhere_door(door, machine) for door in self._elsewhere_doors]
        return doors

    def _listen(self, network: MachineNetwork, ports: dict[str, int]) -> list[NetworkDoor]:
        """Listen on the host, and give the doors by which a machine of this network gets there."""
        gateway = network.gateway
        others = [other for other in self._networks if other is not network]
        titled = {
            "the gate (HexHub itself)": (gateway, self._gate_port, Reach.OPEN),
            "the gate of the other network": (others[0].gateway, self._gate_port, Reach.SHUT),
            "a port of this computer": (gateway, 0, Reach.SHUT),
            **{title: (gateway, port, Reach.SHUT) for title, port in ports.items()},
        }
        own = main_address()
        if own:
            titled["a port at this computer's own address"] = (own, 0, Reach.SHUT)
        doors = []
        for title, (address, port, expected) in titled.items():
            try:
                listening = self._listeners.listen(address, port)
                is_there = answers(address, listening)
                obstacle = "" if is_there else "it does not answer even this computer"
            except OSError:
                listening = port or 1
                obstacle = "Docker runs on another computer: run this there"
            doors.append(NetworkDoor(title, address, listening, expected, obstacle=obstacle))
        with contextlib.suppress(OSError):
            port = self._listeners.echo(gateway)
            doors.append(
                NetworkDoor("a port of this computer, by UDP", gateway, port, kind=Kind.UDP)
            )
        return doors

    def _stand_in(
        self, state: StateFolder, stack: ExitStack
    ) -> tuple[list[NetworkDoor], Elsewhere | None, str]:
        """Make what stands for the world outside, and give its doors, as from the internet."""
        resolvers = {resolver.address for resolver in find_resolvers()}
        doors = [
            NetworkDoor("a cloud's metadata", METADATA, PORT),
            *(
                NetworkDoor(f"private network {name}", address, PORT)
                for name, address in private_addresses(
                    (network.subnet for network in self._networks),
                    lambda address: address in resolvers or is_here(address),
                ).items()
            ),
            NetworkDoor("the internet", INTERNET, PORT, Reach.OPEN),
        ]
        ports = [PORT]
        if self._remote_database is not None:
            doors.append(NetworkDoor("the database", *self._remote_database))
            ports.append(self._remote_database[1])
        obstacle = Elsewhere.why_unavailable()
        if obstacle:
            return doors, None, f"a stand-in for it {obstacle}"
        addresses = list(dict.fromkeys(door.host for door in doors))
        try:
            made = Elsewhere(state.hub_id, self._networks, addresses, list(dict.fromkeys(ports)))
            return doors, stack.enter_context(made), ""
        except SetupError as exc:
            return doors, None, f"no stand-in for it could be made: {exc}"

    def _elsewhere_door(self, door: NetworkDoor, machine: Machine) -> NetworkDoor:
        """Give a door to elsewhere as it is from one machine, and never one to the real thing."""
        obstacle = self._obstacle
        if self._elsewhere is not None:
            bridge = machine.network.bridge
            if not self._elsewhere.leads_here(door.host, machine.address, bridge):
                obstacle = "its packets would not go to the stand-in"
            elif not self._elsewhere.answers(door.host, door.port):
                obstacle = "the stand-in does not answer even this computer"
        expected = Reach.SHUT if machine.network.is_internal else door.expected
        return NetworkDoor(door.title, door.host, door.port, expected, door.kind, obstacle)


def _start_machine(
    client: docker.APIClient,
    hub_id: str,
    network: MachineNetwork,
    user: MachineUser,
    marker: str,
) -> Machine:
    """Start a machine with a listener in it, and a check beside it."""
    text = Text({"en": "Isolation"})
    lesson = Lesson(
        course=CourseName("isolation"),
        name=LessonName(f"{'none' if network.is_internal else 'internet'}-{user}"),
        title=text,
        image=IMAGE,
        user=user,
        limits=_LIMITS,
        network=Network.NONE if network.is_internal else Network.INTERNET,
        steps=(),
        theory=text,
    )
    labels = {"hexhub.hub": hub_id, "hexhub.kind": _KIND}
    arguments = make_container(lesson, user=marker, hub_id=hub_id, network=network.name)
    entrypoint = ["/usr/bin/tini", "-g", "--", _PYTHON, "-I", "-c", _LISTENER]
    made = client.create_container(**arguments | {"entrypoint": entrypoint, "labels": labels})
    container_id: str = made["Id"]
    client.start(container_id)
    bystander = make_check_container(
        SandboxSpec(
            image=IMAGE,
            kind=CheckKind.MACHINE,
            machine_id=container_id,
            memory_bytes=_LIMITS.memory_bytes,
            timeout_s=_START_S,
            harness=(_PYTHON, "-I", "-c", _BYSTANDER, marker),
        ),
        hub_id=hub_id,
        expires_at_s=time.time() + _START_S,
    )
    client.start(client.create_container(**bystander | {"labels": labels})["Id"])
    attached = client.inspect_container(container_id)["NetworkSettings"]["Networks"]
    return Machine(
        name=f"{lesson.network}/{user}",
        network=network,
        user=user,
        container_id=container_id,
        address=attached[network.name]["IPAddress"],
    )


def _wait_until_they_listen(machines: Sequence[Machine]) -> None:
    """Wait for the listeners, as long as Docker is on this computer; others are never reached."""
    deadline = time.monotonic() + _START_S
    for machine in machines:
        while not answers(machine.address, _LISTENING_PORT):
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)


def _ask(
    client: docker.APIClient,
    machine: Machine,
    doors: Sequence[NetworkDoor],
    ground: Ground,
    marker: str,
) -> list[Finding]:
    """Run the probe in a machine and give its findings."""
    tried = [door for door in doors if not door.obstacle]
    task = {
        "doors": [{"host": d.host, "port": d.port, "kind": d.kind.value} for d in tried],
        "host_paths": ground.host_paths,
        "host_namespaces": {
            name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in _NAMESPACES
        },
        "marker": marker,
        "capabilities": expected_capabilities(machine.user),
    }
    argv = [_PYTHON, "-I", "-c", _PROBE, json.dumps(task)]
    run = client.exec_create(machine.container_id, argv)["Id"]
    out, err = client.exec_start(run, demux=True)
    try:
        answer = json.loads(out or b"")
    except ValueError as exc:
        said = (err or b"").decode(errors="replace").strip().splitlines()
        raise SetupError(
            f"The probe did not run in the machine {machine.name}: {(said or ['nothing said'])[-1]}"
        ) from exc
    knocked = dict(zip(map(id, tried), answer["network"], strict=True))
    network = [
        _finding(machine, door.title, door.expected, knocked.get(id(door), (None, door.obstacle)))
        for door in doors
    ]
    local = [
        _finding(machine, title, Reach.SHUT, answer["local"][word])
        for word, title in LOCAL_DOORS.items()
    ]
    return network + local


def expected_capabilities(user: MachineUser) -> dict[str, int]:
    """Give the capability sets of a machine's processes as bit masks, as ``/proc`` names them."""
    mask = sum(1 << _CAPABILITY_BITS[name] for name in CAPABILITIES)
    own = mask if user is MachineUser.ROOT else 0
    return {"CapPrm": own, "CapEff": own, "CapBnd": mask, "CapAmb": 0}


def _finding(machine: Machine, title: str, expected: Reach, answer: Sequence[Any]) -> Finding:
    is_open, detail = answer
    found = Reach.NOT_PROBED if is_open is None else Reach.OPEN if is_open else Reach.SHUT
    return Finding(machine.name, title, expected, found, str(detail))


def _by_door(found: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Put the findings of all machines in the order of the doors."""
    titles = dict.fromkeys(finding.door for findings in found for finding in findings)
    return [f for title in titles for findings in found for f in findings if f.door == title]


def _remove_machines(client: docker.APIClient, hub_id: str) -> None:
    def remove(container_id: str) -> None:
        with contextlib.suppress(NotFound):
            client.remove_container(container_id, v=True, force=True)

    ours = [
        container["Id"]
        for container in find_containers(client, hub_id)
        if container.get("Labels", {}).get("hexhub.kind") == _KIND
    ]
    with ThreadPoolExecutor(len(MACHINES)) as threads:
        list(threads.map(remove, ours))


def _database_address(url: str) -> tuple[str, int] | None:
    """Give IPv4 address and port of the database; None where it is a file or a socket."""
    parts = urlsplit(url)
    if parts.scheme.startswith("sqlite") or not parts.hostname:
        return None
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 5432, socket.AF_INET)
    except OSError as exc:
        raise SetupError(f"The database's name {parts.hostname} is not known: {exc}") from exc
    address = found[0][4]
    return str(address[0]), int(address[1])


@contextlib.contextmanager
def _signals_wait() -> Iterator[None]:
    """Let signals that end us wait until the block is left.

    An executor whose ``submit`` is left by an exception may have a thread that it does not know of,
    and would not wait for: a machine would be made after all machines were removed.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _locked(state: StateFolder) -> Iterator[None]:
    # The folder itself: root must not leave a file of its own in a folder of somebody else.
    descriptor = os.open(state.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise SetupError("Another examination of this HexHub runs; wait for its end.") from exc
    else:
        yield
    finally:
        os.close(descriptor)
