import pytest

from hexhub.catalog.model import Isolation
from hexhub.errors import RuntimeMissing, SetupError
from hexhub.runtimes import USUAL_RUNTIMES, choose_runtime, read_runtimes

PLAIN_DOCKER = {"io.containerd.runc.v2": {"path": "runc"}, "runc": {"path": "runc"}}


def test_what_is_not_named_has_its_usual_runtime():
    """Nothing need be set where gVisor and Kata are installed as their makers say."""
    assert read_runtimes("") == dict(USUAL_RUNTIMES)
    assert read_runtimes("vm=kata-qemu") == {Isolation.GVISOR: "runsc", Isolation.VM: "kata-qemu"}
    named = {Isolation.GVISOR: "runsc-kvm", Isolation.VM: "kata"}
    assert read_runtimes(" gvisor=runsc-kvm, vm=kata,") == named


@pytest.mark.parametrize("text", ["runsc", "gvisor", "gvisor=", "container=runc", "vm=a b", "x=y"])
def test_a_setting_that_says_nothing_is_refused(text):
    """Also where it would weaken plain containers; the message shows what it takes."""
    with pytest.raises(SetupError, match="gvisor=runsc,vm=kata"):
        read_runtimes(text)


def test_a_plain_container_asks_for_no_runtime():
    """Docker keeps its own choice, whatever it has."""
    assert choose_runtime(Isolation.CONTAINER, USUAL_RUNTIMES, {}) == ""


def test_a_runtime_that_is_there_is_named():
    """The administrator's name for it is what Docker is told."""
    there = {**PLAIN_DOCKER, "runsc-kvm": {"path": "/usr/bin/runsc"}}
    runtimes = read_runtimes("gvisor=runsc-kvm")
    assert choose_runtime(Isolation.GVISOR, runtimes, there) == "runsc-kvm"


@pytest.mark.parametrize("isolation", [Isolation.GVISOR, Isolation.VM])
def test_a_runtime_that_is_not_there_is_refused(isolation):
    """Never is something weaker put in its place; the message names what lacks and how out."""
    with pytest.raises(RuntimeMissing, match="HEXHUB_RUNTIMES") as caught:
        choose_runtime(isolation, USUAL_RUNTIMES, PLAIN_DOCKER)
    assert caught.value.runtime == USUAL_RUNTIMES[isolation]
    assert "runc" in str(caught.value)
