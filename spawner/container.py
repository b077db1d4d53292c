"""A lesson's container: everything Docker is told when it is made; pure.

Design choices: the arguments are plain dictionaries in the words of the Docker API, not built up by
DockerSpawner's traits, so that what a student's container may do is one value that a test compares
whole (kubespawner's ``make_pod`` is the example). Nothing of the student but the name is in it, and
no token: what the server must know is handed over when it runs (``spawner.machine_channel``).
"""

import io
import tarfile
from collections.abc import Mapping
from typing import Any

from hexhub.catalog.model import TERMINAL, Lesson, MachineUser, Network
from hexhub.catalog.overlays import Overlay
from hexhub.names import machine_name

PORT = 8888
"""Where the single-user server listens in the container."""
STOP_TIMEOUT_S = 3
"""Seconds between asking a container to stop and killing it."""
HOST_NAME = "lesson"
"""Of every machine: it is fixed when the container is made, maybe before its lesson is known."""

ENTRYPOINT = (
    "/usr/bin/tini",
    "-g",
    "--",
    "/opt/hexhub/bin/python",
    "-I",
    "-m",
    "hexhub_lesson.entrypoint",
)
"""Fixed here and not taken from the image, so that a lesson's Dockerfile cannot change it."""

CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
"""What a root in a container keeps: enough for su, useradd, chown, apt and port 80 (DESIGN §7)."""

_CPU_PERIOD_US = 100_000
_BLOCKS = 1.05
"""What an image takes of a disk, of the size that Docker tells: files take whole blocks."""
_LOG_SIZE = "1m"


def machine_labels(hub_id: str) -> dict[str, str]:
    """Give the labels of all machines of a hub; whose one is, its name says (``hexhub.names``)."""
    return {"hexhub.hub": hub_id, "hexhub.kind": "student"}


def lesson_environment(lesson: Lesson, *, holds_quota: bool = False) -> dict[str, str]:
    """Give what the machine is told about its lesson.

    Names, what is recorded of commands, whether a terminal is shown at first (alone or beside
    files), and the limit of the disk where one is held: the other limits a machine can read by
    itself.
    """
    shows_files = any(shown != TERMINAL for shown in lesson.open)
    return {
        "HEXHUB_COURSE": lesson.course,
        "HEXHUB_LESSON": lesson.name,
        "HEXHUB_RECORDS": "command_text" if lesson.records_commands else "",
        "HEXHUB_TERMINAL_AT_FIRST": (
            ("beside" if shows_files else "alone") if TERMINAL in lesson.open else ""
        ),
        "HEXHUB_DISK_BYTES": str(lesson.limits.disk_bytes) if holds_quota else "",
    }


def make_container(
    lesson: Lesson,
    *,
    user: str,
    hub_id: str,
    network: str,
    holds_quota: bool = False,
    runtime: str = "",
) -> dict[str, Any]:
    """Give the keyword arguments of docker-py's ``APIClient.create_container`` for one machine.

    Args:
        lesson: From the published catalog, found by the server's name.
        user: JupyterHub user name.
        hub_id: Of this HexHub.
        network: Docker network that the machine is attached to.
        holds_quota: Docker's storage can limit the size of a container's disk.
        runtime: Of Docker's, for the lesson's isolation; empty: Docker's own choice.
    """
    limits = lesson.limits
    host_config: dict[str, Any] = {
        "NetworkMode": network,
        "CapDrop": ["ALL"],
        "CapAdd": list(CAPABILITIES),
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "CpuPeriod": _CPU_PERIOD_US,
        "CpuQuota": round(limits.cpus * _CPU_PERIOD_US),
        "PidsLimit": limits.processes,
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": 4096, "Hard": 16384},
        ],
        "Sysctls": {"net.ipv4.ping_group_range": "0 2147483647"},
        "RestartPolicy": {"Name": "no"},
        "OomScoreAdj": 500,
        "LogConfig": {"Type": "json-file", "Config": {"max-size": _LOG_SIZE, "max-file": "1"}},
        "AutoRemove": False,
    }
    if lesson.network is Network.NONE:
        # Docker's resolver in the container would carry questions out through the host: give it
        # nobody to ask (CVE-2024-29018 in engines before 26).
        host_config["Dns"] = ["127.0.0.1"]
        host_config["DnsOptions"] = ["timeout:1", "attempts:1"]
    if holds_quota:
        host_config["StorageOpt"] = {"size": str(limits.disk_bytes)}
    if runtime:
        host_config["Runtime"] = runtime
    return {
        "image": lesson.image,
        "name": machine_name(hub_id, user, lesson.server_name),
        "hostname": HOST_NAME,
        "user": lesson.user.value,
        "working_dir": str(lesson.user.home),
        "entrypoint": list(ENTRYPOINT),
        "command": [],
        "environment": {},
        "labels": machine_labels(hub_id),
        # docker-py sets StdinOnce for whoever is attached at the time, and stdin would end with
        # the first delivery; detached, it stays open for the container's whole life.
        "stdin_open": True,
        "detach": True,
        "tty": False,
        "host_config": host_config,
    }


def add_room_for_image(arguments: Mapping[str, Any], image_bytes: int) -> dict[str, Any]:
    """Give a machine's arguments with a quota that leaves the lesson's disk beside its image.

    Needed where Docker's storage counts a machine with the image that it was made of (btrfs).

    Args:
        arguments: Of :func:`make_container`, with a quota.
        image_bytes: As Docker tells it.
    """
    host_config = arguments["host_config"]
    size = int(host_config["StorageOpt"]["size"]) + round(image_bytes * _BLOCKS)
    return {**arguments, "host_config": {**host_config, "StorageOpt": {"size": str(size)}}}


def starter_archive(starter: Overlay, user: MachineUser, modified_s: int) -> bytes:
    """Pack a starter into a tar that is unpacked in the home folder; all belongs to ``user``.

    Args:
        starter: Files below ``~/work``.
        user: Who the student is in the machine.
        modified_s: Date that the files bear, in seconds since 1970.
    """
    folders = {"work"}
    for path in starter:
        parts = f"work/{path}".split("/")[:-1]
        folders.update("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in sorted(folders):
            member = tarfile.TarInfo(folder)
            member.type = tarfile.DIRTYPE
            member.mode = 0o755
            member.mtime = modified_s
            member.uid = member.gid = user.uid
            archive.addfile(member)
        for path, file in sorted(starter.items()):
            member = tarfile.TarInfo(f"work/{path}")
            member.size = len(file.data)
            member.mode = 0o755 if file.is_executable else 0o644
            member.mtime = modified_s
            member.uid = member.gid = user.uid
            archive.addfile(member, io.BytesIO(file.data))
    return packed.getvalue()


def why_it_ended(state: Mapping[str, Any], memory_bytes: int) -> str:
    """Say in one sentence why a container is not running, from ``State`` of its inspection."""
    if state.get("OOMKilled"):
        return f"It ran out of memory ({memory_bytes // 1024**2} MB)."
    if state.get("Error"):
        return "Docker could not start it; the hub's log says why."
    return f"It ended by itself (exit code {state.get('ExitCode')})."


def address_of(container: Mapping[str, Any]) -> str:
    """Give a container's address on its one network; empty while it has none.

    Args:
        container: As Docker's inspection gives it.
    """
    networks = container["NetworkSettings"]["Networks"].values()
    return next(filter(None, (network["IPAddress"] for network in networks)), "")
