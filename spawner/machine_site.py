"""What the machines of one hub have in common, and with it a lesson becomes a container; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hexhub.catalog.model import Isolation, Lesson, Network
from hexhub.machine_network import planned_network
from hexhub.runtimes import USUAL_RUNTIMES
from spawner.container import make_container


@dataclass(frozen=True)
class MachineSite:
    """Where the machines of one hub are made.

    Attributes:
        hub_id: Of this HexHub.
        internet_network: Docker network of lessons with the internet.
        isolated_network: Docker network of lessons without.
        holds_quota: Docker's storage can limit the size of a container's disk.
        counts_image: That limit counts the image, too.
        runtimes: Docker's runtime for each isolation that a lesson may ask for.
    """

    hub_id: str
    internet_network: str
    isolated_network: str
    holds_quota: bool
    counts_image: bool = False
    runtimes: Mapping[Isolation, str] = field(default_factory=lambda: USUAL_RUNTIMES)

    def arguments(self, lesson: Lesson, user: str) -> dict[str, Any]:
        """Give what Docker is told to make a student's machine (``spawner.container``)."""
        is_isolated = lesson.network is Network.NONE
        return make_container(
            lesson,
            user=user,
            hub_id=self.hub_id,
            network=self.isolated_network if is_isolated else self.internet_network,
            holds_quota=self.holds_quota,
            runtime=""
            if lesson.isolation is Isolation.CONTAINER
            else self.runtimes[lesson.isolation],
        )

    def bridge(self, arguments: dict[str, Any]) -> str:
        """Give the host's interface of the network that a machine is made on."""
        network = arguments["host_config"]["NetworkMode"]
        return planned_network(self.hub_id, is_internal=network == self.isolated_network).bridge
