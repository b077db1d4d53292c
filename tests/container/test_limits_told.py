"""A machine's limits hold, and the shell tells which one was met, in a real container."""

import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SHELL = Path(__file__).parents[2] / "lesson_extension" / "shell" / "hexhub.sh"
MEMORY_MB = 96
PROCESSES = 40
BOMB = "(for i in $(seq 60); do sleep 2 & done) 2>/dev/null"


@pytest.fixture(scope="module")
def machine() -> Iterator[str]:
    """Give the name of a machine with little memory and few processes."""
    name = f"hexhub-trial-{secrets.token_hex(4)}"
    limits = (f"--memory={MEMORY_MB}m", f"--memory-swap={MEMORY_MB}m", f"--pids-limit={PROCESSES}")
    command = ["docker", "run", "--detach", "--name", name, "--network", "none", *limits]
    subprocess.run(
        [*command, "--entrypoint", "sleep", "hexhub/base", "infinity"],
        check=True,
        capture_output=True,
    )
    try:
        subprocess.run(["docker", "cp", SHELL, f"{name}:/tmp/hexhub.sh"], check=True)
        yield name
    finally:
        subprocess.run(["docker", "rm", "--force", name], check=True, capture_output=True)


def typed(machine: str, *lines: str) -> str:
    """Type lines into a new interactive shell, and give all that it shows."""
    done = subprocess.run(
        ["docker", "exec", "--interactive", machine, "bash", "--norc", "-i"],
        input="\n".join(["export HEXHUB_GREETED=1", ". /tmp/hexhub.sh", *lines, "exit", ""]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


def test_memory_that_ran_out_is_told_once(machine):
    """What takes more than the limit is ended, and each language's sentence names the limit.

    Another terminal does not say it again; the exit status stays that of the command.
    """
    shown = typed(machine, "python3 -c 'x = bytearray(300 * 2**20)'", "echo status $?")
    assert "status 137" in shown
    assert f"memory ran out ({MEMORY_MB} MB)" in shown
    assert f"кончилась ({MEMORY_MB} МБ)" in shown
    assert "ran out" not in typed(machine, "true")


def test_as_many_processes_as_there_may_be_are_told(machine):
    """A shell that can start nothing any more still says why."""
    shown = typed(machine, BOMB, ":", "wait")
    assert f"as many processes as it may ({PROCESSES})" in shown
    assert f"сколько можно ({PROCESSES})" in shown
