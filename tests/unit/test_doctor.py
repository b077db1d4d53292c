from pathlib import Path

import pytest

from hexhub.cli.doctor import format_finding
from hexhub.doctor import (
    Finding,
    Level,
    judge_firewall,
    judge_images,
    judge_isolations,
    judge_limits,
    judge_memory,
    judge_port,
    judge_quota,
    judge_runc,
    judge_seccomp,
    judge_space,
    judge_subdomains,
    judge_user_namespaces,
    judge_waiting,
    judge_walls,
)

GIB = 1024**3


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("1.1.5+ds1-1+deb12u1", Level.WARNING),
        ("1.2.7", Level.WARNING),
        ("1.2.8", Level.OK),
        ("v1.3.3", Level.OK),
        ("1.3.2-rc.1", Level.WARNING),
        ("1.4.0", Level.OK),
        ("1.5.1", Level.OK),
        ("2.0.0", Level.OK),
        ("", Level.WARNING),
        ("nightly", Level.WARNING),
    ],
)
def test_runc_with_known_holes_is_warned_of(version, level):
    """Each line of runc has a first release without the holes of 2025; others are warned of."""
    finding = judge_runc(version)
    assert finding.level is level
    assert bool(finding.to_do) == (level is Level.WARNING)


def test_limits_that_cannot_be_held():
    """Without memory, processor or process limits HexHub must not run; without swap's it may."""
    info = dict.fromkeys(("MemoryLimit", "SwapLimit", "CpuCfsQuota", "PidsLimit"), True)
    assert judge_limits(info).level is Level.OK
    assert judge_limits(info | {"SwapLimit": False}).level is Level.WARNING
    assert judge_limits(info | {"PidsLimit": False}).level is Level.ERROR
    assert judge_limits({}).level is Level.ERROR


def test_seccomp_must_be_on():
    """Containers whose system calls are not filtered are an error."""
    assert judge_seccomp(["name=apparmor", "name=seccomp,profile=default"]).level is Level.OK
    assert judge_seccomp([]).level is Level.ERROR


def test_disks_without_quota_are_warned_of():
    """Where one student can fill the disk for all, that is said."""
    assert judge_quota(True, "overlay2", "xfs").level is Level.OK
    assert judge_quota(False, "overlay2", "extfs").level is Level.WARNING


@pytest.mark.parametrize(
    ("free_gib", "level"), [(50, Level.OK), (5, Level.WARNING), (1, Level.ERROR)]
)
def test_room_on_disk(free_gib, level):
    """Little room is a warning, hardly any is an error."""
    assert judge_space("state folder", Path("/srv"), free_gib * GIB).level is level


def test_memory_is_counted_in_machines():
    """The finding says for how many students it will do."""
    assert "116 idle machines" in judge_memory(16 * GIB).found
    assert judge_memory(GIB).level is Level.WARNING


def test_a_taken_port_names_the_way_out():
    """A port that somebody else has is an error that names the option; our own is fine."""
    taken = judge_port(8000, is_free=False, is_ours=False)
    assert taken.level is Level.ERROR
    assert "--port 8001" in taken.to_do
    assert judge_port(8000, is_free=False, is_ours=True).level is Level.OK
    assert judge_port(8000, is_free=True, is_ours=False).level is Level.OK


def test_missing_images_are_named():
    """Each missing image is named, with the command that makes them."""
    finding = judge_images({"hexhub/web", "hexhub/base"})
    assert finding.found == "missing: hexhub/base, hexhub/web"
    assert "make images" in finding.to_do


def test_what_waits_is_told_with_its_memory():
    """Machines that wait for students are counted, and nothing is said where none waits."""
    (finding,) = judge_waiting([80 * 1024**2, 90 * 1024**2])
    assert finding.level is Level.OK
    assert finding.found.startswith("2 machine(s) wait for students and hold 170 MB")
    assert judge_waiting([]) == []


def test_the_firewall_is_judged_by_what_lacks():
    """Rules that lack are a warning with the command that sets them; what cannot be seen, a note.

    Never is it called fine because nobody could look.
    """
    assert judge_firewall([], "").level is Level.OK
    lacking = judge_firewall(["-A INPUT -i hx0123 -j HEXHUB-0123-HOST"], "")
    assert lacking.level is Level.WARNING
    assert "hexhub network up" in lacking.to_do
    unseen = judge_firewall(None, "not root")
    assert unseen.level is Level.NOTE
    assert "not root" in unseen.found


def test_user_namespaces_that_are_not_in_use_are_told():
    """Where root in a machine is root outside, that is said."""
    assert judge_user_namespaces(["name=seccomp,profile=default"]).level is Level.WARNING
    assert judge_user_namespaces(["name=seccomp", "name=userns"]).level is Level.OK
    assert judge_user_namespaces(["name=rootless"]).level is Level.OK


def _runc(version: str) -> dict[str, object]:
    return {
        "Components": [
            {"Name": "Engine", "Version": "x"},
            {"Name": "containerd", "Version": "y"},
            {"Name": "runc", "Version": version},
        ]
    }


ENGINES = {
    "docker 20.10 of Debian 12, on ext4": (
        {
            "Driver": "overlay2",
            "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]],
            "SecurityOptions": ["name=seccomp,profile=default"],
            "DefaultRuntime": "runc",
        },
        _runc("1.1.5+ds1-1+deb12u1"),
        False,
        {"runc", "user namespaces", "disk limit"},
    ),
    "docker 28 with AppArmor, on xfs with pquota": (
        {
            "Driver": "overlay2",
            "DriverStatus": [["Backing Filesystem", "xfs"], ["userxattr", "false"]],
            "SecurityOptions": [
                *("name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"),
            ],
            "DefaultRuntime": "runc",
        },
        _runc("1.3.3"),
        True,
        {"user namespaces"},
    ),
    "docker 29 with containerd's store": (
        {
            "Driver": "overlayfs",
            "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
            "SecurityOptions": ["name=seccomp,profile=builtin", "name=cgroupns"],
            "DefaultRuntime": "io.containerd.runc.v2",
        },
        _runc("1.2.7"),
        False,
        {"runc", "user namespaces", "disk limit"},
    ),
    "docker with userns-remap, on zfs": (
        {
            "Driver": "zfs",
            "DriverStatus": [["Zpool", "tank"], ["Zpool Health", "ONLINE"]],
            "SecurityOptions": ["name=seccomp,profile=builtin", "name=userns"],
            "DefaultRuntime": "runc",
        },
        _runc("1.4.0"),
        True,
        set(),
    ),
    "rootless docker": (
        {
            "Driver": "fuse-overlayfs",
            "DriverStatus": None,
            "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless", "name=cgroupns"],
            "DefaultRuntime": "runc",
        },
        _runc("1.3.2"),
        False,
        {"runc", "disk limit"},
    ),
    "an engine that tells little": ({}, {"Components": None}, None, {"runc", "user namespaces"}),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_weak_walls_are_warned_of_whatever_the_engine(engine):
    """Old runc, no disk quota, no user namespaces: each is a warning with what to do."""
    info, version, holds_quota, weak = ENGINES[engine]
    warned = {
        finding.about: finding.to_do
        for finding in judge_walls(info, version, holds_quota=holds_quota)
        if finding.level is Level.WARNING
    }
    assert set(warned) == weak | {"subdomains"}
    assert all(warned.values())


def test_another_runtime_is_not_judged_as_runc():
    """Where Docker starts containers with something else by default, that is told."""
    findings = judge_walls({"DefaultRuntime": "crun"}, _runc("1.1.5"), holds_quota=True)
    assert "'crun'" in findings[0].found
    assert findings[0].level is Level.NOTE


@pytest.mark.parametrize(
    ("host", "level", "word"),
    [
        ("", Level.WARNING, "share one address"),
        ("http://hexhub.localhost:8000", Level.WARNING, "plant cookies"),
        ("https://learn.example.org", Level.OK, "learn.example.org"),
    ],
)
def test_subdomains_are_judged_by_the_last_start(host, level, word):
    """Without them machines share an origin; without https their pages can plant cookies."""
    finding = judge_subdomains(host)
    assert finding.level is level
    assert word in finding.found


def test_lessons_without_their_runtime_are_named():
    """The administrator learns which lessons do not open, and what to install."""
    assert judge_isolations({}).level is Level.OK
    finding = judge_isolations({"c/hacking": "Docker has no runtime 'kata'", "c/root": "no runsc"})
    assert finding.level is Level.WARNING
    assert "c/hacking, c/root" in finding.found
    assert "kata" in finding.to_do


def test_a_finding_as_a_row():
    """What to do stands below what was found, at the same column."""
    row = format_finding(Finding(Level.ERROR, "port", "8000 is taken", "Choose another"), 80)
    first, second = row.splitlines()
    assert "port" in first
    assert second.index("→") == 25
