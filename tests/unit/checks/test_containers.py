"""What the containers of checks may do, compared whole."""

from dataclasses import replace

import pytest

from hexhub.catalog.model import (
    CheckKind,
    CheckSpec,
    Isolation,
    Lesson,
    Limits,
    MachineUser,
    Network,
    ReportFormat,
    Text,
)
from hexhub.checks.containers import (
    SandboxSpec,
    make_check_container,
    make_spec,
    make_trial_machine,
)
from hexhub.names import CourseName, LessonName
from spawner.container import make_container

MB = 1024**2
LESSON = Lesson(
    course=CourseName("real-machine"),
    name=LessonName("web-server"),
    title=Text({"en": "A web server"}),
    image="hexhub/web",
    user=MachineUser.ROOT,
    limits=Limits(memory_bytes=768 * MB, cpus=1.5, processes=200, disk_bytes=1024**3, idle_s=1800),
    network=Network.INTERNET,
    steps=(),
    theory=Text({"en": ""}),
)


def spec(kind: CheckKind) -> SandboxSpec:
    return SandboxSpec(
        image="hexhub/web",
        kind=kind,
        machine_id="abc" if kind is CheckKind.MACHINE else None,
        memory_bytes=512 * MB,
        timeout_s=20,
    )


FILES_CONTAINER = {
    "image": "hexhub/web",
    "entrypoint": ["/opt/check/bin/python", "-I", "-m", "hexhub_check"],
    "command": [],
    "user": "0:0",
    "working_dir": "/",
    "environment": {},
    "labels": {"hexhub.kind": "check", "hexhub.hub": "hub", "hexhub.expires": "1000"},
    "stdin_open": True,
    "detach": False,
    "tty": False,
    "host_config": {
        "CapDrop": ["ALL"],
        "CapAdd": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID"],
        "SecurityOpt": ["no-new-privileges"],
        "Privileged": False,
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Tmpfs": {
            "/check": f"rw,exec,nosuid,nodev,mode=755,size={256 * MB}",
            "/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={128 * MB}",
            "/var/tmp": f"rw,exec,nosuid,nodev,mode=1777,size={64 * MB}",
            "/run": f"rw,exec,nosuid,nodev,mode=755,size={32 * MB}",
        },
        "ShmSize": 128 * MB,
        "Memory": 512 * MB,
        "MemorySwap": 512 * MB,
        "CpuPeriod": 100_000,
        "CpuQuota": 100_000,
        "PidsLimit": 256,
        "Ulimits": [
            {"Name": "core", "Soft": 0, "Hard": 0},
            {"Name": "nofile", "Soft": 4096, "Hard": 16384},
        ],
        "RestartPolicy": {"Name": "no"},
        "OomScoreAdj": 500,
        "LogConfig": {"Type": "none", "Config": {}},
        "AutoRemove": False,
    },
}


@pytest.mark.parametrize("kind", [CheckKind.FILES, CheckKind.NOTEBOOK])
def test_a_check_of_files_stands_alone(kind: CheckKind) -> None:
    """No network, nothing of the host, nothing to write but memory, six capabilities."""
    made = make_check_container(spec(kind), hub_id="hub", expires_at_s=1000.7)
    assert made == FILES_CONTAINER


@pytest.mark.parametrize(
    ("kind", "run", "ahead"),
    [
        (CheckKind.FILES, "pytest -q test_a.py", ["pytest"]),
        (CheckKind.MACHINE, "pytest", ["pytest"]),
        (CheckKind.NOTEBOOK, "", ["notebook"]),
        (CheckKind.NOTEBOOK, "pytest", ["pytest"]),
        (CheckKind.FILES, "bats test.bats", []),
        (CheckKind.FILES, "pytest-3 test_a.py", []),
    ],
)
def test_imports_are_known_ahead(kind: CheckKind, run: str, ahead: list[str]) -> None:
    """The container imports what the check's command will need, and nothing for other commands."""
    check = CheckSpec(kind, run, ReportFormat.JUNIT, 20.0)
    made = make_check_container(make_spec(LESSON, check, "abc"), hub_id="hub", expires_at_s=0)
    assert made["command"] == ahead


def test_a_check_of_a_machine_stands_beside_it() -> None:
    """It shares network and processes, may look at them, and may change nothing there."""
    made = make_check_container(spec(CheckKind.MACHINE), hub_id="hub", expires_at_s=1000)
    host = dict(FILES_CONTAINER["host_config"])  # type: ignore[call-overload]
    host |= {
        "NetworkMode": "container:abc",
        "PidMode": "container:abc",
        "CapAdd": ["SYS_PTRACE", "DAC_READ_SEARCH", "KILL", "SETGID", "SETUID"],
    }
    assert made == FILES_CONTAINER | {"host_config": host}


def test_a_check_is_behind_the_same_wall_as_the_machine() -> None:
    """A check of files runs the student's code: it has the runtime of the lesson, and is shaped so.

    A container that waits for checks is never taken for a lesson of another isolation.
    """
    lesson = replace(LESSON, isolation=Isolation.GVISOR)
    check = CheckSpec(CheckKind.FILES, "true", ReportFormat.EXIT, 5.0, submit=("x",))
    made = make_check_container(
        make_spec(lesson, check), hub_id="hub", expires_at_s=1000, runtime="runsc"
    )
    assert made["host_config"]["Runtime"] == "runsc"
    assert make_spec(lesson, check).shape != make_spec(LESSON, check).shape
    trial = make_trial_machine(lesson, hub_id="hub", expires_at_s=0, runtime="runsc")
    assert trial["host_config"]["Runtime"] == "runsc"


def test_a_trial_machine_is_as_a_students() -> None:
    """What works in an author's trial works for the student: all limits and rights are the same."""
    students = make_container(LESSON, user="ada", hub_id="hub", network="hexhub")
    trial = make_trial_machine(LESSON, hub_id="hub", expires_at_s=0)
    differs = {"NetworkMode", "LogConfig"}
    assert {k: v for k, v in trial["host_config"].items() if k not in differs} == {
        k: v for k, v in students["host_config"].items() if k not in differs
    }
    for key in ("image", "hostname", "user", "working_dir", "environment", "tty"):
        assert trial[key] == students[key]


@pytest.mark.parametrize(
    ("network", "mode"), [(Network.INTERNET, "bridge"), (Network.NONE, "none")]
)
def test_a_trial_machine_has_the_lessons_network(network: Network, mode: str) -> None:
    """A lesson without network is tried without network."""
    made = make_trial_machine(replace(LESSON, network=network), hub_id="hub", expires_at_s=0)
    assert made["host_config"]["NetworkMode"] == mode
