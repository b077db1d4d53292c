import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from docker.errors import APIError
from jupyterhub.orm import Server
from jupyterhub.spawner import SpawnException
from requests.exceptions import ConnectionError as DockerGone

from hexhub.catalog.model import Course, Lesson, Limits, MachineUser, Network, Text
from hexhub.machine_facts import EndReason, MachineEnd
from hexhub.names import CourseName, LessonName, Version
from spawner.lesson_spawner import LessonSpawner

TEXT = Text({"en": "Text"})
LESSON = Lesson(
    course=CourseName("c"),
    name=LessonName("l"),
    title=TEXT,
    image="hexhub/base",
    user=MachineUser.STUDENT,
    limits=Limits(memory_bytes=1, cpus=1, processes=1, disk_bytes=1, idle_s=1800),
    network=Network.INTERNET,
    steps=(),
    theory=TEXT,
)


def make_spawner(
    *,
    name: str = LESSON.server_name,
    groups: frozenset[str] = frozenset(),
    user: str = "ada",
    server: object = None,
):
    """Give a spawner that knows one course, and no hub behind it."""
    spawner = LessonSpawner(hub_id="0123456789ab")
    spawner.orm_spawner = SimpleNamespace(
        name=name, server=server, user_options=None, last_activity=None
    )
    spawner.user = SimpleNamespace(
        name=user, groups=[SimpleNamespace(name="evening")], orm_user=None
    )
    spawner.user_options = {}
    course = Course(
        name=CourseName("c"),
        title=TEXT,
        summary=TEXT,
        locales=("en",),
        lessons=(LESSON,),
        version=Version("0" * 12),
        groups=groups,
    )
    spawner._catalog = SimpleNamespace(
        at_server=lambda server: (course, LESSON) if server == LESSON.server_name else None
    )

    async def with_client(work):
        return work(None)  # Docker's word about these machines is clear: it is asked no more

    spawner.docker_threads = SimpleNamespace(with_client=with_client)
    return spawner


async def refusal(spawner) -> SpawnException:
    """Give the refusal of a start that never gets as far as Docker."""
    with pytest.raises(SpawnException) as caught:
        await spawner.start()
    assert await spawner.poll() == 0
    return caught.value


@pytest.mark.parametrize(
    "options",
    [
        {"image": "debian"},
        {"mounts": []},
        {"volumes": {"/": "/host"}},
        {"lesson": "other"},
        {"x": 1},
    ],
)
async def test_any_option_is_refused(options):
    """A server takes no user options at all, and a refused one does not stay for the next start."""
    spawner = make_spawner()
    spawner.user_options = options
    error = await refusal(spawner)
    assert error.status_code == 400
    assert next(iter(options)) in error.message
    assert spawner.orm_spawner.user_options == {}


async def test_options_are_told_as_text():
    """Option names that hold HTML are shown as text."""
    spawner = make_spawner()
    spawner.user_options = {"<script>": 1}
    error = await refusal(spawner)
    assert "<script>" not in error.message_html


async def test_the_default_server_is_refused():
    """There is no machine without a lesson."""
    error = await refusal(make_spawner(name=""))
    assert error.status_code == 400
    assert "lesson" in error.message


async def test_an_unknown_lesson_is_refused():
    """A server whose name belongs to no published lesson does not start."""
    error = await refusal(make_spawner(name="nothing-00000000"))
    assert error.status_code == 404
    assert "nothing-00000000" in error.message


async def test_a_closed_course_is_refused():
    """A course that is open to certain groups does not open for others, in the spawner too."""
    error = await refusal(make_spawner(groups=frozenset({"insiders"})))
    assert error.status_code == 403
    course, lesson = make_spawner(groups=frozenset({"evening"}))._allowed_lesson()
    assert (course.name, lesson) == ("c", LESSON)


async def test_a_server_cannot_be_renamed():
    """Its name is what says which lesson it is."""
    with pytest.raises(SpawnException):
        await make_spawner().rename("l-00000000", "m-00000000")


def test_nothing_is_resumed_or_remembered():
    """Each start has a new token, and a hub needs no memory to find a machine again."""
    spawner = make_spawner()
    assert not spawner.will_resume
    assert spawner.get_state() == {}
    spawner.load_state({"object_id": "x", "object_name": "y"})
    assert re.fullmatch("hexhub-012345-[0-9a-f]{32}", spawner.object_name)


@pytest.mark.parametrize(
    "trouble", [DockerGone("no socket"), APIError("500 Server Error"), TimeoutError("hangs")]
)
async def test_unknown_is_not_dead(trouble):
    """A Docker that does not answer says nothing about the machine: it counts as running."""
    spawner = make_spawner()

    async def fail(method, *args, **kwargs):
        raise trouble

    spawner._docker_call = fail
    assert await spawner.poll() is None


async def test_a_machine_that_ended_is_told_with_its_reason():
    """Only Docker's own word counts: exit code, and whether memory ran out."""
    spawner = make_spawner()

    async def inspect(method, *args, **kwargs):
        finished_at = "2026-11-24T10:00:00.123456789Z"
        state = {"Running": False, "ExitCode": 137, "OOMKilled": True, "FinishedAt": finished_at}
        return {"State": state}

    spawner._docker_call = inspect
    assert await spawner.poll() == "exit code 137, out of memory"
    assert spawner.ended == MachineEnd(
        EndReason.OUT_OF_MEMORY, 137, datetime(2026, 11, 24, 10, tzinfo=UTC), memory_bytes=1
    )


@dataclass
class Reporter:
    """Hears what HexHub's service would be told."""

    told: list[tuple[str, str]] = field(default_factory=list)

    def tell(self, what: str, **facts: str | int) -> None:
        """Keep the kind and the reason."""
        self.told.append((what, str(facts["reason"])))


def stoppable(user: str, *, state: dict[str, object], idle_for_s: int = 0, server: object = None):
    """Give a spawner of a machine in a state, what is told of it, and the calls of Docker."""
    spawner = make_spawner(user=user, server=server)
    spawner.report_url = f"http://{user}/"
    spawner._has_listened = True
    spawner._reports[spawner.report_url] = reporter = Reporter()
    spawner.orm_spawner.last_activity = datetime.now(UTC) - timedelta(seconds=idle_for_s)
    calls = []

    async def call(method, *args, **kwargs):
        calls.append(method)
        return {"State": state}

    spawner._docker_call = call
    return spawner, reporter, calls


RUNS = {"Running": True}
ENDED = {"Running": False, "ExitCode": 1, "OOMKilled": False, "FinishedAt": "2026-11-24T10:00:00Z"}
KILLED = {**ENDED, "ExitCode": 137, "OOMKilled": True}


async def test_a_stop_that_was_asked_for_is_told_once():
    """JupyterHub looks again after it has stopped a server: that is no second end."""
    spawner, reporter, _ = stoppable("asker", state=ENDED)
    spawner._life.is_told_of = True
    await spawner.stop()
    await spawner.poll()
    assert reporter.told == [("server-stopped", "student")]


@pytest.mark.parametrize(("state", "reason"), [(ENDED, "ended"), (KILLED, "memory")])
async def test_an_end_is_told_once_with_its_reason(state, reason):
    """A machine that is found not to run is told of once, however often somebody looks."""
    spawner, reporter, _ = stoppable(f"found-{reason}", state=state)
    spawner._life.is_told_of = True
    await spawner.poll()
    await spawner.poll()
    await spawner.stop()
    assert reporter.told == [("server-stopped", reason)]


@pytest.mark.parametrize("is_serving", [True, False])
async def test_a_hub_that_is_new_tells_of_what_its_database_knows(is_serving):
    """What ended while no hub looked is told, but not what JupyterHub knew to be stopped."""
    user = f"new-{is_serving}".lower()
    known = Server(proto="http", ip="127.0.0.1", port=1, base_url="/", cookie_name="c")
    spawner, reporter, _ = stoppable(user, state=ENDED, server=known if is_serving else None)
    await spawner.poll()
    assert reporter.told == ([("server-stopped", "ended")] if is_serving else [])


async def test_a_start_that_came_to_nothing_is_no_stop():
    """Who gives up while the machine starts has stopped nothing that was told of."""
    spawner, reporter, _ = stoppable("quitter", state=ENDED)
    spawner._life.is_told_of = False
    await spawner.stop()
    await spawner.poll()
    assert reporter.told == []


async def test_an_idle_stop_is_told_as_one():
    """A machine that nobody has used for its lesson's time, as long as this hub is there."""
    spawner, reporter, calls = stoppable("sleeper", state=RUNS, idle_for_s=10**6)
    spawner._life.is_told_of = True
    spawner.idle_slack_s = -(10.0**6)  # this hub is there for some milliseconds only
    assert await spawner.poll() == "not used for 1800 s"
    assert reporter.told == [("server-stopped", "idle")]
    assert calls == ["inspect_container", "stop"]
