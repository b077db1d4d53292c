import pytest

from hexhub.catalog.model import MachineUser
from hexhub.cli.doctor import format_rows
from hexhub.isolation.examination import MACHINES, expected_capabilities
from hexhub.isolation.model import Finding, Reach, name_machines, tabulate
from hexhub.isolation.stand_ins import private_addresses

EVERY = ("internet/student", "internet/root", "none/student", "none/root")


@pytest.mark.parametrize(
    ("machines", "name"),
    [
        (EVERY, "all"),
        (("none/student", "internet/root", "internet/student"), "internet, none/student"),
        (("none/root", "none/student"), "none"),
        (("none/root", "none/root"), "none/root"),
    ],
)
def test_machines_are_named_in_short(machines, name):
    """All of them, all of one network, or one by one; none twice."""
    assert name_machines(machines, EVERY) == name
    assert EVERY == MACHINES


def test_alike_findings_make_one_row():
    """Machines at which a door is found alike share a row; how a shut door showed parts none."""
    findings = [
        Finding("internet/root", "mount", Reach.SHUT, Reach.OPEN, "tmpfs"),
        Finding("internet/root", "ptrace", Reach.SHUT, Reach.SHUT, "EPERM"),
        Finding("none/root", "mount", Reach.SHUT, Reach.SHUT, "EPERM"),
        Finding("none/root", "ptrace", Reach.SHUT, Reach.SHUT, "no answer"),
    ]
    rows = tabulate(findings)
    assert [(row.door, row.machines, row.found, row.is_wrong) for row in rows] == [
        ("mount", ("internet/root",), Reach.OPEN, True),
        ("mount", ("none/root",), Reach.SHUT, False),
        ("ptrace", ("internet/root", "none/root"), Reach.SHUT, False),
    ]
    table = format_rows(rows, EVERY)
    assert table[1].split() == ["mount", "internet/root", "shut", "OPEN", "(tmpfs)"]
    assert table[3].split() == ["ptrace", "internet/root,", "none/root", "shut", "shut"]


@pytest.mark.parametrize(
    ("expected", "found", "is_wrong"),
    [
        (Reach.SHUT, Reach.OPEN, True),
        (Reach.OPEN, Reach.SHUT, True),
        (Reach.SHUT, Reach.SHUT, False),
        (Reach.SHUT, Reach.NOT_PROBED, False),
    ],
)
def test_what_is_wrong(expected, found, is_wrong):
    """A door that is not as expected is wrong; of one that was not probed nothing is known."""
    assert Finding("none/root", "gate", expected, found).is_wrong is is_wrong


def test_stand_ins_avoid_what_is_in_use():
    """No address of the hub's networks, where no router is asked, and none that is taken."""
    taken = {"10.255.255.254", "192.168.239.255"}
    chosen = private_addresses(["192.168.240.0/20", "172.20.0.0/16"], taken.__contains__)
    assert chosen == {
        "10.0.0.0/8": "10.255.255.253",
        "172.16.0.0/12": "172.31.255.254",
        "192.168.0.0/16": "192.168.239.254",
        "100.64.0.0/10": "100.127.255.254",
    }


def test_capabilities_as_bits():
    """The masks are those that /proc shows in a machine with these capabilities."""
    assert expected_capabilities(MachineUser.ROOT) == {
        "CapPrm": 0x4EB,
        "CapEff": 0x4EB,
        "CapBnd": 0x4EB,
        "CapAmb": 0,
    }
    assert expected_capabilities(MachineUser.STUDENT)["CapEff"] == 0
