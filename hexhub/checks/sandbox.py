"""Runs a check in a throw-away container of its own: warm or cold, one order and one answer.

One :class:`Sandbox` may be used by several threads.
"""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from docker.errors import APIError
from requests.exceptions import ReadTimeout, RequestException

from hexhub.catalog.model import LONGEST_CHECK_S, CheckSpec, MachineUser
from hexhub.catalog.overlays import Overlay
from hexhub.checks.attachment import Heard, converse, hang_up
from hexhub.checks.containers import SandboxSpec, make_check_container
from hexhub.checks.docker_errors import docker_errors, is_hindered
from hexhub.checks.engine import IMPATIENT_S, Engine
from hexhub.checks.harness import MAX_LINE_BYTES, HarnessAnswer, make_header, pack, read_answer
from hexhub.checks.leavings import Leavings
from hexhub.checks.phases import phase
from hexhub.checks.warm import (
    LEAVE_FREE_BYTES,
    MAX_AGE_S,
    WARM_CHECKS,
    Ready,
    WarmPool,
    may_wait,
)
from hexhub.ended_containers import last_state
from hexhub.errors import CheckAbandoned, CheckError, DockerUnavailable, MachineNotRunning
from hexhub.memory import has_free_memory

GRACE_S = 20.0
"""Seconds beyond the check's own limit for starting, unpacking and ending."""
_EXPIRY_SLACK_S = 120.0
_END_S = 5


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


class Sandbox:
    """Containers for checks, on one Docker."""

    def __init__(self, engine: Engine) -> None:
        """Prepare; Docker is asked for nothing before the first run.

        Args:
            engine: Where the containers are made. Whoever has made it closes it, after
                :meth:`close`.
        """
        self.engine = engine
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
        killed is removed by :meth:`~hexhub.checks.engine.Engine.remove_leftovers`.

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

    def close(self) -> None:
        """Remove the containers that wait or are used up."""
        if self._pool is not None:
            self._pool.close()
        if self._leavings is not None:
            self._leavings.close(IMPATIENT_S)

    def _prepare_waiting(self, shape: SandboxSpec) -> Ready:
        """Make a container that waits; its label names the latest end of the longest check."""
        life_s = MAX_AGE_S + LONGEST_CHECK_S + GRACE_S
        image_id = self.engine.image_id(shape.image)
        # By the image's id: the name may mean another one a moment later.
        ready = self._prepare(replace(shape, image=image_id), MachineUser.STUDENT, life_s)
        if ready is None:  # hindered, which only a student's machine can do
            raise CheckError("The container that was to wait did not start.")
        return ready

    def _take_waiting(self, spec: SandboxSpec) -> Ready | None:
        if self._pool is None or not may_wait(spec):
            return None
        with phase("take waiting"):
            return self._pool.take(spec, self.engine.image_id(spec.image))

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
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

        with self.busy():
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
            hub_id=self.engine.hub_id,
            expires_at_s=time.time() + life_s + _EXPIRY_SLACK_S,
            runtime=self.engine.expect_runtime(spec.isolation),
        )
        container = self.engine.make(arguments)
        attached = None
        is_started = False
        try:
            with phase("attach"), docker_errors("start the check"):
                attached = self.engine.client.attach_socket(
                    container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
                )
            is_started = self._start(container, spec, user)
        finally:
            if not is_started:
                if attached is not None:
                    hang_up(attached)
                self.engine.remove(container)
        return Ready(container, attached, spec.image, time.monotonic()) if is_started else None

    def _discard(self, ready: Ready) -> None:
        """Let go of a check's container, and remove it."""
        hang_up(ready.attached)
        self.engine.remove(ready.container)

    def _start(self, container: str, spec: SandboxSpec, user: MachineUser) -> bool:
        """Start a check's container; False where a root student's machine keeps it from starting.

        Its first process already runs among the student's, before it is the harness.
        """
        try:
            with phase("start"), docker_errors("start the check"):
                try:
                    self.engine.impatient.start(container)
                except (ReadTimeout, APIError) as exc:
                    may_be_student = spec.machine_id is not None and user is MachineUser.ROOT
                    if not (may_be_student and is_hindered(exc)):
                        raise
                    if self.engine.is_running(str(spec.machine_id)):
                        return False
                    raise
        except DockerUnavailable:
            raise
        except CheckError as exc:
            if spec.machine_id is not None and not self.engine.is_running(spec.machine_id):
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
        with phase("talk"), docker_errors("talk to the check"):
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
        with phase("end"), docker_errors("end the check"):
            with contextlib.suppress(RequestException):
                self.engine.client.wait(container, timeout=_END_S)
            found = self.engine.client.inspect_container(container)
            return last_state(self.engine.client, found)
