"""Step manners: 404 page, dotfiles, access log."""

import secrets

PORT = 8000
LOG = "/var/log/nginx/site.log"


def missing(machine):
    return machine.http(f"/no-such-page-{secrets.token_hex(4)}.html", port=PORT)


def test_missing_page_is_404(machine):
    """A missing page has status 404
    ru: У несуществующей страницы код 404
    """
    status = missing(machine).status
    assert status == 404, f"An address that does not exist answers {status}, not 404."


def test_own_404_page(machine):
    """A missing page shows your 404.html
    ru: Вместо несуществующей страницы видна ваша 404.html
    """
    text = missing(machine).text
    assert "off the map" in text, f"Wanted was 404.html of the site, and this came: {text[:200]!r}"


def test_dotfiles_are_refused(machine):
    """Files that begin with a dot are refused
    ru: Файлы, имя которых начинается с точки, не отдаются
    """
    for path in ("/.env", "/.git/config"):
        status = machine.http(path, port=PORT).status
        assert status in (403, 404), f"GET {path} answers {status}: it must be 403 or 404."


def test_own_log(machine):
    """Requests are written to site.log
    ru: Запросы записываются в site.log
    """
    # A page that exists: what is missing is told to the error log as well.
    probe = f"/?log-probe={secrets.token_hex(4)}"
    machine.http(probe, port=PORT)
    assert machine.exists(LOG), f"There is no {LOG}. Is access_log set, and has nginx reloaded?"
    assert probe in machine.read_text(LOG), f"{LOG} has no line about a request made just now."
