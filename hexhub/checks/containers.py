"""What Docker is told when a container for a check is made; pure.

Two kinds: the container that a check runs in, used once, and the machine that stands in for a
student's when an author tries an answer (``hexhub check``, ``hexhub course verify``).

Design choices: a check container's root filesystem is read-only, and what may be written (the
checks, the copy of the student's files, ``/tmp``) is memory that counts against the memory limit.
So a run cannot fill the host's disk, which Docker's quota could not hinder on ext4, and nothing
is left when it ends.
"""

from dataclasses import dataclass, replace
from typing import Any

from hexhub.catalog.model import CheckKind, CheckSpec, Isolation, Lesson, Network
from hexhub.checks.harness import HARNESS

KIND_LABEL = "hexhub.kind"
HUB_LABEL = "hexhub.hub"
EXPIRES_LABEL = "hexhub.expires"
CHECK_KIND = "check"
TRIAL_KIND = "trial"
"""A machine in which an author's answer is tried."""

_FILES_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
_MACHINE_CAPABILITIES = ("SYS_PTRACE", "DAC_READ_SEARCH", "KILL", "SETGID", "SETUID")
_STUDENT_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "KILL",
    "NET_BIND_SERVICE",
    "SETGID",
    "SETUID",
)
"""As in ``spawner.container``, which this room may not import; a test compares both."""
_CPU_PERIOD_US = 100_000
_ULIMITS = (
    {"Name": "core", "Soft": 0, "Hard": 0},
    {"Name": "nofile", "Soft": 4096, "Hard": 16384},
)
_WRITABLE = "rw,exec,nosuid,nodev"
CHECK_PROCESSES = 256
CHECK_CPUS = 1.0


@dataclass(frozen=True)
class SandboxSpec:
    """One run of a command in a container of its own.

    Attributes:
        image: Of the lesson.
        kind: Where the check stands.
        machine_id: The student's container, whose network and processes a ``machine`` check shares.
        memory_bytes: Memory; there is no swap.
        timeout_s: Wall time that the harness gives the author's command.
        processes: Processes and threads at one time.
        cpus: Cores, in fractions.
        ahead: What the harness imports before its order is there; see :func:`imports_ahead`.
        harness: What is run in the container.
        isolation: Of the lesson: the student's code is behind the same wall as in their machine.
    """

    image: str
    kind: CheckKind
    machine_id: str | None
    memory_bytes: int
    timeout_s: float
    processes: int = CHECK_PROCESSES
    cpus: float = CHECK_CPUS
    ahead: str = ""
    harness: tuple[str, ...] = HARNESS
    isolation: Isolation = Isolation.CONTAINER

    @property
    def shape(self) -> "SandboxSpec":
        """Give what all runs have in common whose containers are made alike.

        The time is told to the harness with its order, and shapes no container.
        """
        return replace(self, timeout_s=0.0)


def make_spec(
    lesson: Lesson,
    check: CheckSpec,
    machine_id: str | None = None,
    harness: tuple[str, ...] = HARNESS,
) -> SandboxSpec:
    """Give the container of a check.

    Args:
        lesson: The lesson of the step.
        check: The step's check.
        machine_id: The student's container; used by ``machine`` checks alone.
        harness: What is run in the container.
    """
    return SandboxSpec(
        image=lesson.image,
        kind=check.kind,
        machine_id=machine_id if check.kind is CheckKind.MACHINE else None,
        memory_bytes=check.memory_bytes,
        timeout_s=check.timeout_s,
        ahead=imports_ahead(check),
        harness=harness,
        isolation=lesson.isolation,
    )


def imports_ahead(check: CheckSpec) -> str:
    """Give what a check's container may import before the order is there; empty: nothing.

    A guess, and no more: the harness looks at the command itself, and runs one that it has not
    imported for as if there were none of this. Cold containers do it too, so that students' checks
    run in just the way in which their author has verified them.
    """
    if check.kind is CheckKind.NOTEBOOK and not check.run:
        return "notebook"
    return "pytest" if check.run.split(" ", 1)[0] == "pytest" else ""


def make_check_container(
    spec: SandboxSpec, *, hub_id: str, expires_at_s: float, runtime: str = ""
) -> dict[str, Any]:
    """Give docker-py's ``create_container`` arguments for a run.

    Args:
        spec: The run.
        hub_id: Of this HexHub.
        expires_at_s: Seconds since 1970 after which nobody waits for the run any more.
        runtime: Of Docker's, for the lesson's isolation; empty: Docker's own choice.
    """
    host_config: dict[str, Any] = {
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "ReadonlyRootfs": True,
        "Tmpfs": {
            "/check": f"{_WRITABLE},mode=755,size={spec.memory_bytes // 2}",
            "/tmp": f"{_WRITABLE},mode=1777,size={spec.memory_bytes // 4}",  # noqa: S108 - not ours
            "/var/tmp": f"{_WRITABLE},mode=1777,size={spec.memory_bytes // 8}",  # noqa: S108
            "/run": f"{_WRITABLE},mode=755,size={spec.memory_bytes // 16}",
        },
        "ShmSize": spec.memory_bytes // 4,
        "Memory": spec.memory_bytes,
        "MemorySwap": spec.memory_bytes,
        "CpuPeriod": _CPU_PERIOD_US,
        "CpuQuota": round(spec.cpus * _CPU_PERIOD_US),
        "PidsLimit": spec.processes,
        "Ulimits": [dict(limit) for limit in _ULIMITS],
        "RestartPolicy": {"Name": "no"},
        "OomScoreAdj": 500,
        "LogConfig": {"Type": "none", "Config": {}},
        "AutoRemove": False,
    }
    if spec.kind is CheckKind.MACHINE:
        host_config["CapAdd"] = list(_MACHINE_CAPABILITIES)
        host_config["NetworkMode"] = f"container:{spec.machine_id}"
        host_config["PidMode"] = f"container:{spec.machine_id}"
    else:
        host_config["CapAdd"] = list(_FILES_CAPABILITIES)
        host_config["NetworkMode"] = "none"
    if runtime:
        host_config["Runtime"] = runtime
    return {
        "image": spec.image,
        "entrypoint": list(spec.harness),
        "command": [spec.ahead] if spec.ahead else [],
        "user": "0:0",
        "working_dir": "/",
        "environment": {},
        "labels": _labels(CHECK_KIND, hub_id, expires_at_s),
        "stdin_open": True,
        "detach": False,
        "tty": False,
        "host_config": host_config,
    }


def make_trial_machine(
    lesson: Lesson, *, hub_id: str, expires_at_s: float, runtime: str = ""
) -> dict[str, Any]:
    """Give docker-py's ``create_container`` arguments for a machine as a student's, but idle."""
    limits = lesson.limits
    host_config: dict[str, Any] = {
        "NetworkMode": "none" if lesson.network is Network.NONE else "bridge",
        "CapDrop": ["ALL"],
        "CapAdd": list(_STUDENT_CAPABILITIES),
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "Memory": limits.memory_bytes,
        "MemorySwap": limits.memory_bytes,
        "CpuPeriod": _CPU_PERIOD_US,
        "CpuQuota": round(limits.cpus * _CPU_PERIOD_US),
        "PidsLimit": limits.processes,
        "Ulimits": [dict(limit) for limit in _ULIMITS],
        "Sysctls": {"net.ipv4.ping_group_range": "0 2147483647"},
        "RestartPolicy": {"Name": "no"},
        "OomScoreAdj": 500,
        "LogConfig": {"Type": "none", "Config": {}},
        "AutoRemove": False,
    }
    if runtime:
        host_config["Runtime"] = runtime
    return {
        "image": lesson.image,
        "hostname": "lesson",
        "user": lesson.user.value,
        "working_dir": str(lesson.user.home),
        "entrypoint": ["/usr/bin/tini", "-g", "--"],
        "command": ["sleep", "infinity"],
        "environment": {},
        "labels": _labels(TRIAL_KIND, hub_id, expires_at_s),
        "stdin_open": False,
        "detach": True,
        "tty": False,
        "host_config": host_config,
    }


def _labels(kind: str, hub_id: str, expires_at_s: float) -> dict[str, str]:
    return {
        KIND_LABEL: kind,
        HUB_LABEL: hub_id,
        EXPIRES_LABEL: str(int(expires_at_s)),
    }
