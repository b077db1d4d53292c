"""The kernel's count of processes ended for want of memory, as it is found in both cgroups."""

import os
from pathlib import Path

import pytest
from hexhub_check.memory import count_kills

OWN = f"1\n{os.getpid()}\n"


def lay_out(folder: Path, files: dict[str, str], own: str) -> int | None:
    """Write the files of a cgroup mount and ask for the count."""
    for name, text in {**files, "self": own}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="ascii")
    return count_kills(folder, folder / "self")


V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
V2 = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\noom_group_kill 0\n"
IN_V1 = "9:name=systemd:/docker/ab\n4:memory:/docker/ab\n0::/docker/ab\n"


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({"memory/memory.oom_control": V1, "memory/cgroup.procs": OWN}, IN_V1),
        ({"memory/memory.oom_control": V1, "memory/cgroup.procs": OWN}, "4:memory:/\n"),
        ({"memory.events": V2, "cgroup.procs": OWN}, "0::/\n"),
        ({"memory.events": V2, "cgroup.procs": OWN}, "0::/../ab\n"),
        (
            {
                "memory.events": V2.replace("3", "0"),
                "cgroup.procs": "1\n",
                "system.slice/docker-ab.scope/memory.events": V2,
                "system.slice/docker-ab.scope/cgroup.procs": OWN,
            },
            "0::/system.slice/docker-ab.scope\n",
        ),
    ],
    ids=["v1", "v1, own namespace", "v2", "v2, moved", "v2, the host's namespace"],
)
def test_the_count_is_found(tmp_path: Path, files: dict[str, str], own: str) -> None:
    """Docker mounts a container's cgroup itself, or all of them, by version and set-up."""
    assert lay_out(tmp_path, files, own) == 3


@pytest.mark.parametrize(
    ("files", "own"),
    [
        ({}, IN_V1),
        ({}, ""),
        ({"memory/memory.oom_control": V1, "memory/cgroup.procs": "1\n"}, IN_V1),
        (
            {
                "memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n",
                "memory/cgroup.procs": OWN,
            },
            IN_V1,
        ),
        ({"memory.events": "oom_kill many\n", "cgroup.procs": OWN}, "0::/\n"),
        ({"memory.events": "nonsense\n", "cgroup.procs": OWN}, "0::/\n"),
    ],
    ids=["no cgroups", "no place", "another's", "an old kernel", "no number", "nonsense"],
)
def test_an_unknown_count_is_no_count(tmp_path: Path, files: dict[str, str], own: str) -> None:
    """What is not there, or is another's, is not said to be zero: Docker is asked then."""
    assert lay_out(tmp_path, files, own) is None
