"""What this computer lacks, and what to do: the findings of ``hexhub doctor``.

Each ``judge_…`` is pure and turns what was measured into a :class:`Finding`; :func:`examine` does
the measuring.
"""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from hexhub.catalog.model import Course, Lesson
from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.errors import CourseError, RuntimeMissing, SetupError
from hexhub.firewall import look_for_rules, why_unavailable
from hexhub.launch import find_node, find_proxy, holds_disk_quota, missing_images
from hexhub.machine_network import find_networks
from hexhub.machines import connect_docker, held_by_waiting
from hexhub.runtimes import choose_runtime, read_runtimes
from hexhub.state_folder import StateFolder, is_free
from hexhub.supervisor import PROJECT

BASE_IMAGE = "hexhub/base"
"""Image with which Docker is tried."""

_GIB = 1024**3
_FEW_BYTES = 10 * _GIB
_TOO_FEW_BYTES = 2 * _GIB
_MACHINE_BYTES = 135 * 1024**2
"""Memory of one idle machine (measured: PSS of a stock single-user server)."""
_OWN_BYTES = 600 * 1024**2
"""Memory of hub, web, worker and proxy together."""
_SAFE_RUNC = ((1, 2, 8), (1, 3, 3), (1, 4, 0))
"""First releases of their lines without CVE-2025-31133, CVE-2025-52565 and CVE-2025-52881."""


class Level(StrEnum):
    """How bad a finding is; only an error keeps HexHub from running."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        about: What, in a word or two.
        found: How it is.
        to_do: What helps; empty where nothing needs to be done.
    """

    level: Level
    about: str
    found: str
    to_do: str = ""


def judge_runc(version: str) -> Finding:
    """Tell whether runc has known ways out of a container.

    Args:
        version: As Docker tells it, such as ``1.1.5+ds1-1+deb12u1``.
    """
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    if match is None:
        return Finding(
            Level.WARNING,
            "runc",
            f"version {version or 'unknown'}",
            "Look whether it is 1.2.8, 1.3.3, 1.4.0 or newer.",
        )
    found = tuple(map(int, match.groups()))
    same_line = [safe for safe in _SAFE_RUNC if safe[:2] == found[:2]]
    is_safe = found >= same_line[0] if same_line else found > _SAFE_RUNC[-1]
    if is_safe:
        return Finding(Level.OK, "runc", f"version {version}")
    return Finding(
        Level.WARNING,
        "runc",
        f"version {version} has known ways out of a container for a root in it (CVE-2025-31133, "
        "CVE-2025-52565, CVE-2025-52881), unless your distribution has mended it",
        "Update runc to 1.2.8, 1.3.3, 1.4.0 or newer before people you do not trust get root "
        "lessons.",
    )


def judge_limits(info: Mapping[str, Any]) -> Finding:
    """Tell whether Docker can hold memory, processors and processes of a container.

    Args:
        info: Docker's ``/info``.
    """
    limits = {
        "memory": "MemoryLimit",
        "swap": "SwapLimit",
        "processors": "CpuCfsQuota",
        "processes": "PidsLimit",
    }
    missing = [name for name, key in limits.items() if not info.get(key)]
    if not missing:
        return Finding(Level.OK, "limits", f"{', '.join(limits)} can be limited")
    return Finding(
        Level.WARNING if missing == ["swap"] else Level.ERROR,
        "limits",
        f"Docker cannot limit: {', '.join(missing)}",
        "Boot the kernel with: cgroup_enable=memory swapaccount=1",
    )


def judge_seccomp(options: Iterable[str]) -> Finding:
    """Tell whether Docker filters system calls, from ``SecurityOptions`` of its ``/info``."""
    if any("name=seccomp" in option for option in options):
        return Finding(Level.OK, "seccomp", "system calls of containers are filtered")
    return Finding(
        Level.ERROR,
        "seccomp",
        "Docker does not filter the system calls of containers",
        "Install a Docker and a kernel with seccomp.",
    )


def judge_quota(holds_quota: bool, driver: str, filesystem: str) -> Finding:
    """Tell whether the disk of one machine can be limited."""
    if holds_quota:
        return Finding(Level.OK, "disk limit", "each machine's disk is held at its lesson's limit")
    return Finding(
        Level.WARNING,
        "disk limit",
        f"{driver} on {filesystem or 'this filesystem'} cannot limit the disk of a machine: one "
        "student can fill it for all",
        "Put Docker's folder on btrfs, zfs, or xfs mounted with pquota; a mounted file will do "
        "(docs/isolation.md).",
    )


def judge_space(place: str, path: Path, free_bytes: int) -> Finding:
    """Tell whether there is room on a disk."""
    found = f"{free_bytes / _GIB:.1f} GiB free at {path}"
    if free_bytes >= _FEW_BYTES:
        return Finding(Level.OK, place, found)
    level = Level.ERROR if free_bytes < _TOO_FEW_BYTES else Level.WARNING
    return Finding(
        level, place, found, "Make room; what nobody uses any more goes with: docker system prune"
    )


def judge_memory(total_bytes: int) -> Finding:
    """Tell how many machines fit into the memory."""
    machines = max(0, (total_bytes - _OWN_BYTES) // _MACHINE_BYTES)
    found = f"{total_bytes / _GIB:.1f} GiB: room for about {machines} idle machines"
    if machines >= 10:
        return Finding(Level.OK, "memory", found)
    return Finding(Level.WARNING, "memory", found, "More memory, or fewer students at a time.")


def judge_port(port: int, *, is_free: bool, is_ours: bool) -> Finding:
    """Tell whether the public port can be had."""
    if is_ours:
        return Finding(Level.OK, "port", "HexHub runs with this state folder")
    if is_free:
        return Finding(Level.OK, "port", f"{port} is free")
    return Finding(
        Level.ERROR,
        "port",
        f"{port} is taken by another program",
        f"Choose another one: hexhub up --port {port + 1}",
    )


def judge_images(missing: Iterable[str]) -> Finding:
    """Tell whether the images of the lessons are there."""
    names = sorted(missing)
    if not names:
        return Finding(Level.OK, "images", "the images of all lessons are there")
    return Finding(Level.ERROR, "images", f"missing: {', '.join(names)}", "Make them: make images")


def judge_waiting(held_bytes: Sequence[int]) -> list[Finding]:
    """Tell what the warm pool holds; nothing where nobody waits.

    Args:
        held_bytes: Memory of each container that waits for a student.
    """
    if not held_bytes:
        return []
    found = (
        f"{len(held_bytes)} machine(s) wait for students and hold "
        f"{sum(held_bytes) / 1024**2:.0f} MB (c.MachinePool)"
    )
    return [Finding(Level.OK, "waiting", found)]


def judge_firewall(lacking: Iterable[str] | None, reason: str) -> Finding:
    """Tell whether machines are kept from this computer's ports and from private networks.

    Args:
        lacking: Rules that are not set, or None where that cannot be seen.
        reason: Why it cannot be seen.
    """
    is_open = (
        "machines reach this computer's ports, a cloud's metadata (169.254.169.254) and your "
        "private networks"
    )
    if lacking is None:
        return Finding(
            Level.NOTE,
            "firewall",
            f"cannot be seen ({reason}); unless its rules are set, {is_open}",
            "As root: hexhub network status",
        )
    count = len(list(lacking))
    if not count:
        return Finding(
            Level.OK,
            "firewall",
            "machines are kept from this computer's ports but their gate, and from private "
            "networks; proved by: hexhub doctor --isolation",
        )
    return Finding(
        Level.WARNING,
        "firewall",
        f"{count} rule(s) are not set: {is_open}",
        "As root: hexhub network up   (hexhub up does it too)",
    )


def judge_user_namespaces(options: Iterable[str]) -> Finding:
    """Tell whether root in a machine is root outside, from ``SecurityOptions`` of Docker's info."""
    names = {option.split(",")[0] for option in options}
    if names & {"name=userns", "name=rootless"}:
        return Finding(Level.OK, "user namespaces", "root in a machine is nobody outside it")
    return Finding(
        Level.WARNING,
        "user namespaces",
        "not in use: root in a machine, if they broke out of it, would be root here",
        'Docker can do it ("userns-remap" in daemon.json); HexHub was not tried with it. Lessons '
        "with user: student have no root to begin with.",
    )


def judge_subdomains(host: str) -> Finding:
    """Tell whether browsers keep the pages of one student's machine from those of others.

    Args:
        host: Origin of HexHub's pages as it was started last; empty without subdomains.
    """
    if not host:
        return Finding(
            Level.WARNING,
            "subdomains",
            "not in use: all machines share one address, so that a page that one student makes can "
            "act for another who opens it",
            "On this computer alone that is fine. For students who do not trust each other, have a "
            "wildcard name: hexhub up --subdomain-host https://learn.example.org   "
            "(docs/isolation.md)",
        )
    if not host.startswith("https://"):
        return Finding(
            Level.WARNING,
            "subdomains",
            f"in use below {host}, without https: a page that one student makes cannot read what "
            "is another's, but can plant cookies for them",
            "Put a web server with a wildcard certificate in front, and give --subdomain-host "
            "with https://.",
        )
    return Finding(Level.OK, "subdomains", f"each student has a name of their own below {host}")


def judge_walls(
    info: Mapping[str, Any],
    version: Mapping[str, Any],
    *,
    holds_quota: bool | None,
    subdomain_host: str = "",
) -> list[Finding]:
    """Tell how strong the walls around a machine are, where no door shows it.

    Args:
        info: Docker's ``/info``.
        version: Docker's ``/version``.
        holds_quota: Docker's storage can limit the disk of one container; None where that could
            not be tried, since there is no image.
        subdomain_host: See :func:`judge_subdomains`.
    """
    options = info.get("SecurityOptions") or ()
    findings = [_judge_runtime(info, version), judge_user_namespaces(options)]
    if holds_quota is not None:
        filesystem = dict(info.get("DriverStatus") or ()).get("Backing Filesystem", "")
        findings.append(judge_quota(holds_quota, info.get("Driver", ""), filesystem))
    return [*findings, judge_subdomains(subdomain_host)]


def judge_isolations(lacking: Mapping[str, str]) -> Finding:
    """Tell whether lessons that ask for stronger walls than a container's can be opened.

    Args:
        lacking: Lesson → why its machines cannot be made here.
    """
    if not lacking:
        return Finding(Level.OK, "isolation", "the runtimes that lessons ask for are there")
    names = ", ".join(sorted(lacking))
    return Finding(
        Level.WARNING, "isolation", f"students cannot open: {names}", sorted(lacking.values())[0]
    )


def _judge_runtime(info: Mapping[str, Any], version: Mapping[str, Any]) -> Finding:
    """Judge runc, or tell that machines run with something else."""
    used = info.get("DefaultRuntime") or "runc"
    if used not in ("runc", "io.containerd.runc.v2", "io.containerd.runtime.v1.linux"):
        return Finding(
            Level.NOTE,
            "runc",
            f"machines run with '{used}' and not with runc",
            "Keep it as new as your distribution has it.",
        )
    parts = {part["Name"]: part["Version"] for part in version.get("Components") or ()}
    return judge_runc(parts.get("runc", ""))


def examine_walls(state: StateFolder) -> list[Finding]:
    """Look at Docker and at the last start, and give the findings of :func:`judge_walls`.

    Raises:
        SetupError: Docker does not answer.
    """
    client = connect_docker()
    try:
        there = not missing_images(client, {BASE_IMAGE})
        return judge_walls(
            client.info(),
            client.version(),
            holds_quota=holds_disk_quota(client, BASE_IMAGE) if there else None,
            subdomain_host=state.subdomain_host,
        )
    except (DockerException, RequestException) as exc:
        raise SetupError(f"Docker does not answer as it should: {exc}") from exc
    finally:
        client.close()


def examine(state: StateFolder, port: int) -> list[Finding]:
    """Look at everything and give the findings, in the order in which they are read."""
    return [
        _try("node", lambda: f"at {find_node()}"),
        _try("proxy", lambda: f"at {find_proxy()}"),
        judge_port(
            port,
            is_free=is_free(("127.0.0.1",), port),
            is_ours=state.running_process() is not None,
        ),
        *_examine_docker(state),
        judge_memory(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")),
        _space("state folder", state.path),
    ]


def _examine_docker(state: StateFolder) -> list[Finding]:
    try:
        client = connect_docker()
    except SetupError as exc:
        return [Finding(Level.ERROR, "Docker", "does not answer", str(exc))]
    try:
        info, version = client.info(), client.version()
        lessons = [lesson for course in _courses(state) for lesson in course.lessons]
        images = {lesson.image for lesson in lessons}
        missing = missing_images(client, images)
        there = sorted(images - missing)
        holds_quota = holds_disk_quota(client, there[0]) if there else None
        findings = [
            Finding(Level.OK, "Docker", f"version {version['Version']}"),
            judge_limits(info),
            judge_seccomp(info.get("SecurityOptions") or ()),
            judge_images(missing),
            judge_isolations(_lacking_runtimes(lessons, info)),
            *judge_walls(
                info, version, holds_quota=holds_quota, subdomain_host=state.subdomain_host
            ),
        ]
        if state.exists:
            findings.append(_firewall(client, state))
            findings += judge_waiting(held_by_waiting(client, state.hub_id))
        root = Path(info["DockerRootDir"])
        if root.exists():
            findings.append(_space("Docker's folder", root))
    except (DockerException, RequestException) as exc:
        return [Finding(Level.ERROR, "Docker", "does not answer as it should", str(exc))]
    return findings


def _lacking_runtimes(lessons: Iterable[Lesson], info: Mapping[str, Any]) -> dict[str, str]:
    """Give why machines of lessons cannot be made here, for those whose cannot."""
    runtimes = read_runtimes(os.environ.get("HEXHUB_RUNTIMES", ""))
    lacking: dict[str, str] = {}
    for lesson in lessons:
        try:
            choose_runtime(lesson.isolation, runtimes, info.get("Runtimes") or {})
        except RuntimeMissing as exc:
            lacking[f"{lesson.course}/{lesson.name}"] = str(exc)
    return lacking


def _courses(state: StateFolder) -> list[Course]:
    """Give the published courses, and those that ship where nothing is published yet."""
    published = PublishedCatalog(state.path / "catalog").courses()
    if published:
        return published
    courses = []
    for file in (PROJECT / "courses").glob("*/course.yml"):
        try:
            courses.append(read_course(file.parent))
        except CourseError:
            continue  # `hexhub course verify` tells what is wrong with it
    return courses


def _space(place: str, path: Path) -> Finding:
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    return judge_space(place, path, shutil.disk_usage(existing).free)


def _try(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(Level.OK, about, look())
    except SetupError as exc:
        return Finding(Level.ERROR, about, "missing", str(exc))


def _firewall(client: docker.APIClient, state: StateFolder) -> Finding:
    reason = why_unavailable()
    if reason:
        return judge_firewall(None, reason)
    try:
        networks = find_networks(client, state.hub_id)
        gate_port = state.kept_ports().get("gate", 0)
        return judge_firewall(look_for_rules(state.hub_id, networks, gate_port), "")
    except SetupError as exc:
        return judge_firewall(None, str(exc))
