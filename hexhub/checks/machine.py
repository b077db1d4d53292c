"""Checks of machines: from a container beside the student's, in its network and processes."""

from hexhub.checks.engine import Engine
from hexhub.errors import MachineNotRunning


def expect_running(engine: Engine, machine_id: str) -> None:
    """Pass if the student's machine runs.

    Raises:
        MachineNotRunning: It does not, so that there is nothing to look at.
    """
    if not engine.is_running(machine_id):
        raise MachineNotRunning("The student's machine is not running.")
