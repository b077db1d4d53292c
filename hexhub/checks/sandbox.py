"""Docker, as checks need it: one run in a container of its own, files out of a machine, trials.

The only room that knows Docker here; everything that Docker says becomes a
:class:`~hexhub.errors.CheckError`. One :class:`Sandbox` may be used by several threads: docker-py's
client holds a pool of connections and no state of a call.
"""

import contextlib
import io
import json
import logging
import secrets
import tarfile
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import ReadTimeout, RequestException

from hexhub.catalog.model import LONGEST_CHECK_S, CheckSpec, Isolation, Lesson, MachineUser
from hexhub.catalog.overlays import Overlay, OverlayFile
from hexhub.checks.attachment import Heard, converse, hang_up
from hexhub.checks.containers import (
    CHECK_KIND,
    EXPIRES_LABEL,
    HUB_LABEL,
    KIND_LABEL,
    TRIAL_KIND,
    SandboxSpec,
    make_check_container,
    make_trial_machine,
)
from hexhub.checks.direct_taking import PLAIN_RUNTIMES, take_directly
from hexhub.checks.harness import (
    MAX_LINE_BYTES,
    HarnessAnswer,
    add_files,
    make_header,
    pack,
    read_answer,
)
from hexhub.checks.leavings import Leavings
from hexhub.checks.phases import phase
from hexhub.checks.taking import Budget, Pattern, TakeLimits, read_submission, show_name
from hexhub.checks.warm import (
    LEAVE_FREE_BYTES,
    MAX_AGE_S,
    WARM_CHECKS,
    Ready,
    WarmPool,
    may_wait,
)
from hexhub.docker_client import connect
from hexhub.errors import (
    CheckAbandoned,
    CheckError,
    DockerUnavailable,
    ImageMissing,
    MachineNotRunning,
    RuntimeMissing,
    SubmissionUnusable,
)
from hexhub.memory import has_free_memory
from hexhub.names import machine_name
from hexhub.runtimes import USUAL_RUNTIMES, choose_runtime

log = logging.getLogger(__name__)

GRACE_S = 20.0
"""Seconds beyond the check's own limit for starting, unpacking and ending."""
TRIAL_LIFE_S = 3600.0
_EXPIRY_SLACK_S = 120.0
_POOL_SIZE = 32
_TIMEOUT_S = 60
_IMPATIENT_S = 20
"""Seconds for starting and removing a container, which take one at most. A student who is root may
hold up both, by stopping the process with which a machine check begins (SIGSTOP)."""
_END_S = 5
_POLL_S = 0.05
_CHUNK = 256 * 1024
_MAX_LOG_BYTES = 64 * 1024
_IS_LINK = 1 << 27
_IS_ODD = (1 << 26) | (1 << 25) | (1 << 24) | (1 << 21) | (1 << 19)
"""Device, named pipe, socket, character device, irregular: bits of Go's ``os.FileMode``."""
_IS_FOLDER = 1 << 31


@dataclass(frozen=True)
class HarnessRun:
    """How a run in a check container ended.

    Attributes:
        answer: Of the harness; None where it gave none.
        is_out_of_memory: The kernel ended something in the container for want of memory.
        is_overdue: Nothing had come when our own deadline was over, and the run was ended.
        is_too_long: The answer was longer than any honest one.
        was_hindered: Something in the student's machine kept the check from being started.
        exit_code: Of the container; None where its end was not waited for.
        stderr: What the harness complained of, for the log.
    """

    answer: HarnessAnswer | None
    is_out_of_memory: bool = False
    is_overdue: bool = False
    is_too_long: bool = False
    was_hindered: bool = False
    exit_code: int | None = None
    stderr: str = ""


@dataclass(frozen=True)
class ScriptResult:
    """How a script in a machine ended; ``exit_code`` is None where it was stopped."""

    exit_code: int | None
    output: str


class Sandbox:
    """Containers for checks, on one Docker."""

    def __init__(
        self,
        hub_id: str = "cli",
        *,
        timeout_s: int = _TIMEOUT_S,
        runtimes: Mapping[Isolation, str] = USUAL_RUNTIMES,
        takes_directly: bool = True,
    ) -> None:
        """Prepare; Docker is asked for nothing before the first call.

        Args:
            hub_id: Of this HexHub; in the labels of all containers made here.
            timeout_s: Seconds of silence after which Docker counts as away.
            runtimes: Docker's runtime for each isolation that a lesson may ask for.
            takes_directly: Read files of machines on this computer without Docker's archive, where
                this process may.
        """
        self.hub_id = hub_id
        self._runtimes = runtimes
        self._timeout_s = timeout_s
        self._takes_directly = takes_directly
        self._lock = threading.Lock()
        self._connected: dict[int, docker.APIClient] = {}
        self._pool: WarmPool | None = None
        self._leavings: Leavings[Ready] | None = None

    # --- ahead and afterwards ---------------------------------------------------------------------

    def work_ahead(
        self,
        size: int = WARM_CHECKS,
        expected: Sequence[SandboxSpec] = (),
        *,
        leave_free_bytes: int = LEAVE_FREE_BYTES,
    ) -> None:
        """Keep containers waiting for checks from now on, and remove used ones in a thread.

        For a process that stays, and calls :meth:`close` in the end; what it leaves when it is
        killed is removed by :meth:`remove_leftovers`.

        Args:
            size: How many wait at most; 0: none.
            expected: The first of them; see :class:`~hexhub.checks.warm.WarmPool`.
            leave_free_bytes: With less memory available, none is made.
        """
        self._leavings = Leavings(self._discard)
        self._leavings.start()
        if size:
            self._pool = WarmPool(
                self._prepare_waiting,
                self._discard,
                size=size,
                expected=expected,
                has_room=lambda: has_free_memory(leave_free_bytes),
            )
            self._pool.start()

    def waiting(self) -> int:
        """Tell how many containers wait for checks."""
        return self._pool.count() if self._pool is not None else 0

    def _prepare_waiting(self, shape: SandboxSpec) -> Ready:
        """Make a container that waits; its label names the latest end of the longest check."""
        life_s = MAX_AGE_S + LONGEST_CHECK_S + GRACE_S
        image_id = self._image_id(shape.image)
        # By the image's id: the name may mean another one a moment later.
        ready = self._prepare(replace(shape, image=image_id), MachineUser.STUDENT, life_s)
        if ready is None:  # hindered, which only a student's machine can do
            raise CheckError("The container that was to wait did not start.")
        return ready

    def _take_waiting(self, spec: SandboxSpec) -> Ready | None:
        if self._pool is None or not may_wait(spec):
            return None
        with phase("take waiting"):
            return self._pool.take(spec, self._image_id(spec.image))

    def _image_id(self, name: str) -> str:
        with self._errors("look at the image"):
            return str(self._client.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]

    def runtime_for(self, isolation: Isolation) -> str:
        """Give Docker's runtime for an isolation; empty is Docker's own choice.

        Raises:
            RuntimeMissing: Docker has it not.
            CheckError: Docker does not tell.
        """
        if isolation is Isolation.CONTAINER:
            return ""
        with self._errors("tell its runtimes"):
            there = self._client.info().get("Runtimes") or {}
        return choose_runtime(isolation, self._runtimes, there)

    def _runtime_for(self, isolation: Isolation) -> str:
        try:
            return self.runtime_for(isolation)
        except RuntimeMissing as exc:
            raise CheckError(str(exc)) from exc

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        """Keep the work that is done ahead and afterwards from this time."""
        with contextlib.ExitStack() as both:
            if self._leavings is not None:
                both.enter_context(self._leavings.busy())
            if self._pool is not None:
                both.enter_context(self._pool.busy())
            yield

    # --- runs -------------------------------------------------------------------------------------

    def run(
        self,
        spec: SandboxSpec,
        check: CheckSpec,
        user: MachineUser,
        checks: Overlay,
        work: Overlay | None,
        *,
        notebook: str | None = None,
        grace_s: float = GRACE_S,
        is_settled: Callable[[HarnessAnswer], bool] | None = None,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> HarnessRun:
        """Run a check in a container of its own, which is gone when this returns.

        After :meth:`work_ahead` the container may have waited for its order, and is removed in a
        quiet moment after this returns where the harness has answered.

        Args:
            spec: The container.
            check: What the harness does in it.
            user: Who the student is in the lesson's machine.
            checks: The author's files.
            work: The copy of the student's files; None where the check looks at the machine.
            notebook: Name of the student's notebook below ``work``.
            grace_s: Seconds beyond the check's own limit.
            is_settled: Tells whether an answer says all by itself. Then the container's end is not
                waited for: there is no exit code, and of memory only what the harness says. None:
                never.
            is_wanted: Tells whether anybody still waits for the outcome.

        Raises:
            CheckAbandoned: Nobody does; the container is ended and removed.
            DockerUnavailable: Docker does not answer.
            ImageMissing: The lesson's image is not there.
            MachineNotRunning: A machine check, and the student's machine is stopped.
            ReportUnusable: What came out is not the harness's answer to this run.
            CheckError: Docker refuses for another reason.
        """
        nonce = secrets.token_hex(16)
        archive = pack(checks, work)
        # Not beside a student's machine, whose processes would see it wait.
        stays = self._leavings is not None and is_settled is not None and may_wait(spec)
        said = make_header(check, user, notebook, nonce, len(archive), stays=stays) + archive
        life_s = spec.timeout_s + grace_s
        answers: list[HarnessAnswer] = []

        def is_enough(line: bytes) -> bool:
            answers.append(read_answer(line, nonce))
            return is_settled is not None and is_settled(answers[0])

        with self._busy():
            ready = self._take_waiting(spec) or self._prepare(spec, user, life_s)
            if ready is None:
                return HarnessRun(None, was_hindered=True)
            has_ended = False
            try:
                deadline_s = time.monotonic() + life_s
                heard = self._converse(ready.attached, said, deadline_s, is_enough, is_wanted)
                if heard.is_abandoned:
                    raise CheckAbandoned("Nobody waits for this check any more.")
                answer = answers[0] if answers else None
                if answer is not None and is_settled is not None and is_settled(answer):
                    state: Mapping[str, Any] = {}
                else:
                    state = self._end(ready.container) if not heard.is_overdue else {}
                has_ended = answer is not None
            finally:
                if has_ended and self._leavings is not None:
                    self._leavings.add(ready)
                else:
                    self._discard(ready)
        return HarnessRun(
            answer=answer,
            is_out_of_memory=bool(
                state.get("OOMKilled") or (answer is not None and answer.memory_kills)
            ),
            is_overdue=heard.is_overdue,
            is_too_long=heard.is_too_long,
            exit_code=state.get("ExitCode"),
            stderr=heard.stderr.decode("utf-8", "replace"),
        )

    def _prepare(self, spec: SandboxSpec, user: MachineUser, life_s: float) -> Ready | None:
        """Make, attach and start a container; None where the student keeps it from starting."""
        arguments = make_check_container(
            spec,
            hub_id=self.hub_id,
            expires_at_s=time.time() + life_s + _EXPIRY_SLACK_S,
            runtime=self._runtime_for(spec.isolation),
        )
        container = self._make(arguments)
        attached = None
        is_started = False
        try:
            with phase("attach"), self._errors("start the check"):
                attached = self._client.attach_socket(
                    container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                )
            is_started = self._start(container, spec, user)
        finally:
            if not is_started:
                if attached is not None:
                    hang_up(attached)
                self._remove(container)
        return Ready(container, attached, spec.image, time.monotonic()) if is_started else None

    def _discard(self, ready: Ready) -> None:
        """Let go of a check's container, and remove it."""
        hang_up(ready.attached)
        self._remove(ready.container)

    def _start(self, container: str, spec: SandboxSpec, user: MachineUser) -> bool:
        """Start a check's container; False where a root student's machine keeps it from starting.

        Its first process already runs among the student's, before it is the harness.
        """
        try:
            with phase("start"), self._errors("start the check"):
                try:
                    self._impatient.start(container)
                except (ReadTimeout, APIError) as exc:
                    may_be_student = spec.machine_id is not None and user is MachineUser.ROOT
                    if not (may_be_student and _is_hindered(exc)):
                        raise
                    if self.is_running(str(spec.machine_id)):
                        return False
                    raise
        except DockerUnavailable:
            raise
        except CheckError as exc:
            if spec.machine_id is not None and not self.is_running(spec.machine_id):
                raise MachineNotRunning("The student's machine is not running.") from exc
            raise
        return True

    def _converse(
        self,
        attached: Any,
        said: bytes,
        deadline_s: float,
        is_enough: Callable[[bytes], bool],
        is_wanted: Callable[[], bool],
    ) -> Heard:
        with phase("talk"), self._errors("talk to the check"):
            return converse(
                attached,
                said,
                max_line_bytes=MAX_LINE_BYTES,
                deadline_s=deadline_s,
                is_enough=is_enough,
                is_wanted=is_wanted,
            )

    def _end(self, container: str) -> Mapping[str, Any]:
        """Wait for the container's end, which comes right after its line, and give its state."""
        with phase("end"), self._errors("end the check"):
            with contextlib.suppress(RequestException):
                self._client.wait(container, timeout=_END_S)
            state: Mapping[str, Any] = self._client.inspect_container(container)["State"]
        return state

    # --- the student's machine --------------------------------------------------------------------

    def find_machine(self, user: str, server_name: str) -> str:
        """Give the id of a student's container in a lesson, be it running or stopped.

        Args:
            user: JupyterHub's name of the student.
            server_name: Of the lesson.

        Raises:
            MachineNotRunning: There is none.
            DockerUnavailable: Docker does not answer.
        """
        name = machine_name(self.hub_id, user, server_name)
        with phase("find machine"), self._errors("find the machine"):
            try:
                found = self._client.inspect_container(name)
            except NotFound:
                found = {"Config": {"Labels": {}}}
        # Only six characters of the hub's id are in the name.
        if (found["Config"]["Labels"] or {}).get(HUB_LABEL) != self.hub_id:
            raise MachineNotRunning("There is no machine of this student in this lesson.")
        return str(found["Id"])

    def is_running(self, container_id: str) -> bool:
        """Tell whether a container is there and runs."""
        try:
            with self._errors("look at the machine"):
                return bool(self._client.inspect_container(container_id)["State"]["Running"])
        except MachineNotRunning:
            return False

    def take_files(
        self,
        container_id: str,
        base: PurePosixPath,
        patterns: Sequence[str],
        limits: TakeLimits | None = None,
    ) -> dict[str, OverlayFile]:
        """Copy files out of a machine into memory.

        Args:
            container_id: Running or stopped.
            base: The student's work folder.
            patterns: Paths and patterns below it; each path must be there, a pattern may match
                nothing.
            limits: How much; None means the usual limits.

        Returns:
            Path below ``base`` → file.

        Raises:
            SubmissionUnusable: Something is missing, too big, or no regular file; the message is
                for the student.
            MachineNotRunning: There is no such container.
            DockerUnavailable: Docker does not answer.
        """
        with phase("take files"), self._busy():
            if self._takes_directly and limits is None:
                found = self._take_directly(container_id, base, patterns)
                if found is not None:
                    return found
            budget = Budget.of(limits or TakeLimits())
            files: dict[str, OverlayFile] = {}
            for text in patterns:
                files.update(self._take(container_id, base, Pattern.parse(text), budget))
        return files

    def _take_directly(
        self, container_id: str, base: PurePosixPath, patterns: Sequence[str]
    ) -> dict[str, OverlayFile] | None:
        """Read files without Docker's archive, where that is possible and they are plain."""
        with self._errors("look at the machine"):
            facts = self._client.inspect_container(container_id)
        process_id = int(facts["State"]["Pid"])
        if not process_id or facts["HostConfig"].get("Runtime") not in PLAIN_RUNTIMES:
            return None
        return take_directly(process_id, str(facts["Id"]), base, patterns)

    def _take(
        self, container_id: str, base: PurePosixPath, pattern: Pattern, budget: Budget
    ) -> dict[str, OverlayFile]:
        shown = show_name(str(pattern.root))
        with self._download(container_id, base / pattern.root) as found:
            if found is None:
                if pattern.is_literal or not pattern.root.parts:
                    raise SubmissionUnusable(
                        f"There is no {shown} in ~/{base.name}; the check needs it."
                    )
                return {}
            stat, chunks = found
            mode, size = int(stat.get("mode", 0)), int(stat.get("size", 0))
            if mode & _IS_LINK:
                raise SubmissionUnusable(f"{shown} is a link. Hand in the file itself.")
            if mode & _IS_ODD:
                raise SubmissionUnusable(f"{shown} is no regular file. Hand in a regular file.")
            if not mode & _IS_FOLDER:
                if not pattern.is_literal:
                    return {}
                # Said before a byte is read: the file may be ten gigabytes of nothing.
                Budget.of(budget.limits).take(shown, size)
            return read_submission(chunks, pattern, budget)

    @contextlib.contextmanager
    def _download(
        self, container_id: str, path: PurePosixPath
    ) -> Iterator[tuple[Mapping[str, Any], Iterator[bytes]] | None]:
        """Open a tar of ``path``; None where there is nothing. Leaving closes the connection."""
        client = self._client
        with self._errors("read the student's files"):
            # docker-py's get_archive switches the time limit of the connection off.
            answer = client._get(  # type: ignore[attr-defined]
                client._url("/containers/{0}/archive", container_id),  # type: ignore[attr-defined]
                params={"path": str(path)},
                headers={"Accept-Encoding": "identity"},
                stream=True,
            )
            try:
                if answer.status_code == 404 and "No such container" not in answer.text:
                    yield None
                    return
                client._raise_for_status(answer)  # type: ignore[attr-defined]
                stat = json.loads(b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
                yield stat, answer.iter_content(_CHUNK)
            finally:
                answer.close()

    # --- machines for trying answers --------------------------------------------------------------

    @contextlib.contextmanager
    def trial_machine(self, lesson: Lesson, files: Overlay) -> Iterator[str]:
        """Start a machine as a student's, with ``files`` in its work folder; leaving removes it.

        Raises:
            ImageMissing: The lesson's image is not there.
            DockerUnavailable: Docker does not answer.
        """
        arguments = make_trial_machine(
            lesson,
            hub_id=self.hub_id,
            expires_at_s=time.time() + TRIAL_LIFE_S,
            runtime=self._runtime_for(lesson.isolation),
        )
        with self._container(arguments) as container:
            with self._errors("start the machine"):
                self._client.start(container)
            self.put_files(container, lesson.user, files)
            yield container

    def put_files(self, container_id: str, user: MachineUser, files: Overlay) -> None:
        """Lay files into the work folder of a machine; they belong to ``user``."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            add_files(archive, user.work.name, files, uid=user.uid, modified_s=int(time.time()))
        with self._errors("lay files into the machine"):
            self._client.put_archive(container_id, str(user.home), buffer.getvalue())

    def exec_script(
        self, container_id: str, script: bytes, user: MachineUser, timeout_s: float
    ) -> ScriptResult:
        """Run a bash script in the work folder of a machine, as its user.

        What the script leaves in the background goes on; only the script itself is waited for.

        Args:
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
        with self._errors("run a script in the machine"):
            self._client.put_archive(container_id, "/tmp", buffer.getvalue())  # noqa: S108
            exit_code = self._exec(
                container_id, ["bash", "-c", line], user, user.work, timeout_s + _END_S
            )
            output = self._read_log(container_id, PurePosixPath(path) / "log")
            self._exec(container_id, ["rm", "-rf", path], user, user.home, _END_S)
        stopped = exit_code in (None, 124, 137)
        return ScriptResult(None if stopped else exit_code, output)

    def _exec(
        self,
        container_id: str,
        command: Sequence[str],
        user: MachineUser,
        folder: PurePosixPath,
        timeout_s: float,
    ) -> int | None:
        home = str(user.home)
        made = self._client.exec_create(
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
        self._client.exec_start(made["Id"], detach=True)
        deadline_s = time.monotonic() + timeout_s
        while time.monotonic() < deadline_s:
            state = self._client.exec_inspect(made["Id"])
            if not state["Running"]:
                code = state["ExitCode"]
                return None if code is None else int(code)
            time.sleep(_POLL_S)
        return None

    def _read_log(self, container_id: str, path: PurePosixPath) -> str:
        with self._download(container_id, path) as found:
            if found is None:
                return ""
            budget = Budget.of(TakeLimits(file_bytes=2**40, total_bytes=2**40))
            try:
                files = read_submission(found[1], Pattern.parse(path.name), budget)
            except SubmissionUnusable:
                return "[its output is too long to be shown]"
        data = next(iter(files.values()), OverlayFile(b"")).data
        return data[-_MAX_LOG_BYTES:].decode("utf-8", "replace")

    # --- what is left behind ----------------------------------------------------------------------

    def remove_leftovers(self) -> int:
        """Remove containers of this hub's checks and trials for which nobody waits any more.

        Returns:
            How many there were; a worker that was killed leaves some.

        Raises:
            DockerUnavailable: Docker does not answer.
        """
        now_s = time.time()
        removed = 0
        with self._errors("remove what checks left behind"):
            mine = self._client.containers(
                all=True, filters={"label": [f"{HUB_LABEL}={self.hub_id}", EXPIRES_LABEL]}
            )
            for container in mine:
                labels = container["Labels"]
                is_ours = labels.get(KIND_LABEL) in (CHECK_KIND, TRIAL_KIND)
                if is_ours and float(labels[EXPIRES_LABEL]) < now_s:
                    self._remove(container["Id"])
                    removed += 1
        return removed

    # --- Docker -----------------------------------------------------------------------------------

    @property
    def _client(self) -> docker.APIClient:
        return self._connect(self._timeout_s)

    @property
    def _impatient(self) -> docker.APIClient:
        return self._connect(min(self._timeout_s, _IMPATIENT_S))

    def _connect(self, timeout_s: int) -> docker.APIClient:
        with self._lock:
            if timeout_s not in self._connected:
                with self._errors("connect"):
                    self._connected[timeout_s] = connect(timeout_s, max_pool_size=_POOL_SIZE)
            return self._connected[timeout_s]

    def close(self) -> None:
        """Remove the containers that wait or are used up, and close the connections to Docker."""
        if self._pool is not None:
            self._pool.close()
        if self._leavings is not None:
            self._leavings.close(_IMPATIENT_S)
        with self._lock:
            for client in self._connected.values():
                client.close()
            self._connected.clear()

    def _make(self, arguments: Mapping[str, Any]) -> str:
        """Make a container and give its id."""
        try:
            with phase("create"), self._errors("make a container"):
                return str(self._client.create_container(**arguments)["Id"])
        except MachineNotRunning as exc:
            raise CheckError(str(exc)) from exc

    @contextlib.contextmanager
    def _container(self, arguments: Mapping[str, Any]) -> Iterator[str]:
        """Make a container and give its id; however this is left, the container is removed."""
        container = self._make(arguments)
        try:
            yield container
        finally:
            self._remove(container)

    def _remove(self, container: str) -> None:
        try:
            with phase("remove"):
                self._impatient.remove_container(container, v=True, force=True)
        except NotFound:
            return
        except (DockerException, RequestException, CheckError) as exc:
            log.warning("Container %s stays for now: %s", container[:12], exc)

    @contextlib.contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Translate what Docker says."""
        try:
            yield
        except ImageNotFound as exc:
            raise ImageMissing(
                f"An image is not on this computer ({_said(exc)}). Build it: hexhub images build"
            ) from exc
        except NotFound as exc:
            if "No such image" in _said(exc):
                raise ImageMissing(
                    f"{_said(exc)}. Build the shipped ones: hexhub images build"
                ) from exc
            raise MachineNotRunning(f"The machine is gone ({_said(exc)}).") from exc
        except APIError as exc:
            if "is not running" in _said(exc) or "non running container" in _said(exc):
                raise MachineNotRunning(f"The machine is not running ({_said(exc)}).") from exc
            raise CheckError(f"Docker could not {doing}: {_said(exc)}") from exc
        except (DockerException, RequestException, OSError) as exc:
            raise DockerUnavailable(
                f"Docker does not answer ({_first_line(exc)}). Start it, or run 'hexhub doctor' "
                "to see why."
            ) from exc


def _is_hindered(exc: ReadTimeout | APIError) -> bool:
    """Tell whether a start may have failed because its first process was stopped or killed."""
    if isinstance(exc, ReadTimeout):
        return True
    said = _said(exc)
    # An image without the harness is our fault: `exec: "/opt/check/bin/python": … no such file`.
    return "OCI runtime" in said and 'exec: "' not in said


def _said(exc: APIError) -> str:
    return str(exc.explanation or exc).strip()


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]
