"""The probes of ``hexhub doctor --isolation``, from inside real machines, on real networks.

No packet goes to a metadata service or to a network that is not ours: what stands for them is made
by the examination itself.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hexhub.isolation.examination import examine_isolation
from hexhub.isolation.model import Reach
from hexhub.isolation.stand_ins import Elsewhere
from hexhub.machines import connect_docker
from tests.isolation.conftest import HEXHUB, OUTER_DOORS, Ground, start_and_wait, what_is_left


def examine(ground: Ground, database_url: str):
    """Examine, and see that nothing is left of it."""
    client = connect_docker()
    try:
        findings = examine_isolation(ground.state, client, database_url)
    finally:
        client.close()
    assert what_is_left(ground.state.hub_id) == []
    assert [f for f in findings if f.found is Reach.NOT_PROBED] == []
    return findings


def test_a_database_elsewhere_is_never_asked(ground):
    """A database on another computer is stood in for, and is shut where its network is."""
    assert ground.hexhub("network", "up").returncode == 0
    findings = examine(ground, "postgresql+psycopg://hexhub@10.20.30.40:5433/hexhub")
    assert {f.found for f in findings if f.door == "the database"} == {Reach.SHUT}
    assert [finding for finding in findings if finding.is_wrong] == []


def test_an_examination_that_is_ended_leaves_nothing(ground):
    """Told to end in the middle, it removes machines, routes and the namespace first."""
    started = start_and_wait(ground)
    started.send_signal(signal.SIGTERM)
    started.communicate(timeout=120)
    assert started.returncode == 143
    assert what_is_left(ground.state.hub_id) == []


NOT_ROOT = """
import os, sys
from pathlib import Path
from click.testing import CliRunner
from hexhub.cli.doctor import doctor
from hexhub.cli.network import network
from hexhub.isolation import examination
from hexhub.machine_network import ensure_networks
from hexhub.machines import connect_docker
from hexhub.state_folder import StateFolder

state = StateFolder(Path(sys.argv[1]) / "state")
state.make()
networks = ensure_networks(connect_docker(), state.hub_id)
state.keep_ports({"gate": [network.gateway for network in networks]})
for command, arguments in ((network, ["up"]), (doctor, ["--isolation"])):
    result = CliRunner().invoke(command, [*arguments, "--state", str(state.path)])
    print(result.output, result.exception)
print("exit code", result.exit_code)
"""


def test_what_cannot_be_probed_is_not_called_shut():
    """Without root no stand-in can be made: its doors are told as not probed, no rule is set.

    The host's ports are still knocked at, and found open.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, 65534, 65534)
        state = Path(folder) / "state"
        try:
            done = subprocess.run(
                [
                    # Somebody else, who may read what root may, wherever this checkout is.
                    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
                    *(sys.executable, "-c", NOT_ROOT, folder),
                ],
                capture_output=True,
                text=True,
                timeout=240,
                cwd="/",
                check=False,
            )
            assert "Run this as root" in done.stdout, done.stderr
            rows = {
                door: [line for line in done.stdout.splitlines() if line.startswith(door)]
                for door in (*sorted(OUTER_DOORS), "the internet", "a port of this computer ")
            }
            assert all("OPEN" in row for row in rows.pop("a port of this computer "))
            for found in rows.values():
                assert found != []
                assert all("not probed (a stand-in for it needs root)" in row for row in found)
            assert "nothing is known of them" in done.stdout
            assert "exit code 1" in done.stdout
        finally:
            subprocess.run(
                [HEXHUB, "clean", "--yes", "--state", str(state)],
                capture_output=True,
                check=True,
            )


@pytest.mark.parametrize("way", ["route", "listener"])
def test_a_door_without_a_working_stand_in_is_not_knocked_at(ground, way):
    """Where packets would go elsewhere, or nobody would answer, the stand-in itself says so."""
    network = ground.networks[0]
    source = str(network.gateway).rsplit(".", 1)[0] + ".77"
    address = "10.200.0.1"
    with Elsewhere(ground.state.hub_id, ground.networks, [address]) as elsewhere:
        assert elsewhere.leads_here(address, source, network.bridge)
        assert elsewhere.answers(address, 80)
        if way == "route":
            assert not elsewhere.leads_here("203.0.113.9", source, network.bridge)
            subprocess.run(["ip", "link", "del", f"hx{ground.state.hub_id[:6]}o"], check=True)
            assert not elsewhere.leads_here(address, source, network.bridge)
        else:
            assert not elsewhere.answers(address, 81)
    assert what_is_left(ground.state.hub_id) == []
