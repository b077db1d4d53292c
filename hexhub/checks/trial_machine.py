"""A machine as a student's, in which an author's answer is tried: files laid in, scripts run."""

import contextlib
import io
import secrets
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from hexhub.catalog.model import Lesson, MachineUser
from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.checks.archive_taking import open_archive
from hexhub.checks.containers import make_trial_machine
from hexhub.checks.docker_errors import docker_errors
from hexhub.checks.engine import Engine
from hexhub.checks.harness import add_files
from hexhub.checks.taking import Budget, Pattern, TakeLimits, read_submission
from hexhub.errors import SubmissionUnusable

TRIAL_LIFE_S = 3600.0
_END_S = 5
_POLL_S = 0.05
_MAX_LOG_BYTES = 64 * 1024


@dataclass(frozen=True)
class ScriptResult:
    """How a script in a machine ended; ``exit_code`` is None where it was stopped."""

    exit_code: int | None
    output: str


@contextlib.contextmanager
def trial_machine(engine: Engine, lesson: Lesson, files: Overlay) -> Iterator[str]:
    """Start a machine as a student's, with ``files`` in its work folder; leaving removes it.

    Gives its container id.

    Raises:
        ImageMissing: The lesson's image is not there.
        DockerUnavailable: Docker does not answer.
    """
    arguments = make_trial_machine(
        lesson,
        hub_id=engine.hub_id,
        expires_at_s=time.time() + TRIAL_LIFE_S,
        runtime=engine.expect_runtime(lesson.isolation),
    )
    with engine.container(arguments) as container:
        with docker_errors("start the machine"):
            engine.client.start(container)
        put_files(engine, container, lesson.user, files)
        yield container


def put_files(engine: Engine, container_id: str, user: MachineUser, files: Overlay) -> None:
    """Lay files into the work folder of a machine; they belong to ``user``."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        add_files(archive, user.work.name, files, uid=user.uid, modified_s=int(time.time()))
    with docker_errors("lay files into the machine"):
        engine.client.put_archive(container_id, str(user.home), buffer.getvalue())


def run_script(
    engine: Engine, container_id: str, script: bytes, user: MachineUser, timeout_s: float
) -> ScriptResult:
    """Run a bash script in the work folder of a machine, as its user.

    What the script leaves in the background goes on; only the script itself is waited for.

    Args:
        engine: Where the machine is.
        container_id: Must run.
        script: Its text.
        user: Who runs it.
        timeout_s: Wall time after which it and its group are ended.
    """
    folder = f".hexhub-{secrets.token_hex(6)}"
    path = f"/tmp/{folder}"  # noqa: S108 - in the container
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        script_file = OverlayFile(script, is_executable=True)
        add_files(archive, folder, {"solve.sh": script_file}, uid=user.uid)
    # A daemon that the script starts may keep its output open for ever: a file, not a pipe.
    line = f"exec timeout -k 2 {timeout_s:g} bash {path}/solve.sh >{path}/log 2>&1 </dev/null"
    with docker_errors("run a script in the machine"):
        engine.client.put_archive(container_id, "/tmp", buffer.getvalue())  # noqa: S108
        exit_code = _run(
            engine, container_id, ["bash", "-c", line], user, user.work, timeout_s + _END_S
        )
        output = _read_log(engine, container_id, PurePosixPath(path) / "log")
        _run(engine, container_id, ["rm", "-rf", path], user, user.home, _END_S)
    stopped = exit_code in (None, 124, 137)
    return ScriptResult(None if stopped else exit_code, output)


def _run(
    engine: Engine,
    container_id: str,
    command: Sequence[str],
    user: MachineUser,
    folder: PurePosixPath,
    timeout_s: float,
) -> int | None:
    """Run a command and give its exit code; None where it has not ended in time."""
    client = engine.client
    home = str(user.home)
    made = client.exec_create(
        container_id,
        list(command),
        stdout=False,
        stderr=False,
        user=user.value,
        workdir=str(folder),
        environment={
            "HOME": home,
            "USER": user.value,
            "LOGNAME": user.value,
            "SHELL": "/bin/bash",
        },
    )
    client.exec_start(made["Id"], detach=True)
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        state = client.exec_inspect(made["Id"])
        if not state["Running"]:
            code = state["ExitCode"]
            return None if code is None else int(code)
        time.sleep(_POLL_S)
    return None


def _read_log(engine: Engine, container_id: str, path: PurePosixPath) -> str:
    with open_archive(engine, container_id, path) as found:
        if found is None:
            return ""
        budget = Budget.of(TakeLimits(file_bytes=2**40, total_bytes=2**40))
        try:
            files = read_submission(found[1], Pattern.parse(path.name), budget)
        except SubmissionUnusable:
            return "[its output is too long to be shown]"
    data = next(iter(files.values()), OverlayFile(b"")).data
    return data[-_MAX_LOG_BYTES:].decode("utf-8", "replace")
