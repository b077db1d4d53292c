"""Every error that HexHub raises on purpose.

::

    HexHubError
    ├── CourseError
    │   ├── CourseInvalid        the files of a course break the format; carries all problems
    │   ├── CourseNotFound
    │   ├── LessonNotFound
    │   ├── StepNotFound
    │   ├── VersionNotFound
    │   ├── StarterFileNotFound
    │   ├── AnswerUnusable       an author's answer is not there, or its solve.sh fails
    │   ├── CourseChanged        the files were changed while the course was published
    │   └── SolutionFails        the author's solution does not pass, so nothing is published
    ├── Refused                  it exists, but not for this person, or not yet; says why
    │   ├── LoginRequired        nobody is logged in, or the token is unknown
    │   ├── AccessDenied
    │   ├── StepLocked
    │   ├── HintLocked
    │   ├── SolutionLocked
    │   └── NothingToUndo        no reset, or its earlier machine is gone by now
    ├── CheckError               a check could not be made; never says anything of the answer
    │   ├── DockerUnavailable
    │   ├── ImageMissing
    │   ├── MachineNotRunning
    │   ├── SubmissionUnusable   what was taken from the student's machine cannot be graded
    │   ├── CheckAbandoned       nobody waits for it any more, so that it was ended
    │   └── ReportUnusable       the harness's report is missing, forged or unreadable
    ├── StoreError
    │   ├── AttemptNotFound
    │   ├── LeaseLost            another worker owns the attempt by now
    │   └── SnapshotDamaged      the database gives other files than were handed in
    ├── EventError
    │   ├── EventInvalid         an event does not keep to its schema
    │   ├── SinkUnreachable      the time series database does not take events now
    │   └── SinkRefused          it takes events, but not these
    ├── ClaimFailed              a container that waited cannot become this student's machine
    ├── HubUnreachable           JupyterHub's API does not answer, or answers with an error
    ├── RequestInvalid           a request to our API breaks its contract
    ├── ArchiveNotFound          no old machine's files are kept of this student and lesson
    ├── ArchiveTooBig            the files of an old machine are more than is kept
    ├── TooManyRequests          one person has too many requests under way
    └── SetupError               this computer lacks something; the message says what to do
        └── RuntimeMissing       Docker has not the runtime that a lesson's isolation asks for
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class HexHubError(Exception):
    """Root of all errors raised on purpose.

    Attributes:
        code: Stable word for programs, such as ``lesson_not_found``.
    """

    code = "error"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a course: where, what was found, what is allowed.

    Attributes:
        file: Path relative to the course folder.
        line: One-based line number, or None where the file as a whole is meant.
        found: What stands there.
        allowed: What may stand there.
    """

    file: str
    line: int | None
    found: str
    allowed: str

    def __str__(self) -> str:
        """Give ``file:line: found X; allowed: Y``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: found {self.found}; allowed: {self.allowed}"


class CourseError(HexHubError):
    """Something about a course."""

    code = "course_error"


class CourseInvalid(CourseError):
    """The files of a course break the format. ``problems`` has all of them."""

    code = "course_invalid"

    def __init__(self, course: str, problems: Sequence[Problem]) -> None:
        self.course = course
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"Course '{course}' has {len(self.problems)} problem(s):\n{lines}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"


class CourseNotFound(CourseError):
    """No such course is published."""

    code = "course_not_found"

    def __init__(self, course: str, known: Iterable[str]) -> None:
        self.course = course
        super().__init__(f"No course '{course}' is published. There are: {_listed(known)}.")


class LessonNotFound(CourseError):
    """The course has no such lesson."""

    code = "lesson_not_found"

    def __init__(self, course: str, lesson: str, known: Iterable[str]) -> None:
        self.course = course
        self.lesson = lesson
        super().__init__(f"No lesson '{lesson}' in course '{course}'. It has: {_listed(known)}.")


class StepNotFound(CourseError):
    """The lesson has no such step."""

    code = "step_not_found"

    def __init__(self, lesson: str, step: str, known: Iterable[str]) -> None:
        self.lesson = lesson
        self.step = step
        super().__init__(f"No step '{step}' in lesson '{lesson}'. It has: {_listed(known)}.")


class VersionNotFound(CourseError):
    """This version of the course is not on disk."""

    code = "version_not_found"

    def __init__(self, course: str, version: str) -> None:
        self.course = course
        self.version = version
        super().__init__(f"Course '{course}' has no version '{version}' on disk. Publish it again.")


class StarterFileNotFound(CourseError):
    """The lesson's starter has no such file."""

    code = "starter_file_not_found"

    def __init__(self, lesson: str, path: str, known: Iterable[str]) -> None:
        self.lesson = lesson
        self.path = path
        super().__init__(
            f"Lesson '{lesson}' begins without a file '{path}'. It begins with: {_listed(known)}."
        )


class AnswerUnusable(CourseError):
    """An author's answer could not be laid into a machine: it is not there, or its script fails."""

    code = "answer_unusable"


class CourseChanged(CourseError):
    """The files of a course were changed while it was published."""

    code = "course_changed"

    def __init__(self, course: str) -> None:
        self.course = course
        super().__init__(
            f"The files of course '{course}' were changed while it was published; nothing was "
            "published. Publish it again."
        )


class SolutionFails(CourseError):
    """The author's solution does not pass its own checks."""

    code = "solution_fails"


class Refused(HexHubError):
    """It exists, and this person may not have it (now). The message is the reason."""

    code = "refused"


class LoginRequired(Refused):
    """Nobody is logged in, or the token is unknown."""

    code = "login_required"


class AccessDenied(Refused):
    """The person's groups do not open this course, or the thing is somebody else's."""

    code = "access_denied"


class StepLocked(Refused):
    """Earlier steps must be passed first."""

    code = "step_locked"


class HintLocked(Refused):
    """The hint's condition is not met yet, or there is no further hint."""

    code = "hint_locked"


class SolutionLocked(Refused):
    """The solution is not to be shown yet."""

    code = "solution_locked"


class NothingToUndo(Refused):
    """No reset can be undone: there was none, it was undone, or its earlier machine is gone."""

    code = "nothing_to_undo"


class CheckError(HexHubError):
    """A check could not be made; this never says anything of the answer."""

    code = "check_error"


class DockerUnavailable(CheckError):
    """Docker does not answer."""

    code = "docker_unavailable"


class ImageMissing(CheckError):
    """The lesson's image is not on this machine."""

    code = "image_missing"


class MachineNotRunning(CheckError):
    """The student's container is stopped or gone."""

    code = "machine_not_running"


class SubmissionUnusable(CheckError):
    """What was taken from the student's machine cannot be graded: too big, links, not there."""

    code = "submission_unusable"


class CheckAbandoned(CheckError):
    """Nobody waits for the check any more: it was cancelled, or somebody else runs it."""

    code = "check_abandoned"


class ReportUnusable(CheckError):
    """The harness's report is missing, forged or unreadable."""

    code = "report_unusable"


class StoreError(HexHubError):
    """The database refuses, or what was asked of it is not there."""

    code = "store_error"


class AttemptNotFound(StoreError):
    """No such attempt, or it is another student's."""

    code = "attempt_not_found"


class LeaseLost(StoreError):
    """Another worker owns the attempt by now; this one's verdict is not stored."""

    code = "lease_lost"


class SnapshotDamaged(StoreError):
    """The database gives other files than were handed in; they are not graded."""

    code = "snapshot_damaged"


class EventError(HexHubError):
    """Something about events; never about the thing that an event tells of."""

    code = "event_error"


class EventInvalid(EventError):
    """An event does not keep to its schema."""

    code = "event_invalid"

    def __init__(self, event: str, problem: str) -> None:
        self.event = event
        super().__init__(f"Event '{event}' does not keep to its schema: {problem}.")


class SinkUnreachable(EventError):
    """The time series database does not take events now; they stay in the outbox."""

    code = "sink_unreachable"


class SinkRefused(EventError):
    """The time series database takes events, but not these."""

    code = "sink_refused"


class ClaimFailed(HexHubError):
    """A container that waited cannot become this student's machine; a new one can."""

    code = "claim_failed"


class HubUnreachable(HexHubError):
    """JupyterHub's API does not answer, or answers with an error."""

    code = "hub_unreachable"


class RequestInvalid(HexHubError):
    """A request to our API breaks its contract. The message names the field."""

    code = "request_invalid"


class ArchiveNotFound(HexHubError):
    """No files of an old machine are kept of this student in this lesson."""

    code = "archive_not_found"


class ArchiveTooBig(HexHubError):
    """The files of an old machine are more than is kept."""

    code = "archive_too_big"

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        super().__init__(
            f"Its files are more than {most_bytes // 1024**2} MB (HEXHUB_ARCHIVE_BYTES)."
        )


class TooManyRequests(HexHubError):
    """One person has too many requests under way."""

    code = "too_many_requests"


class SetupError(HexHubError):
    """This computer lacks something; the message says what to do."""

    code = "setup_error"


class RuntimeMissing(SetupError):
    """Docker has not the runtime that a lesson's isolation asks for."""

    code = "runtime_missing"

    def __init__(self, isolation: str, runtime: str, there: Iterable[str]) -> None:
        self.isolation = isolation
        self.runtime = runtime
        super().__init__(
            f"Docker has no runtime '{runtime}', which 'isolation: {isolation}' asks for. It has: "
            f"{_listed(sorted(there))}. Install it and name it in /etc/docker/daemon.json, or name "
            f"the one to use: HEXHUB_RUNTIMES={isolation}=NAME"
        )
