"""The machine of a student in a lesson: it is found by its name, and files are taken out of it.

Nothing is ever put into it here. (What stands in for it when authors try answers is in
:mod:`hexhub.checks.trial_machine`.)
"""

from collections.abc import Sequence
from pathlib import PurePosixPath

from docker.errors import NotFound

from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.archive_taking import take_by_archive
from hexhub.checks.containers import HUB_LABEL
from hexhub.checks.direct_taking import PLAIN_RUNTIMES, take_directly
from hexhub.checks.docker_errors import docker_errors
from hexhub.checks.engine import Engine
from hexhub.checks.phases import phase
from hexhub.checks.taking import TakeLimits
from hexhub.errors import MachineNotRunning
from hexhub.names import machine_name


def find_machine(engine: Engine, user: str, server_name: str) -> str:
    """Give the id of a student's container in a lesson, be it running or stopped.

    Args:
        engine: Where machines are.
        user: JupyterHub's name of the student.
        server_name: Of the lesson.

    Raises:
        MachineNotRunning: There is none.
        DockerUnavailable: Docker does not answer.
    """
    name = machine_name(engine.hub_id, user, server_name)
    with phase("find machine"), docker_errors("find the machine"):
        try:
            found = engine.client.inspect_container(name)
        except NotFound:
            found = {"Config": {"Labels": {}}}
    # Only six characters of the hub's id are in the name.
    if (found["Config"]["Labels"] or {}).get(HUB_LABEL) != engine.hub_id:
        raise MachineNotRunning("There is no machine of this student in this lesson.")
    return str(found["Id"])


def take_files(
    engine: Engine,
    container_id: str,
    base: PurePosixPath,
    patterns: Sequence[str],
    limits: TakeLimits | None = None,
    *,
    takes_directly: bool = True,
) -> dict[str, OverlayFile]:
    """Copy files out of a machine into memory.

    Args:
        engine: Where the machine is.
        container_id: Running or stopped.
        base: The student's work folder.
        patterns: Paths and patterns below it; each path must be there, a pattern may match nothing.
        limits: How much; None means the usual limits.
        takes_directly: Read files of machines on this computer without Docker's archive, where this
            process may, and where the usual limits are meant.

    Returns:
        Path below ``base`` → file.

    Raises:
        SubmissionUnusable: Something is missing, too big, or no regular file; the message is for
            the student.
        MachineNotRunning: There is no such container.
        DockerUnavailable: Docker does not answer.
    """
    with phase("take files"):
        if takes_directly and limits is None:
            found = _take_directly(engine, container_id, base, patterns)
            if found is not None:
                return found
        return take_by_archive(engine, container_id, base, patterns, limits or TakeLimits())


def _take_directly(
    engine: Engine, container_id: str, base: PurePosixPath, patterns: Sequence[str]
) -> dict[str, OverlayFile] | None:
    """Read files without Docker's archive, where that is possible and they are plain."""
    with docker_errors("look at the machine"):
        facts = engine.client.inspect_container(container_id)
    process_id = int(facts["State"]["Pid"])
    if not process_id or facts["HostConfig"].get("Runtime") not in PLAIN_RUNTIMES:
        return None
    return take_directly(process_id, str(facts["Id"]), base, patterns)
