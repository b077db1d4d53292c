import pytest

from hexhub.errors import SetupError
from hexhub.machine_network import (
    ensure_networks,
    find_networks,
    network_arguments,
    planned_networks,
)

HUB_ID = "0123456789ab"


class FakeDocker:
    """Networks as Docker's API has them, in memory."""

    def __init__(self, networks=None):
        self.networks = dict(networks or {})
        self.made = []

    def inspect_network(self, name):
        from docker.errors import NotFound

        if name not in self.networks:
            raise NotFound("no such network")
        return self.networks[name]

    def create_network(self, **arguments):
        self.made.append(arguments["name"])
        self.networks[arguments["name"]] = {
            "Options": arguments["options"],
            "Internal": arguments["internal"],
            "IPAM": {
                "Config": [
                    {
                        "Gateway": f"172.{20 + len(self.made)}.0.1",
                        "Subnet": f"172.{20 + len(self.made)}.0.0/16",
                    }
                ]
            },
        }


def test_machines_cannot_reach_each_other():
    """Both networks are made with communication between containers off, one without internet."""
    internet, isolated = planned_networks(HUB_ID)
    for network in (internet, isolated):
        options = network_arguments(network, HUB_ID)["options"]
        assert options["com.docker.network.bridge.enable_icc"] == "false"
        assert network_arguments(network, HUB_ID)["enable_ipv6"] is False
    assert network_arguments(internet, HUB_ID)["internal"] is False
    assert network_arguments(isolated, HUB_ID)["internal"] is True


def test_bridges_have_names_that_linux_takes():
    """An interface's name has 15 characters at most, and two hubs never share one."""
    ours = {network.bridge for network in planned_networks(HUB_ID)}
    theirs = {network.bridge for network in planned_networks("ba9876543210")}
    assert all(len(bridge) <= 15 for bridge in ours | theirs)
    assert len(ours) == 2
    assert not ours & theirs


def test_networks_are_made_once():
    """What is there is used again."""
    docker = FakeDocker()
    first = ensure_networks(docker, HUB_ID)
    assert first == ensure_networks(docker, HUB_ID)
    assert docker.made == ["hexhub-012345", "hexhub-012345-isolated"]
    assert [network.gateway for network in first] == ["172.21.0.1", "172.22.0.1"]
    assert [network.subnet for network in first] == ["172.21.0.0/16", "172.22.0.0/16"]


def test_networks_that_are_there_are_found():
    """Looking makes nothing."""
    docker = FakeDocker()
    assert find_networks(docker, HUB_ID) == ()
    assert docker.made == []
    assert find_networks(docker, HUB_ID) == () != ensure_networks(docker, HUB_ID)
    assert find_networks(docker, HUB_ID) == ensure_networks(docker, HUB_ID)


@pytest.mark.parametrize(
    "foreign",
    [
        {"Options": {}, "Internal": False},
        {"Options": {"com.docker.network.bridge.enable_icc": "true"}, "Internal": False},
        {"Options": {"com.docker.network.bridge.enable_icc": "false"}, "Internal": True},
        {"Options": {"com.docker.network.bridge.enable_icc": "false"}, "EnableIPv6": True},
    ],
)
def test_a_network_that_is_too_open_is_refused(foreign):
    """A network of our name that somebody else made is not used."""
    config = {"IPAM": {"Config": [{"Gateway": "172.21.0.1"}]}}
    with pytest.raises(SetupError, match="docker network rm hexhub-012345"):
        ensure_networks(FakeDocker({"hexhub-012345": foreign | config}), HUB_ID)
