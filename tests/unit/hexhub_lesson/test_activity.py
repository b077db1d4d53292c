from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hexhub_lesson.activity import IdleTime, IdleWatch, _is_use_of_contents
from hexhub_lesson.terminals import tell_terminals

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
HALF_HOUR = IdleTime(timedelta(minutes=30))


class Shown:
    """A terminal in which somebody looks on, as terminado and jupyter_server have it."""

    def __init__(self, settings, *, has_client: bool = True):
        self.seen: list[str] = []
        self.read_buffer: list[str] = []
        self.last_activity = NOW
        self._settings = settings
        self.clients = [self] if has_client else []

    def on_pty_read(self, text: str) -> None:
        """Show, and count it as use, as jupyter_server_terminals does."""
        self.seen.append(text)
        self._settings["terminal_last_activity"] = datetime.now(UTC)
        self.last_activity = datetime.now(UTC)


def settings_with_terminals():
    """Give settings of a server with one terminal that is looked at and one that is not."""
    settings = {"terminal_last_activity": NOW}
    seen, unseen = Shown(settings), Shown(settings, has_client=False)
    settings["terminal_manager"] = SimpleNamespace(terminals={"1": seen, "2": unseen})
    return settings, seen, unseen


def watch(settings, used_at, *, language="en"):
    """Give a watch and the list of its reports."""
    reports: list[datetime] = []

    async def report():
        reports.append(used_at[0])

    return (
        IdleWatch(HALF_HOUR, settings, lambda: used_at[0], report, lambda: language),
        reports,
    )


def test_what_is_said_in_terminals_is_no_use_of_them():
    """A notice must not keep the machine awake that it says is not used."""
    settings, seen, unseen = settings_with_terminals()
    tell_terminals(settings, "Hello")
    assert "Hello" in seen.seen[0]
    assert seen.read_buffer == seen.seen
    assert (unseen.seen, unseen.read_buffer) == ([], [])
    assert settings["terminal_last_activity"] == seen.last_activity == NOW
    tell_terminals({}, "Nobody has a terminal")


async def test_the_end_is_said_once_and_two_minutes_before():
    """Not earlier, not twice, and again when the machine was used in between."""
    settings, seen, _ = settings_with_terminals()
    used_at = [NOW]
    idle, reports = watch(settings, used_at)
    await idle.look(NOW + timedelta(minutes=27))
    assert seen.seen == []
    for minutes in (28.2, 28.4, 29):
        await idle.look(NOW + timedelta(minutes=minutes))
    assert len(seen.seen) == 1
    assert "in 2 min" in seen.seen[0]
    assert reports == []
    used_at[0] = NOW + timedelta(minutes=29)
    await idle.look(NOW + timedelta(minutes=29.1))
    assert reports == [used_at[0]]
    await idle.look(NOW + timedelta(minutes=58))
    assert len(seen.seen) == 2
    assert idle.stop_at == NOW + timedelta(minutes=59)


async def test_the_notice_is_in_the_students_language():
    """As the browser last chose it."""
    settings, seen, _ = settings_with_terminals()
    idle, _ = watch(settings, [NOW], language="ru-RU")
    await idle.look(NOW + timedelta(minutes=29))
    assert "через 1 мин" in seen.seen[0]


async def test_who_says_to_be_there_is():
    """The machine counts as used from then on, and the hub is told at once."""
    settings: dict[str, object] = {}
    idle, reports = watch(settings, [NOW])
    await idle.use()
    assert isinstance(settings["hexhub_last_activity"], datetime)
    assert len(reports) == 1


@pytest.mark.parametrize("text", ["", "0", "x", "-5", "1.5"])
async def test_a_machine_that_is_never_stopped_says_nothing(text):
    """Without a time, or with one that is none."""
    idle = IdleTime.from_environment({"HEXHUB_IDLE_S": text})
    assert idle.stop_at(NOW) is None
    assert idle.notice_at(NOW) is None
    assert IdleTime.from_environment({"HEXHUB_IDLE_S": "60"}).notice_at(NOW) == NOW + timedelta(
        seconds=45
    )


@pytest.mark.parametrize(
    ("method", "query", "is_use"),
    [
        ("GET", {}, False),
        ("GET", {"content": "1"}, False),
        ("GET", {"content": "0", "type": "file"}, False),
        ("GET", {"content": "1", "type": "file"}, True),
        ("GET", {"type": "notebook"}, True),
        ("PUT", {}, True),
    ],
)
def test_opening_a_file_is_use_and_looking_at_a_folder_is_not(method, query, is_use):
    """The file browser looks every ten seconds, whether or not somebody is there."""
    handler = SimpleNamespace(
        request=SimpleNamespace(method=method),
        get_argument=lambda name, default: query.get(name, default),
    )
    assert _is_use_of_contents(handler) is is_use
