"""A student sees all that is recorded about them, and is told so where a course begins."""

import html
from pathlib import Path

from hexhub.events.model import EventName
from hexhub.events.reports import ReportProblem
from hexhub.events.schemas import make_event
from hexhub.names import UserName
from hexhub.progress.reports import Reports
from hexhub.service.pages.recorded import EVENTS_ON_A_PAGE
from hexhub.service.pages.text import LOCALES, messages

from .conftest import PREFIX, Service
from .small_courses import publish_watched_course

ADA = UserName("ada")


def saved(service: Service, path: str, n: int, user: str = "ada") -> None:
    data = {"user": user, "course": "tiny", "lesson": "first", "path": path}
    event = make_event(EventName.FILE_SAVED, service.store.now(), data, id=f"{n:032x}")
    Reports(service.store).store(UserName(user), [event], {})


async def test_the_page_lists_everything_about_the_person_and_nobody_else(
    service: Service,
) -> None:
    """What HexHub saw and what the machine reported, the latter marked, and what was refused."""
    service.pass_steps("one", user="ada")
    saved(service, "work/<script>alert(1)</script>", 1)
    saved(service, "work/of-bob", 2, user="bob")
    Reports(service.store).store(ADA, [], {"event_too_many": 42})
    browser = await service.browser("ada")

    page = (await browser.get(f"{PREFIX}recorded")).text

    assert "You passed a step" in page
    assert "step: one" in page
    assert html.escape("work/<script>alert(1)</script>") in page
    assert "<script>alert" not in page
    assert "(reported)" in page
    assert "Too much at once" in page
    assert ">42<" in page
    assert "of-bob" not in page
    assert "It is deleted after 180 days." in page
    assert "The text of commands is recorded in none of your lessons." in page


async def test_older_events_are_a_page_away(service: Service) -> None:
    """Nothing is left out: each page leads to the one before."""
    count = EVENTS_ON_A_PAGE + 5
    for n in range(count):
        saved(service, f"work/number-{n}-", n)
    browser = await service.browser("ada")

    first = (await browser.get(f"{PREFIX}recorded")).text
    older = first.split('href="?before=')[1].split('"')[0]
    second = (await browser.get(f"{PREFIX}recorded?before={older}")).text

    for n in range(count):
        assert (f"number-{n}-" in first) != (f"number-{n}-" in second)
    assert "?before=" not in second
    assert (await browser.get(f"{PREFIX}recorded?before=x")).status_code == 400


async def test_only_people_see_it(service: Service) -> None:
    """A machine's token, which the student's programs can read, opens no page of all lessons."""
    assert (await service.machine().get(f"{PREFIX}recorded")).status_code == 403


async def test_a_course_says_at_its_start_what_is_recorded(service: Service) -> None:
    """On its page, with the way to all of it; and every page has that way at its foot."""
    browser = await service.browser("ada")

    course = (await browser.get(f"{PREFIX}courses/tiny")).text
    catalogue = (await browser.get(PREFIX)).text

    assert "HexHub notes what you do in this course" in course
    assert course.count(f'href="{PREFIX}recorded"') == 2
    assert f'href="{PREFIX}recorded"' in catalogue
    assert "commands that you type" not in course


async def test_lessons_that_record_what_is_typed_say_so(service: Service, tmp_path: Path) -> None:
    """By name, on the course's page and on the person's own."""
    publish_watched_course(tmp_path / "watching", service.context.settings.published)
    browser = await service.browser("ada")

    course = (await browser.get(f"{PREFIX}courses/watched")).text
    own = (await browser.get(f"{PREFIX}recorded")).text

    assert "The commands that you type in the terminal are recorded, too, in:" in course
    assert "Second" in course.split("are recorded, too, in:")[1].split("</p>")[0]
    assert "<strong>Watched: Second</strong>" in own


def test_every_event_and_every_refusal_has_its_words() -> None:
    """An event without words would be a page of an error for whoever has one."""
    for locale in LOCALES:
        known = messages(locale)
        assert all(f"event.{name.value}" in known for name in EventName)
        assert all(f"refused.{problem.value}" in known for problem in ReportProblem)
