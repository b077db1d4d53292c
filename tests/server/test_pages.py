"""The pages as a browser gets them."""

import asyncio
import re

import pytest

from .conftest import BROWSER, PREFIX, Service
from .small_courses import CANARY, FIRST_SERVER

PAGES = ["", "courses/tiny", "courses/tiny/lessons/first/open", "recorded"]


async def test_catalogue_shows_progress_and_where_to_go_on(service: Service) -> None:
    """The catalogue greets, lists the courses and leads to the lesson that was begun."""
    service.pass_steps("one", user="ada")
    browser = await service.browser("ada")

    page = (await browser.get(PREFIX)).text

    assert "Hello, ada" in page
    assert "Continue where you stopped" in page
    assert "1 of 3 steps" in page
    assert f'href="{PREFIX}courses/tiny/lessons/first/open"' in page
    assert "Closed" not in page


@pytest.mark.parametrize("path", PAGES)
async def test_pages_speak_russian(service: Service, path: str) -> None:
    """Who asks for Russian gets Russian: our words and the author's."""
    browser = await service.browser("ada", language="ru-RU,ru;q=0.9,en;q=0.5")

    page = (await browser.get(f"{PREFIX}{path}")).text

    assert '<html lang="ru">' in page
    assert "Выйти" in page
    assert "Log out" not in page


async def test_chosen_language_stays(service: Service) -> None:
    """A choice of language is kept in a cookie, for JupyterHub's pages too, and shown at once."""
    browser = await service.browser("ada")

    chosen = await browser.get(f"{PREFIX}courses/tiny?locale=ru&x=1")

    assert chosen.status_code == 302
    assert chosen.headers["Location"] == f"{PREFIX}courses/tiny?x=1"
    cookie = next(c for c in browser.cookies.jar if c.name == "hexhub_locale")
    assert (cookie.value, cookie.path) == ("ru", "/")
    assert '<html lang="ru">' in (await browser.get(PREFIX)).text


async def test_choice_of_language_leads_nowhere_else(service: Service) -> None:
    """The redirect after a choice stays on this host, whatever the path looks like."""
    client = service.client()

    answer = await client.get(f"{service.url}//evil.example/..%2f?locale=ru")

    assert not answer.headers.get("Location", "/").startswith("//")


@pytest.mark.parametrize("path", PAGES)
async def test_pages_allow_no_inline_scripts(service: Service, path: str) -> None:
    """Pages have a strict policy, and neither scripts, styles nor handlers in them."""
    browser = await service.browser("ada")

    page = await browser.get(f"{PREFIX}{path}")

    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert re.search(r"<script(?![^>]*\ssrc=)", page.text) is None
    assert re.search(r"\s(style|on[a-z]+)=", page.text) is None
    assert "<style" not in page.text


async def test_authors_html_is_text(service: Service) -> None:
    """HTML in an author's Markdown is shown, not run."""
    browser = await service.browser("ada")

    page = (await browser.get(f"{PREFIX}courses/tiny")).text

    assert "<strong>it</strong>" in page
    assert "&lt;script&gt;alert(1)" in page


async def test_course_page_lists_lessons_with_their_state(service: Service) -> None:
    """The course page has every lesson in order, its steps, and a button to stop what runs."""
    service.pass_steps("one", user="ada")
    server = service.hub.begin("ada", FIRST_SERVER, "First")
    assert server.task is not None
    await server.task
    browser = await service.browser("ada")

    page = (await browser.get(f"{PREFIX}courses/tiny?machines=wait")).text

    assert page.index("First") < page.index("Second")
    assert "Machine is running" in page
    assert 'data-stop="/services/hexhub/api/lessons/tiny/first/stop"' in page
    assert page.count("data-stop=") == 1


@pytest.mark.parametrize("path", ["", "courses/tiny"])
async def test_pages_do_not_wait_for_a_busy_hub(service: Service, path: str) -> None:
    """A page comes without the machines that run, says so to its script, which asks once more."""
    server = service.hub.begin("ada", FIRST_SERVER, "First")
    assert server.task is not None
    await server.task
    browser = await service.browser("ada")
    await browser.get(f"{PREFIX}{path}")
    service.hub.may_list.clear()

    page = (await browser.get(f"{PREFIX}{path}")).text
    asked = asyncio.create_task(browser.get(f"{PREFIX}{path}?machines=wait"))
    service.hub.may_list.set()
    whole = (await asked).text

    assert "Second" in page
    assert "Machine is running" not in page
    assert "data-machines-to-come" in page
    assert 'data-mark="tiny/first"' in page
    assert "Machine is running" in whole
    assert "data-machines-to-come" not in whole


async def test_pages_stand_while_the_hub_is_away(service: Service) -> None:
    """Who is known already can read the catalogue while JupyterHub restarts."""
    browser = await service.browser("ada")
    await browser.get(PREFIX)
    service.hub.down = True

    assert (await browser.get(PREFIX)).status_code == 200


async def test_hub_away_has_a_page(service: Service) -> None:
    """Who is not known yet is told that JupyterHub does not answer, and may try again."""
    browser = await service.browser("ada")
    service.hub.down = True
    service.context.auth.cache.clear()

    page = await browser.get(PREFIX)

    assert page.status_code == 503
    assert "JupyterHub does not answer" in page.text
    assert "Try again" in page.text


async def test_solution_is_shown_when_allowed(service: Service) -> None:
    """The solution's page is refused before the lesson is finished, and readable afterwards."""
    browser = await service.browser("ada")
    url = f"{PREFIX}courses/tiny/lessons/first/solution"

    before = await browser.get(url)
    service.pass_steps("one", "two", "three", user="ada")
    after = await browser.get(url)
    course = await browser.get(f"{PREFIX}courses/tiny")

    assert before.status_code == 403
    assert "The solution is not open yet." in before.text
    assert CANARY not in before.text
    assert after.status_code == 200
    assert CANARY in after.text
    assert "solve.sh" in after.text
    assert "This file is not text." in after.text
    assert f'href="{url}"' in course.text
    assert "Finished" in course.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("courses/nowhere", 404, "There is no such course."),
        ("courses/tiny/lessons/nowhere/open", 404, "This course has no such lesson."),
        ("courses/closed", 403, "This is not open to you."),
        ("nowhere", 404, "There is no such page."),
        ("static/nowhere.css", 404, ""),
    ],
)
async def test_errors_have_pages(service: Service, path: str, status: int, words: str) -> None:
    """An address that leads nowhere says so in plain words and shows the way back."""
    browser = await service.browser("ada")

    page = await browser.get(f"{PREFIX}{path}")

    assert page.status_code == status
    assert words in page.text
    assert "Traceback" not in page.text


async def test_open_page_starts_nothing_by_itself(service: Service) -> None:
    """A link to a lesson, also one on another site, starts no machine; the page's script does."""
    browser = await service.browser("ada")

    page = await browser.get(f"{PREFIX}courses/tiny/lessons/first/open", headers=dict(BROWSER))

    assert page.status_code == 200
    assert service.hub.starts == []
    assert service.store.progress(service.place()) is None


async def test_style_and_scripts_are_there(service: Service) -> None:
    """Every file that a page names is there, may be kept, and needs no log-in."""
    browser = await service.browser("ada")
    page = (await browser.get(f"{PREFIX}courses/tiny/lessons/first/open")).text

    names = set(re.findall(r'(?:src|href)="(/services/hexhub/static/[^"]+)"', page))

    assert len(names) >= 4
    for name in names:
        answer = await service.client().get(name)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
