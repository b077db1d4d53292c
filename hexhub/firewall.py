"""The firewall of the students' machines: what they may not reach, as rules of iptables.

::

    INPUT       -i <our bridge> -j HEXHUB-<hub>-HOST    this computer: its gate, and nothing else
    DOCKER-USER -i <our bridge> -j HEXHUB-<hub>-OUT     elsewhere: no private network, no metadata

Design choices: no kind of Docker network hides the host's own ports, nor what the host can route
to, so that rules are needed. Both chains are our own, named after the hub, and all that is added to
chains of others is one jump for each of our bridges. So rules of others are never touched, no
policy is set, and no packet is judged here that does not come from a student's machine: the host
cannot be cut off. The chains are replaced in one transaction (``iptables-restore --noflush``), so
that no moment lies between the old rules and the new. iptables and not nft, because Docker's own
chain DOCKER-USER is the only place that Docker leaves alone. Machines are refused with
``icmp-admin-prohibited``, which tells them at once, and does not tell whether somebody listens.

IPv6 needs no rules: the networks are made without it (``hexhub.machine_network``), and
``hexhub doctor --isolation`` proves that machines have none.
"""

import ipaddress
import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hexhub.errors import SetupError
from hexhub.machine_network import MachineNetwork

PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")
"""RFC 1918, and RFC 6598 (shared by carriers, and used by clouds for their own services)."""
LINK_LOCAL = "169.254.0.0/16"
"""RFC 3927; clouds answer at 169.254.169.254 with the credentials of the whole computer."""
DOCKER_CHAIN = "DOCKER-USER"

_REFUSE = "-j REJECT --reject-with icmp-admin-prohibited"
_RESOLVER_FILES = ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf")
_TIMEOUT_S = 30.0
_LOCK_S = "10"


@dataclass(frozen=True)
class Resolver:
    """A name server that machines ask, at an address that is otherwise refused.

    Attributes:
        address: IPv4.
        is_here: It is this computer's own.
    """

    address: str
    is_here: bool = False


@dataclass(frozen=True)
class Rules:
    """The rules of one hub, each as ``iptables -S`` prints it.

    Attributes:
        chains: Names of the hub's own chains.
        inside: All rules of these chains, in order.
        jumps: The rules in chains of others that lead there.
    """

    chains: tuple[str, ...]
    inside: tuple[str, ...]
    jumps: tuple[str, ...]


def host_chain(hub_id: str) -> str:
    """Give the name of the chain for packets to this computer."""
    return f"HEXHUB-{hub_id[:6]}-HOST"


def out_chain(hub_id: str) -> str:
    """Give the name of the chain for packets to elsewhere."""
    return f"HEXHUB-{hub_id[:6]}-OUT"


def make_rules(
    hub_id: str,
    networks: Iterable[MachineNetwork],
    gate_port: int,
    resolvers: Iterable[Resolver] = (),
) -> Rules:
    """Give the rules for a hub's networks; pure.

    Packets of connections that the host has opened come back (the proxy opens those to the
    machines). Name servers are reached at port 53 even at a private address, or nothing on the
    internet would have a name. Docker itself keeps networks without the internet from elsewhere.

    Args:
        hub_id: Of this HexHub.
        networks: As they are in Docker, with gateways.
        gate_port: Of ``hexhub.machine_gate``.
        resolvers: Name servers in ranges that are refused.
    """
    here, out = host_chain(hub_id), out_chain(hub_id)
    on_host = [f"-A {here} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
    elsewhere: list[str] = []
    jumps: list[str] = []
    known = tuple(resolvers)
    for network in networks:
        on_host.append(
            f"-A {here} -d {network.gateway}/32 -i {network.bridge} -p tcp -m tcp "
            f"--dport {gate_port} -j ACCEPT"
        )
        jumps.append(f"-A INPUT -i {network.bridge} -j {here}")
        if network.is_internal:
            continue
        jumps.append(f"-A {DOCKER_CHAIN} -i {network.bridge} -j {out}")
        for resolver in known:
            chain = here if resolver.is_here else out
            (on_host if resolver.is_here else elsewhere).extend(
                f"-A {chain} -d {resolver.address}/32 -i {network.bridge} -p {protocol} "
                f"-m {protocol} --dport 53 -j RETURN"
                for protocol in ("udp", "tcp")
            )
    on_host.append(f"-A {here} {_REFUSE}")
    elsewhere.extend(f"-A {out} -d {place} {_REFUSE}" for place in (LINK_LOCAL, *PRIVATE_RANGES))
    return Rules((here, out), (*on_host, *elsewhere), tuple(jumps))


def lacking_rules(rules: Rules, listing: str) -> list[str]:
    """Tell what of the rules is not set, or set otherwise; empty where all is as it should be.

    Args:
        rules: What should be.
        listing: What ``iptables -S`` prints.
    """
    lines = listing.splitlines()
    there = {_essence(line) for line in lines}
    lacking = [jump for jump in rules.jumps if _essence(jump) not in there]
    for chain in rules.chains:
        wanted = [rule for rule in rules.inside if rule.startswith(f"-A {chain} ")]
        found = [line for line in lines if line.startswith(f"-A {chain} ")]
        if list(map(_essence, wanted)) != list(map(_essence, found)):
            known = {_essence(line) for line in found}
            absent = [rule for rule in wanted if _essence(rule) not in known]
            lacking.extend(absent or wanted)
    return lacking


def setting_text(rules: Rules, listing: str) -> str:
    """Give the input of ``iptables-restore --noflush`` that sets the rules.

    A chain that is named anew is emptied, in the same transaction; jumps that are there stay where
    they are, so that an administrator may put a rule before them.
    """
    there = {_essence(line) for line in listing.splitlines()}
    wanted = {_essence(jump) for jump in rules.jumps}
    stale = [
        line
        for line in _jumps_to(rules.chains, listing)
        if _essence(line) not in wanted
        and not line.startswith(tuple(f"-A {c} " for c in rules.chains))
    ]
    return _transaction(
        [
            *(f":{chain} - [0:0]" for chain in rules.chains),
            *(line.replace("-A ", "-D ", 1) for line in stale),
            *rules.inside,
            *(jump.replace("-A ", "-I ", 1) for jump in rules.jumps if _essence(jump) not in there),
        ]
    )


def removal_text(hub_id: str, listing: str) -> str:
    """Give the input of ``iptables-restore --noflush`` that removes a hub's rules; may be empty."""
    chains = [
        chain
        for chain in (host_chain(hub_id), out_chain(hub_id))
        if f"-N {chain}" in listing.splitlines()
    ]
    if not chains:
        return ""
    return _transaction(
        [
            *(line.replace("-A ", "-D ", 1) for line in _jumps_to(chains, listing)),
            *(f"-F {chain}" for chain in chains),
            *(f"-X {chain}" for chain in chains),
        ]
    )


def refused_resolvers(texts: Iterable[str]) -> list[str]:
    """Give the name servers that Docker hands to machines, as far as the rules would refuse them.

    Like Docker, it takes the first file that names a server which is not on loopback.

    Args:
        texts: Of ``resolv.conf`` files, in order.
    """
    for text in texts:
        servers = [
            server
            for line in text.splitlines()
            if (words := line.split())[:1] == ["nameserver"] and len(words) > 1
            if (server := _ipv4(words[1])) is not None and not server.is_loopback
        ]
        if servers:
            ranges = [ipaddress.IPv4Network(place) for place in (LINK_LOCAL, *PRIVATE_RANGES)]
            return [str(s) for s in servers if any(s in place for place in ranges)]
    return []


def find_resolvers() -> list[Resolver]:
    """Give the name servers of this computer that need a rule of their own."""
    texts = [Path(name).read_text() for name in _RESOLVER_FILES if Path(name).is_file()]
    return [Resolver(address, _is_own(address)) for address in refused_resolvers(texts)]


def why_unavailable() -> str:
    """Say in a few words why rules can neither be seen nor set here; empty where they can."""
    if os.geteuid() != 0:
        return "not root"
    if _find("iptables") is None or _find("iptables-restore") is None:
        return "no iptables"
    return ""


def set_rules(hub_id: str, networks: Sequence[MachineNetwork], gate_port: int) -> bool:
    """Set a hub's rules and tell whether anything had to be changed.

    Raises:
        SetupError: Not root, no iptables, or Docker has not made its chains.
    """
    rules = make_rules(hub_id, networks, gate_port, find_resolvers())
    listing = list_rules()
    if f"-N {DOCKER_CHAIN}" not in listing.splitlines():
        raise SetupError(
            f"The firewall has no chain {DOCKER_CHAIN}, which Docker makes unless it is told not "
            'to manage rules ("iptables": false in daemon.json). Let Docker manage its rules.'
        )
    if not lacking_rules(rules, listing):
        return False
    _restore(setting_text(rules, listing))
    return True


def remove_rules(hub_id: str) -> bool:
    """Remove a hub's rules and tell whether there were any.

    Raises:
        SetupError: Not root, or no iptables.
    """
    text = removal_text(hub_id, list_rules())
    if text:
        _restore(text)
    return bool(text)


def look_for_rules(hub_id: str, networks: Sequence[MachineNetwork], gate_port: int) -> list[str]:
    """Give the rules of a hub that are not set as they should be.

    Raises:
        SetupError: Not root, or no iptables.
    """
    return lacking_rules(make_rules(hub_id, networks, gate_port, find_resolvers()), list_rules())


def list_rules() -> str:
    """Give what ``iptables -S`` prints.

    Raises:
        SetupError: Not root, or no iptables.
    """
    return _run("iptables", "--wait", _LOCK_S, "-S")


def _restore(text: str) -> None:
    _run("iptables-restore", "--wait", _LOCK_S, "--noflush", sent=text)


def _run(name: str, *arguments: str, sent: str = "") -> str:
    reason = why_unavailable()
    if reason:
        raise SetupError(
            f"The firewall cannot be seen or set ({reason}). "
            + (
                "Run this as root."
                if reason == "not root"
                else "Install iptables (Debian, Ubuntu: sudo apt-get install iptables)."
            )
        )
    try:
        done = subprocess.run(
            [_find(name) or name, *arguments],
            input=sent,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SetupError(f"{name} does not answer: {exc}") from exc
    if done.returncode != 0:
        raise SetupError(f"{name} refused: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _transaction(lines: Iterable[str]) -> str:
    return "\n".join(["*filter", *lines, "COMMIT", ""])


def _jumps_to(chains: Iterable[str], listing: str) -> list[str]:
    names = set(chains)
    return [
        line
        for line in listing.splitlines()
        if line.startswith("-A ")
        and (words := line.split())[-2:-1] == ["-j"]
        and words[-1] in names
    ]


def _essence(rule: str) -> frozenset[str]:
    """Give what a rule says, however a version of iptables prints it.

    Versions differ in the order of options, in ``-m tcp`` after ``-p tcp``, and in ``/32``.
    """
    words = rule.split()
    pairs = [f"{words[i]} {words[i + 1].removesuffix('/32')}" for i in range(0, len(words) - 1, 2)]
    return frozenset(
        ",".join(sorted(pair.split()[1].split(","))) if pair.startswith("--ctstate") else pair
        for pair in pairs
        if not pair.startswith("-m ")
    )


def _ipv4(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def _is_own(address: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
