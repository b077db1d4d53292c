"""The limits of a lesson hold, and who meets one is told which; of the disk: test_remote_docker."""

import time

from tests.hub.terminal import Terminal
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import docker

BOUNDED = server_of("bounded")
HOG = "python3 -c 'x = bytearray(600 * 2**20)'"
BOMB = "bomb() { bomb | bomb & }; bomb"
LOOPS = "for i in 1 2 3 4 5 6 7 8; do timeout 60 sh -c 'while :; do :; done' & done"


def throttled(machine: str) -> int:
    """Give how often the kernel has made the machine wait for its share of the processors."""
    groups = "/sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpu/cpu.stat"  # of version 2 and of version 1
    told = docker("exec", machine, "sh", "-c", f"cat {groups} 2>/dev/null; true")
    return int(dict(line.split() for line in told.splitlines())["nr_throttled"])


def test_a_machine_that_meets_its_limits_says_which(hub, student):
    """Memory and processes, by the student's own doing; a restart ends what a fork bomb left."""
    assert hub.open(student, BOUNDED).status_code == 201
    terminal = Terminal(student, BOUNDED)
    terminal.type(HOG, until="memory was used up (256 MB)")
    terminal.type(BOMB, until="as many processes as it may (64)")
    hub.stop_server(student, BOUNDED)
    assert hub.open(student, BOUNDED).status_code == 201
    Terminal(student, BOUNDED).type("echo works=$((6*7))", until="works=42")


def test_a_machine_takes_no_more_of_the_processors_than_its_lesson_says(hub, student):
    """However many loops run in it, the kernel makes them wait."""
    assert hub.open(student, BOUNDED).status_code == 201
    (machine,) = hub.machines(student)
    before = throttled(machine)
    docker("exec", "--detach", machine, "sh", "-c", f"{LOOPS}; wait")
    deadline = time.monotonic() + 60
    while throttled(machine) <= before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
