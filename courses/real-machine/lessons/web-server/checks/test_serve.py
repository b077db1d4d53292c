"""Step serve: nginx answers on port 8000 with the student's own page."""

import re

PORT = 8000


def heading_of(page):
    match = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.IGNORECASE | re.DOTALL)
    return match[1].strip() if match else ""


def listeners(machine):
    return [entry for entry in machine.listeners() if entry[1] == PORT]


def test_port_is_open(machine):
    """Something listens on port 8000
    ru: На порту 8000 кто-то слушает
    """
    ports = sorted({port for _, port, _ in machine.listeners() if port != 8888})
    assert listeners(machine), f"Nothing listens on port 8000. Ports in use: {ports or 'none'}."


def test_it_is_nginx(machine):
    """It is nginx
    ru: Это nginx
    """
    servers = machine.processes_at(PORT)
    assert servers, "On port 8000 listens: nobody."
    # Not only the very nginx that the machine came with: a student may upgrade it.
    others = {s.exe for s in servers if not machine.is_version_of(s, "/usr/sbin/nginx")}
    assert not others, f"On port 8000 listens, and is no nginx: {', '.join(sorted(others))}."


def test_page(machine):
    """The page is served as HTML
    ru: Страница отдаётся как HTML
    """
    answer = machine.http("/", port=PORT)
    assert answer.status == 200, (
        f"GET / answers {answer.status}, not 200. /var/log/nginx/error.log should say why."
    )
    kind = answer.headers.get("content-type", "nothing")
    assert kind.startswith("text/html"), f"The page's Content-Type should be text/html: {kind}."


def test_own_heading(machine):
    """The page has your own heading
    ru: На странице ваш собственный заголовок
    """
    answer = machine.http("/", port=PORT)
    assert answer.status == 200, f"GET / answers {answer.status}: there is no page to look at yet."
    heading = heading_of(answer.text)
    assert heading, "The page on port 8000 has no <h1> with a text."
    assert heading not in ("Your heading here", "Welcome to nginx!"), (
        f"The heading still is '{heading}'. Edit site/index.html, then copy it to /srv/site."
    )
