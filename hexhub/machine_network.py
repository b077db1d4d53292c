"""The Docker networks of the students' containers.

Two of them, by the lesson's ``network``: one with the internet and one without. On both, containers
cannot reach each other (``enable_icc=false``; ``internal`` alone leaves them open to each other),
there is no IPv6, and the host is reached at the gateway, where HexHub opens one door
(``hexhub.machine_gate``) and shuts all others (``hexhub.firewall``). The names of networks and
bridges come from the hub's id, so that two HexHubs on one computer have nothing in common; the
addresses are picked by Docker.
"""

from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import APIError, NotFound

from hexhub.errors import SetupError

_ICC = "com.docker.network.bridge.enable_icc"
_BRIDGE = "com.docker.network.bridge.name"


@dataclass(frozen=True)
class MachineNetwork:
    """One Docker network.

    Attributes:
        name: As Docker knows it.
        bridge: Name of the host's interface, for firewall rules; 15 characters at most.
        is_internal: No way to the internet.
        gateway: Address of the host on it; empty while it does not exist.
        subnet: Its addresses, such as ``172.20.0.0/16``; empty while it does not exist.
    """

    name: str
    bridge: str
    is_internal: bool
    gateway: str = ""
    subnet: str = ""


def network_name(hub_id: str, *, is_internal: bool = False) -> str:
    """Give the name of a hub's network."""
    name = f"hexhub-{hub_id[:6]}"
    return f"{name}-isolated" if is_internal else name


def planned_network(hub_id: str, *, is_internal: bool) -> MachineNetwork:
    """Give one of a hub's networks as it is to be made."""
    bridge = f"hx{hub_id[:6]}{'i' if is_internal else ''}"
    return MachineNetwork(network_name(hub_id, is_internal=is_internal), bridge, is_internal)


def planned_networks(hub_id: str) -> tuple[MachineNetwork, MachineNetwork]:
    """Give the network with the internet and the one without, as they are to be made."""
    return planned_network(hub_id, is_internal=False), planned_network(hub_id, is_internal=True)


def network_arguments(network: MachineNetwork, hub_id: str) -> dict[str, Any]:
    """Give the keyword arguments of docker-py's ``APIClient.create_network``; pure."""
    return {
        "name": network.name,
        "driver": "bridge",
        "check_duplicate": True,
        "internal": network.is_internal,
        # Said and not left out: an engine can be set to give networks IPv6 unless told otherwise,
        # and the firewall's rules are for IPv4.
        "enable_ipv6": False,
        "labels": {"hexhub.hub": hub_id},
        "options": {_ICC: "false", _BRIDGE: network.bridge},
    }


def ensure_networks(client: docker.APIClient, hub_id: str) -> tuple[MachineNetwork, MachineNetwork]:
    """Make both networks where they are missing, and give them with their gateways.

    Raises:
        SetupError: Docker refuses, or a network of that name lets containers reach each other or
            has IPv6.
    """
    internet, isolated = (_ensure(client, plan, hub_id) for plan in planned_networks(hub_id))
    return internet, isolated


def find_networks(client: docker.APIClient, hub_id: str) -> tuple[MachineNetwork, ...]:
    """Give those of a hub's networks that are there, with their gateways.

    Raises:
        SetupError: A network of that name lets containers reach more than they may.
    """
    found: list[MachineNetwork] = []
    for plan in planned_networks(hub_id):
        try:
            found.append(_as_it_is(plan, client.inspect_network(plan.name)))
        except NotFound:
            continue
    return tuple(found)


def remove_networks(client: docker.APIClient, hub_id: str) -> list[str]:
    """Remove a hub's networks and give their names; containers must be gone before."""
    names = [
        network["Name"] for network in client.networks(filters={"label": f"hexhub.hub={hub_id}"})
    ]
    for name in names:
        client.remove_network(name)
    return names


def _ensure(client: docker.APIClient, plan: MachineNetwork, hub_id: str) -> MachineNetwork:
    try:
        found = client.inspect_network(plan.name)
    except NotFound:
        try:
            client.create_network(**network_arguments(plan, hub_id))
        except APIError as exc:
            raise SetupError(
                f"Docker could not make the network '{plan.name}': {exc.explanation}. "
                "Networks that nobody uses are removed by: docker network prune"
            ) from exc
        found = client.inspect_network(plan.name)
    return _as_it_is(plan, found)


def _as_it_is(plan: MachineNetwork, found: dict[str, Any]) -> MachineNetwork:
    if (
        (found.get("Options") or {}).get(_ICC) != "false"
        or bool(found.get("Internal")) != plan.is_internal
        or found.get("EnableIPv6")
    ):
        raise SetupError(
            f"The Docker network '{plan.name}' was not made by this HexHub: on it, machines could "
            f"reach more than they may. Remove it: docker network rm {plan.name}"
        )
    gateways = [entry.get("Gateway", "") for entry in found["IPAM"]["Config"]]
    gateway = next((address.split("/")[0] for address in gateways if address), "")
    if not gateway:
        raise SetupError(
            f"The Docker network '{plan.name}' has no gateway. "
            f"Remove it and start again: docker network rm {plan.name}"
        )
    subnet = next((entry["Subnet"] for entry in found["IPAM"]["Config"] if "Subnet" in entry), "")
    return MachineNetwork(plan.name, plan.bridge, plan.is_internal, gateway, subnet)
