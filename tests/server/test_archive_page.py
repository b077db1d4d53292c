"""The files of an old machine: offered to their owner, sent as they are, and to nobody else."""

from hexhub.names import machine_name

from .conftest import LESSON, PREFIX, Service
from .small_courses import FIRST_SERVER

PAGE = f"{PREFIX}courses/tiny/lessons/first/archive"
FILES = b"\0whatever a hostile machine sends" * 20_000


def keep(service: Service, user: str) -> bytes:
    """Keep files of somebody's old machine of lesson ``first``; gives the packed bytes."""
    name = machine_name(service.context.settings.hub_id, user, FIRST_SERVER)
    return service.context.archives.keep(name, [FILES], 10**7).path.read_bytes()


async def test_the_owner_is_offered_their_files_and_gets_them(service: Service) -> None:
    """The course's page links to them in the person's language; they come as a file to save."""
    ada = await service.browser("ada")
    assert PAGE not in (await ada.get(f"{PREFIX}courses/tiny")).text
    packed = keep(service, "ada")

    page = await ada.get(f"{PREFIX}courses/tiny")
    answer = await ada.get(PAGE)

    assert f'href="{PAGE}"' in page.text
    assert "Files of your old machine (0.0 MB)" in page.text
    assert (answer.status_code, answer.content) == (200, packed)
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="tiny-first.tar.gz"'
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    russian = await service.browser("ada", language="ru")
    assert "Файлы вашей старой машины (0.0 МБ)" in (await russian.get(f"{PREFIX}courses/tiny")).text


async def test_nobody_else_gets_them(service: Service) -> None:
    """Another person has none, a stranger is sent to the log-in, a closed course stays closed."""
    keep(service, "ada")
    bob = await service.browser("bob")

    answer = await bob.get(PAGE)
    stranger = await service.client().get(PAGE)
    closed = await bob.get(f"{PREFIX}courses/closed/lessons/second/archive")

    assert answer.status_code == 404
    assert "No files of an old machine are kept here." in answer.text
    assert (stranger.status_code, closed.status_code) == (302, 403)
    assert PAGE not in (await bob.get(f"{PREFIX}courses/tiny")).text


async def test_the_lessons_own_machine_hears_of_them(service: Service) -> None:
    """The panel can offer them; the file itself is for people, not for machines' tokens."""
    keep(service, "ada")
    machine = service.machine()

    archive = (await machine.get(f"{LESSON}/machine")).json()["archive"]

    assert (archive["url"], archive["size_bytes"] > 0) == (PAGE, True)
    assert (await machine.get(PAGE)).status_code == 403
