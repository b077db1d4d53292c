"""A name of its own for each student's machines, in real Chromium, which finds ``*.localhost``.

One page that takes what it can (``attack.html``) is served by a student's machine and opened by a
teacher who may look at that machine. The same page at the teacher's own addresses shows that it is
able to take it.
"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, expect

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.names import machine_name
from tests.hub.trial_courses import server_of
from tests.hub.trial_hub import TrialHub, docker

ATTACK = Path(__file__).with_name("attack.html")
WAIT_MS = 90_000
SECRET = "the victim's own words"
PLAIN = server_of("plain")
TEACHER = """
c.Authenticator.allowed_users = {"mallory", "victim", "ada"}
c.JupyterHub.load_roles.append(
    {
        "name": "teacher",
        "users": ["victim"],
        "scopes": ["self", "access:servers!user=mallory"],
    }
)
"""
CHECKED_LESSON = """\
schema: 1
title: {en: Checked}
image: hexhub/base
preview: [{port: 8000, title: {en: Your site}}]
steps:
  - id: only
    check: {kind: files, run: 'true', report: exit, submit: [hello.txt]}
"""


def publish_checked_lesson(folder: Path, catalog: Path) -> None:
    """Publish a course of one lesson with a check and a preview."""
    files = {
        "course.yml": "schema: 1\ntitle: {en: Checked}\nsummary: {en: For tests.}\n"
        "locales: [en]\nlessons: [checked]\n",
        "lessons/checked/lesson.yml": CHECKED_LESSON,
        "lessons/checked/en/README.md": "# Checked\n\nTheory.\n",
        "lessons/checked/en/steps/only.md": "# Only\n\nTask.\n",
        "lessons/checked/checks/nothing.txt": "",
        "lessons/checked/starter/hello.txt": "Hello\n",
        "lessons/checked/solution/hello.txt": "Hello\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    course = read_course(folder)
    PublishedCatalog(catalog).publish(folder, course, {"checked": {"only": ("exit",)}})


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialHub]:
    """Give a HexHub with subdomains, and a teacher who may look into mallory's machines."""
    folder = tmp_path_factory.mktemp("apart")
    running = TrialHub(folder)
    running.options = (
        *("--no-firewall", "--subdomain-host", f"http://hexhub.localhost:{running.port}"),
    )
    with (folder / "own_config.py").open("a") as config:
        config.write(TEACHER)
    publish_checked_lesson(folder / "checked", running.state / "catalog")
    try:
        running.start()
        yield running
    finally:
        running.remove()


def url_of(hub: TrialHub) -> str:
    """Give the origin of its pages; only browsers find ``*.localhost``."""
    return hub.options[-1]


def log_in(page: Page, hub: TrialHub, name: str) -> None:
    """Come to the front page and log in."""
    page.goto(url_of(hub))
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").first.fill("a long password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def open_lesson(page: Page, hub: TrialHub, course: str, lesson: str) -> str:
    """Open a lesson as its page does, and give the base URL of the machine's server."""
    page.goto(f"{url_of(hub)}/services/hexhub/courses/{course}/lessons/{lesson}/open")
    page.wait_for_url("**/lab**", timeout=WAIT_MS)
    expect(page.locator(".hx-panel .hx-step-head").first).to_be_visible(timeout=WAIT_MS)
    return page.url.split("/lab")[0] + "/"


def machine_of(hub: TrialHub, user: str, base: str) -> str:
    """Give the name of the machine whose server has this base URL."""
    hub_id = (hub.state / "secrets" / "hub-id").read_text()
    return machine_name(hub_id, user, base.rstrip("/").rsplit("/", 1)[-1])


def serve(machine: str, folder: str) -> None:
    """Have a real web server serve a folder of the machine on port 8000."""
    docker("exec", "--detach", machine, "python3", "-m", "http.server", "8000", "-d", folder)
    ask = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/', timeout=1)"
    loop = f'until python3 -c "{ask}" 2>/dev/null; do sleep 0.1; done'
    docker("exec", machine, "timeout", "60", "sh", "-c", loop)


def lay_in_page(machine: str) -> None:
    """Put the page into a machine, where a web server hands it out."""
    command = ["docker", "cp", ATTACK, f"{machine}:/home/student/work/attack.html"]
    subprocess.run(command, check=True, capture_output=True)
    serve(machine, "/home/student/work")


def loot_of(page: Page, address: str, hub: TrialHub, victim: str) -> set[str]:
    """Open the page at an address as its victim, and give what it got hold of.

    Args:
        page: Of the victim's browser.
        address: Where the page is.
        hub: What it tries to use as the victim.
        victim: Base URL of the victim's server.
    """
    query = urlencode({"hub": url_of(hub), "victim": victim, "secret": SECRET})
    page.goto(f"{address}?{query}")
    if "/oauth2/authorize" in page.url:
        # JupyterHub asks before somebody's name is told to a machine of another.
        page.locator("form [type=submit]").click()
    page.wait_for_function("document.title === 'tried'", timeout=WAIT_MS)
    loot: dict[str, bool] = page.evaluate("window.loot")
    assert len(loot) == 9
    return {what for what, is_taken in loot.items() if is_taken}


def start(hub: TrialHub, user: str) -> str:
    """Start the machine of a user, and give the base URL of its server."""
    wish = {"display_name": "Trial"}
    hub.ask("POST", f"users/{user}/servers/{PLAIN}", json=wish).raise_for_status()
    deadline = time.monotonic() + WAIT_MS / 1000
    while not hub.ask("GET", f"users/{user}/servers/{PLAIN}").json()["ready"]:
        assert time.monotonic() < deadline, hub.log("hub")
        time.sleep(0.1)
    return f"http://{user}.hexhub.localhost:{hub.port}/user/{user}/{PLAIN}/"


@pytest.fixture(scope="module")
def mallory(hub: TrialHub) -> str:
    """Give the base URL of a server with the page, and a real web server that hands it out."""
    base = start(hub, "mallory")
    lay_in_page(machine_of(hub, "mallory", base))
    return base


@pytest.fixture(scope="module")
def victim(hub: TrialHub, chromium: Browser) -> Iterator[tuple[Page, str]]:
    """Give the page of a logged-in teacher, and the base URL of their server, with a terminal."""
    base = start(hub, "victim")
    machine = machine_of(hub, "victim", base)
    docker("exec", machine, "sh", "-c", f'echo "{SECRET}" > /home/student/work/secret.txt')
    lay_in_page(machine)
    with chromium.new_context() as profile:
        page = profile.new_page()
        log_in(page, hub, "victim")
        page.goto(f"{base}lab", wait_until="domcontentloaded")
        made = page.evaluate(
            "async (url) => (await fetch(url, {method: 'POST', headers: {'X-XSRFToken': "
            "/_xsrf=([^;]+)/.exec(document.cookie)[1]}})).json()",
            f"{base}api/terminals",
        )
        assert made["name"] == "1", made
        page.goto(f"{url_of(hub)}/hub/home")
        yield page, base


def test_a_page_of_one_student_gets_nothing_of_another(hub, mallory, victim):
    """Files, cookies, terminals, the hub's and HexHub's API: all is another origin's.

    A web server in the machine serves the page; what Jupyter itself shows has the same origin.
    """
    page, base = victim
    assert loot_of(page, f"{mallory}proxy/8000/attack.html", hub, base) == set()
    assert hub.ask("GET", f"users/victim/servers/{PLAIN}").json()["ready"]


def test_at_the_victims_own_addresses_such_a_page_takes_everything(hub, victim):
    """What the page tries, works: at one origin with its victim it has all of it.

    So it is for every machine where all share one address; docs/isolation.md says so.
    """
    page, base = victim
    assert loot_of(page, f"{base}proxy/8000/attack.html", hub, base) >= {
        "a file, through the window of the IDE",
        "cookies, through the window of the IDE",
        "a terminal",
    }
    address = f"{url_of(hub)}/hub/attack.html"
    page.route(f"{address}*", lambda route: route.fulfill(path=ATTACK))
    assert loot_of(page, address, hub, base) == {
        "the hub's API",
        "HexHub's API",
    }


def test_a_lesson_with_subdomains(hub, chromium):
    """Pages, machine, panel, check, preview, the way back and the log-out work across the names."""
    with chromium.new_context(viewport={"width": 1366, "height": 768}) as profile:
        profile.set_default_timeout(30_000)
        profile.on("requestfailed", lambda gone: print("not answered:", gone.url, gone.failure))
        page = profile.new_page()
        log_in(page, hub, "ada")
        base = open_lesson(page, hub, "checked", "checked")
        assert base.startswith(f"http://ada.hexhub.localhost:{hub.port}/user/ada/")
        panel = page.locator(".hx-panel")
        panel.locator(".hx-check").click()
        expect(panel.locator(".hx-progress-text")).to_have_text("1 of 1 step", timeout=WAIT_MS)
        serve(machine_of(hub, "ada", base), "/home/student/work")
        panel.get_by_role("button", name="Your site").click()
        frame = page.frame_locator(".hx-preview iframe:visible")
        expect(frame.get_by_role("link", name="hello.txt")).to_be_visible()
        panel.locator("a[href$='/courses/checked']").first.click()
        expect(page).to_have_url(f"{url_of(hub)}/services/hexhub/courses/checked")
        page.locator("[data-stop]").first.click()
        expect(page.locator("[data-stop]")).to_have_count(0, timeout=WAIT_MS)
        page.goto(f"{base}lab")
        expect(page.get_by_role("link", name="Go to the courses")).to_be_visible()
        page.goto(f"{url_of(hub)}/hub/logout")
        page.goto(f"{url_of(hub)}/services/hexhub/")
        expect(page.get_by_label("User name")).to_be_visible()
