"""The limits of a lesson hold, and who meets one is told which; of the disk: test_remote_docker."""

from tests.hub.terminal import Terminal
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import docker

BOUNDED = server_of("bounded")
HOG = "python3 -c 'x = bytearray(600 * 2**20)'"
BOMB = "bomb() { bomb | bomb & }; bomb"
SHARE = """
from pathlib import Path
group = Path("/sys/fs/cgroup")
v2, v1 = group / "cpu.max", group / "cpu"
files = [v2] if v2.exists() else [v1 / "cpu.cfs_quota_us", v1 / "cpu.cfs_period_us"]
quota, period = " ".join(file.read_text() for file in files).split()
print(int(quota) / int(period))
"""
"""How many processors the kernel lets the machine have, by either version of control groups."""


def test_a_machine_that_meets_its_limits_says_which(hub, student):
    """Memory and processes, by the student's own doing; a restart ends what a fork bomb left.

    Processors are shared out by the kernel, which has the lesson's number.
    """
    assert hub.open(student, BOUNDED).status_code == 201
    (machine,) = hub.machines(student)
    assert docker("exec", machine, "python3", "-c", SHARE) == "1.0"
    terminal = Terminal(student, BOUNDED)
    terminal.type(HOG, until="memory was used up (256 MB)")
    terminal.type(BOMB, until="as many processes as it may (64)")
    hub.stop_server(student, BOUNDED)
    assert hub.open(student, BOUNDED).status_code == 201
    Terminal(student, BOUNDED).type("echo works=$((6*7))", until="works=42")
