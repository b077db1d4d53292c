"""Who may do what: log-in by browser, tokens of machines, XSRF."""

import re

import httpx
import pytest

from .conftest import API, LESSON, PREFIX, SCRIPT, Service
from .small_courses import SECOND_SERVER
from .stub_hub import callback_url


def xsrf_of(page: httpx.Response) -> str:
    """Give the XSRF token that a page carries for its scripts."""
    found = re.search(r'<meta name="xsrf" content="([^"]+)">', page.text)
    assert found is not None
    return found[1]


async def test_page_leads_to_the_login_and_back(service: Service) -> None:
    """A page without a log-in redirects to JupyterHub's; after it, it is there."""
    client = service.client()
    client.headers["Sec-Fetch-Mode"] = "navigate"
    course = f"{PREFIX}courses/tiny"

    first = await client.get(course)
    assert first.status_code == 302
    assert first.headers["Location"].startswith("/hub/api/oauth2/authorize?")
    service.hub.codes["code-of-ada"] = service.hub.person("ada")
    back = await client.get(callback_url(first.headers["Location"], "code-of-ada"))

    assert (back.status_code, back.headers["Location"]) == (302, course)
    page = await client.get(course)
    assert (page.status_code, "ada" in page.text) == (200, True)


async def test_login_cookie_is_not_for_scripts(service: Service) -> None:
    """The log-in's cookies are HttpOnly and only sent to the service.

    The XSRF token's, too: by ``history.pushState`` any page of the origin has our path.
    """
    browser = await service.browser("ada")
    await browser.get(PREFIX)

    for name in ("service-hexhub", "_xsrf"):
        cookie = next(c for c in browser.cookies.jar if c.name == name)
        assert cookie.path == PREFIX
        assert cookie.has_nonstandard_attr("HttpOnly")


@pytest.mark.parametrize("path", ["courses", "lessons/tiny/first", f"attempts/{'0' * 32}"])
async def test_api_without_login_is_refused(service: Service, path: str) -> None:
    """The API never redirects: without a log-in it answers 403."""
    answer = await service.client().get(f"{API}{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_required")


async def test_unknown_token_is_refused(service: Service) -> None:
    """A token that JupyterHub does not know is nobody."""
    answer = await service.client("made-up").get(LESSON)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_required")


async def test_token_of_something_else_is_refused(service: Service) -> None:
    """A token that JupyterHub knows, but that does not open HexHub, is refused."""
    answer = await service.client(service.hub.stranger("ada")).get(LESSON)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")


async def test_services_are_not_students(service: Service) -> None:
    """The token of another service has no progress and is refused."""
    service.hub.identities["other"] = {
        "kind": "service",
        "name": "other",
        "scopes": ["access:services"],
    }

    answer = await service.client("other").get(LESSON)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "courses"),
        ("GET", "lessons/tiny/first"),
        ("POST", "lessons/tiny/first/open"),
        ("GET", "lessons/tiny/first/server"),
        ("POST", "lessons/tiny/first/stop"),
        ("POST", "lessons/tiny/first/steps/one/attempts"),
        ("POST", "lessons/tiny/first/steps/one/hints"),
        ("POST", "lessons/tiny/first/steps/three/done"),
        ("GET", "lessons/tiny/first/solution"),
    ],
)
async def test_machine_speaks_for_its_own_lesson_only(
    service: Service, method: str, path: str
) -> None:
    """The token of one lesson's machine is refused everywhere else, and changes nothing there."""
    other = service.machine("ada", SECOND_SERVER)

    answer = await other.request(method, f"{API}{path}")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "access_denied")
    assert service.store.progress(service.place()) is None
    assert service.hub.starts == []


async def test_machine_of_another_student_is_another_student(service: Service) -> None:
    """A scope on somebody else's server (a shared one) does not make a token speak for them."""
    token = service.hub.machine("bob", SECOND_SERVER)
    service.hub.identities[token]["scopes"].append("access:servers!server=ada/first-00000000")

    answer = await service.client(token).get(LESSON)

    assert answer.status_code == 403


async def test_machine_sees_no_pages(service: Service) -> None:
    """Pages are for people: the token of a machine is refused there."""
    answer = await service.machine().get(PREFIX)

    assert answer.status_code == 403
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_cookie_alone_does_not_write(service: Service) -> None:
    """A request that another site makes with the person's cookie changes nothing."""
    browser = await service.browser("ada")
    del browser.headers["Sec-Fetch-Mode"]
    for headers in ({}, dict(SCRIPT), {**SCRIPT, "X-XSRFToken": "guessed"}):
        answer = await browser.post(f"{LESSON}/steps/one/hints", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_required")

    assert service.store.progress(service.place()) is None


@pytest.mark.parametrize("mode", ["cors", "same-origin", "no-cors", "navigate", None])
async def test_cookie_alone_does_not_read(service: Service, mode: str | None) -> None:
    """Nothing reads the API with the cookie alone, whatever the browser says of the request."""
    browser = await service.browser("ada")
    del browser.headers["Sec-Fetch-Mode"]
    headers = {} if mode is None else {"Sec-Fetch-Mode": mode}

    answer = await browser.get(LESSON, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_required")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("mode", ["cors", "same-origin", "no-cors"])
@pytest.mark.parametrize("given", [None, "", "chosen", "bob's"])
async def test_scripts_fetch_no_page(service: Service, mode: str, given: str | None) -> None:
    """A page, and the XSRF token that it carries, is given to no script that has not got it."""
    of_bob = xsrf_of(await (await service.browser("bob")).get(PREFIX))
    browser = await service.browser("ada")
    await browser.get(PREFIX)
    token = of_bob if given == "bob's" else given

    answer = await browser.get(
        PREFIX,
        headers={"Sec-Fetch-Mode": mode, **({} if token is None else {"X-XSRFToken": token})},
    )

    assert answer.status_code in (302, 403)
    assert 'name="xsrf"' not in answer.text


async def test_a_pages_own_script_fetches_it_again(service: Service) -> None:
    """With the token that the page has carried, its script may ask for the page once more."""
    browser = await service.browser("ada")
    token = xsrf_of(await browser.get(PREFIX))

    again = await browser.get(PREFIX, headers={**SCRIPT, "X-XSRFToken": token})

    assert again.status_code == 200
    assert xsrf_of(again) == token


async def test_xsrf_token_is_taken_from_the_header_alone(service: Service) -> None:
    """What the cookie says, sent as an argument, is not the page's own word."""
    browser = await service.browser("ada")
    token = xsrf_of(await browser.get(PREFIX))

    answer = await browser.get(LESSON, params={"_xsrf": token}, headers=dict(SCRIPT))

    assert answer.status_code in (400, 403)


async def test_a_token_needs_no_xsrf_token(service: Service) -> None:
    """A program that sends its token in a header is no browser that somebody else steers."""
    answer = await service.machine().get(LESSON, headers=dict(SCRIPT))

    assert answer.status_code == 200


async def test_page_with_its_token_reads_and_writes(service: Service) -> None:
    """The page's own script sends the XSRF token that the page carries, and is let in."""
    browser = await service.browser("ada")
    token = xsrf_of(await browser.get(PREFIX))
    headers = {**SCRIPT, "X-XSRFToken": token}

    read = await browser.get(LESSON, headers=headers)
    write = await browser.post(f"{LESSON}/steps/one/hints", headers=headers)

    assert (read.status_code, write.status_code) == (200, 200)


async def test_token_of_one_person_is_no_use_to_another(service: Service) -> None:
    """An XSRF token goes with one log-in: with another person's cookie it is refused."""
    ada = await service.browser("ada")
    bob = await service.browser("bob")
    token_of_ada = xsrf_of(await ada.get(PREFIX))
    bob.cookies.delete("_xsrf")
    bob.cookies.set("_xsrf", token_of_ada, path=PREFIX)

    answer = await bob.post(
        f"{LESSON}/steps/one/hints", headers={**SCRIPT, "X-XSRFToken": token_of_ada}
    )

    assert answer.status_code == 403


async def test_forged_cookie_is_nobody(service: Service) -> None:
    """A cookie that we did not sign logs nobody in."""
    client = service.client()
    client.cookies.set("service-hexhub", service.hub.person("ada"), path=PREFIX)

    answer = await client.get(PREFIX, headers={"Sec-Fetch-Mode": "navigate"})

    assert answer.status_code == 302


async def test_stale_login_says_so(service: Service) -> None:
    """A log-in that began before this process, or that somebody made up, ends in a clear page."""
    answer = await service.client().get(f"{PREFIX}oauth_callback?code=x&state=made-up")

    assert answer.status_code == 403
    assert "Please try again" in answer.text
    assert f'href="{PREFIX}"' in answer.text


async def test_cookies_survive_a_restart(service: Service) -> None:
    """The key of our cookies follows from the service's token, so that all copies have it."""
    from hexhub.service.context import cookie_secret

    browser = await service.browser("ada")
    assert cookie_secret(service.context.settings) == cookie_secret(service.context.settings)
    assert len(cookie_secret(service.context.settings)) == 32
    assert (await browser.get(PREFIX)).status_code == 200


async def test_containers_reach_the_api_alone(container_side: Service) -> None:
    """On the address of the containers there are no pages, no style and no log-in."""
    machine = container_side.machine()

    assert (await machine.get(LESSON)).status_code == 200
    for path in ("", "oauth_callback", "courses/tiny", "static/hexhub.css"):
        answer = await machine.get(f"{PREFIX}{path}")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "request_invalid"
