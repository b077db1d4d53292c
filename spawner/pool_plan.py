"""Which containers may wait for whom, and how many of each: the plan of the warm pool; pure.

Design choices: Docker cannot change most of a container once it is made. Whatever cannot be
changed is its *shape*: image, user, network, hardening. Two lessons of the same shape share the
containers that wait. The shape is taken from the very arguments that make a student's machine, so
that an argument that is new tomorrow divides the pool by itself, and a container that was made by
yesterday's rules fits nobody. What can be changed when the student comes is left out of it: the
name, and the limits of memory and processor.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hexhub.names import is_nobodys, waiting_name

SHAPE_LABEL = "hexhub.shape"
LIMITS_LABEL = "hexhub.limits"

Shape = str
"""Digest of what cannot be changed in a container."""

_CHANGEABLE = ("Memory", "MemorySwap", "CpuPeriod", "CpuQuota", "CpuShares")
CPU_SHARES = 1024
"""Of the processor for a student's machine: Docker's own default, so that nothing need say it."""
_LOADING_SHARES = 64
"""For a container that loads JupyterLab while nobody waits for it: it takes a sixteenth of the time
of a student's, and all that they leave."""
_FORGOTTEN = 0.05
"""Opens, decayed, below which a shape counts as not in demand."""


def shape_of(arguments: Mapping[str, Any]) -> Shape:
    """Give the shape of a machine that is made of these arguments of ``create_container``."""
    host_config = {k: v for k, v in arguments["host_config"].items() if k not in _CHANGEABLE}
    fixed = {k: v for k, v in arguments.items() if k != "name"}
    text = json.dumps({**fixed, "host_config": host_config}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def limits_of(arguments: Mapping[str, Any]) -> dict[str, int]:
    """Give the limits that can be changed while a container runs, in the words of Docker's API."""
    host_config = {"CpuShares": CPU_SHARES, **arguments["host_config"]}
    return {key: host_config[key] for key in _CHANGEABLE}


def update_arguments(limits: Mapping[str, int]) -> dict[str, int]:
    """Give the keyword arguments of docker-py's ``APIClient.update_container``."""
    return {
        "mem_limit": limits["Memory"],
        "memswap_limit": limits["MemorySwap"],
        "cpu_period": limits["CpuPeriod"],
        "cpu_quota": limits["CpuQuota"],
        "cpu_shares": limits["CpuShares"],
    }


def waiting_arguments(arguments: Mapping[str, Any], hub_id: str, number: str) -> dict[str, Any]:
    """Give the arguments of a container that waits, from those of a student's machine.

    It has a smaller share of the processor, until it has loaded all it can or is a student's.

    Args:
        arguments: Of any student's machine of the shape; no more of it than the name depends on
            the student.
        hub_id: Of this HexHub.
        number: Tells the waiting containers apart.
    """
    host_config = {**arguments["host_config"], "CpuShares": _LOADING_SHARES}
    waiting = {**arguments, "host_config": host_config, "name": waiting_name(hub_id, number)}
    labels = {SHAPE_LABEL: shape_of(waiting), LIMITS_LABEL: json.dumps(limits_of(waiting))}
    return {**waiting, "labels": {**arguments["labels"], **labels}}


@dataclass
class Waiting:
    """A container that waits for a student.

    Attributes:
        id: Docker's.
        number: The part of its name that tells it apart.
        name: It has now.
        shape: Of it.
        limits: It has.
        image_id: Of the image it was made of; the image's name may mean another one by now.
        address: On its network; empty where that is not known yet.
        made_at_s: Seconds since 1970.
        is_running: Docker says so.
        is_ready: It has loaded all it can, and waits.
        memory_bytes: That it holds; 0 where it was not measured yet.
    """

    id: str
    number: str
    name: str
    shape: Shape
    limits: Mapping[str, int]
    image_id: str
    address: str
    made_at_s: float
    is_running: bool
    is_ready: bool = False
    memory_bytes: int = 0


def read_waiting(listed: Mapping[str, Any]) -> Waiting | None:
    """Read an entry of Docker's list of containers; None for one that is a student's.

    Args:
        listed: As ``APIClient.containers`` gives it.
    """
    name = str(next(iter(listed.get("Names") or ["/"])))[1:]
    if not is_nobodys(name):
        return None
    labels = listed.get("Labels") or {}
    networks = (listed.get("NetworkSettings") or {}).get("Networks") or {}
    try:
        limits = json.loads(labels.get(LIMITS_LABEL, "{}"))
    except ValueError:
        limits = {}
    return Waiting(
        id=str(listed["Id"]),
        number=name.rsplit(".", 1)[-1],
        name=name,
        shape=str(labels.get(SHAPE_LABEL, "")),
        limits=limits,
        image_id=str(listed.get("ImageID", "")),
        address=next((n["IPAddress"] for n in networks.values() if n.get("IPAddress")), ""),
        made_at_s=float(listed.get("Created", 0)),
        is_running=listed.get("State") == "running",
    )


@dataclass
class Demand:
    """How often each shape was asked for lately; each open counts half after ``half_life_s``."""

    half_life_s: float
    _counts: dict[Shape, tuple[float, float]] = field(default_factory=dict)

    def add(self, shape: Shape, now_s: float) -> None:
        """Count one open.

        Args:
            shape: That was opened.
            now_s: On the clock of all other calls.
        """
        self._counts[shape] = (self.of(shape, now_s) + 1.0, now_s)

    def of(self, shape: Shape, now_s: float) -> float:
        """Give the decayed number of opens."""
        count, at_s = self._counts.get(shape, (0.0, now_s))
        return count * math.exp2(-(now_s - at_s) / self.half_life_s)


def wanted_counts(
    demand: Mapping[Shape, float],
    *,
    least: int,
    most: int,
    room: int,
    least_of: Mapping[Shape, int] = MappingProxyType({}),
) -> dict[Shape, int]:
    """Decide how many containers of each shape shall wait.

    First each shape has the least, those in demand before the others; what room is left goes one
    by one to the shape with the most demand for each container that it has (the highest averages
    of d'Hondt), up to its demand and to ``most``.

    Args:
        demand: Shape → decayed number of opens; shapes of all lessons, also those with none.
        least: Of each shape, as far as there is room.
        most: Of each shape.
        room: Of all together.
        least_of: Of some shapes, in place of ``least`` and, where it is more, of ``most``.

    Returns:
        Shape → number, at least 0; the sum is at most ``room``.
    """
    order = sorted(demand, key=lambda shape: (-demand[shape], shape))
    counts = dict.fromkeys(order, 0)
    for shape in order:
        own_least = least_of.get(shape, min(least, most))
        counts[shape] = min(own_least, max(0, room - sum(counts.values())))
    while sum(counts.values()) < room:
        hungry = [s for s in order if counts[s] < min(most, _whole(demand[s]))]
        if not hungry:
            break
        counts[max(hungry, key=lambda shape: demand[shape] / (counts[shape] + 1))] += 1
    return counts


def _whole(demand: float) -> int:
    return math.ceil(demand) if demand >= _FORGOTTEN else 0


def next_missing(
    wanted: Mapping[Shape, int], have: Mapping[Shape, int], demand: Mapping[Shape, float]
) -> Shape | None:
    """Give the shape of the container to make next: the one in most demand of which most lack."""
    missing = [shape for shape, count in wanted.items() if have.get(shape, 0) < count]
    # One that has none at all comes first: its next student would start cold.
    return max(missing, key=lambda s: (not have.get(s, 0), demand.get(s, 0.0), s), default=None)


def unfit(
    waiting: Iterable[Waiting],
    *,
    wanted: Mapping[Shape, int],
    image_ids: Mapping[Shape, str],
    now_s: float,
    max_age_s: float,
) -> dict[str, str]:
    """Give the containers to be removed, each with the reason.

    Args:
        waiting: All containers of this hub that are nobody's, but for those that are on their way
            to a student now.
        wanted: Shape → how many.
        image_ids: Shape → id of the image that its name means now.
        now_s: Seconds since 1970.
        max_age_s: After so long one is replaced.

    Returns:
        Number → reason.
    """
    reasons: dict[str, str] = {}
    fit: dict[Shape, int] = {}
    for each in sorted(waiting, key=lambda w: (not w.is_ready, -w.made_at_s)):
        if ".claimed." in each.name:
            reason = "left half-claimed by a hub that was killed"
        elif not each.is_running:
            reason = "does not run"
        elif now_s - each.made_at_s > max_age_s:
            reason = "is too old"
        elif each.shape not in image_ids:
            reason = "fits no lesson"
        elif image_ids[each.shape] != each.image_id:
            reason = "is of an image that was made anew"
        elif fit.get(each.shape, 0) >= wanted.get(each.shape, 0):
            reason = "is more than are wanted"
        else:
            fit[each.shape] = fit.get(each.shape, 0) + 1
            continue
        reasons[each.number] = reason
    return reasons
