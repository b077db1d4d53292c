"""``hexhub up`` and the firewall, with a whole HexHub and a student in it."""

import subprocess

from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import HEXHUB, Student, TrialHub, docker


def rules_of(hub: TrialHub) -> list[str]:
    """Give the lines of the firewall that are about this hub."""
    short = (hub.state / "secrets" / "hub-id").read_text()[:6]
    listing = subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if short in line and "HEXHUB" in line]


def status(hub: TrialHub) -> subprocess.CompletedProcess[str]:
    """Ask whether the rules are set."""
    return subprocess.run(
        [HEXHUB, "network", "status", "--state", str(hub.state)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_machines_work_behind_the_firewall(tmp_path):
    """As root ``hexhub up`` sets the rules; lessons open, their machines reach the gate only.

    The proof holds while HexHub runs, and ``down`` removes the rules after the last machine.
    """
    hub = TrialHub(tmp_path)
    try:
        hub.start()
        assert status(hub).returncode == 0
        assert rules_of(hub) != []
        student = Student(hub, "ada")
        for lesson in ("plain", "isolated"):
            there = hub.machines(student)
            assert hub.open(student, server_of(lesson)).status_code in (201, 202)
            assert student.open_lab(server_of(lesson)).status_code == 200
            (machine,) = set(hub.machines(student)) - set(there)
            assert reaches_the_gate(hub, machine)
        machines = hub.machines(student)
        student.client.close()
        proof = subprocess.run(
            [HEXHUB, "doctor", "--isolation", "--state", str(hub.state)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert proof.returncode == 0, proof.stdout + proof.stderr
        assert hub.machines(student) == machines
        hub.stop()
        assert status(hub).returncode == 0, "machines go on, and so do the rules"
        subprocess.run([HEXHUB, "down", "--state", str(hub.state)], check=True, capture_output=True)
        assert rules_of(hub) == []
    finally:
        hub.remove()


def reaches_the_gate(hub: TrialHub, machine: str) -> bool:
    """Tell whether a program in the machine is answered at the gate of its network."""
    gateway = docker(
        *("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}"),
        machine,
    )
    ports = (hub.state / "ports.json").read_text()
    program = (
        "import json, sys, urllib.request\n"
        f"gate = json.loads({ports!r})['gate']\n"
        f"print(urllib.request.urlopen(f'http://{gateway}:{{gate}}/hub/api/').status)"
    )
    return docker("exec", machine, "python3", "-c", program) == "200"


def test_up_without_the_firewall(tmp_path):
    """Told not to, ``hexhub up`` sets no rule and says what is open."""
    hub = TrialHub(tmp_path, options=["--no-firewall"])
    try:
        hub.start()
        assert rules_of(hub) == []
        assert "your private networks" in hub.output
        assert status(hub).returncode == 1
    finally:
        hub.remove()
