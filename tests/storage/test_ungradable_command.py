"""``hexhub course ungradable``: the author sees what could not be checked, and why."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.cli.main import main
from hexhub.progress.queue import COULD_NOT_RUN, MAX_TRIES
from hexhub.progress.store import Store

from .conftest import Clock
from .course_folder import make_course
from .lessons import FAILED, LESSON, ONE, OTHER, PLACE, TWO, V1


def show(tmp_path: Path, database_url: str, *arguments: str) -> Result:
    """Run the command as an author does."""
    environment = {"HEXHUB_STATE": str(tmp_path), "HEXHUB_DATABASE_URL": database_url}
    return CliRunner().invoke(main, ["course", "ungradable", *arguments], env=environment)


@pytest.fixture(autouse=True)
def catalog(tmp_path: Path) -> PublishedCatalog:
    """Give a catalog with the tiny course."""
    source = make_course(tmp_path / "source")
    made = PublishedCatalog(tmp_path / "catalog")
    made.publish(source, read_course(source), {})
    return made


def test_a_poison_check_ends_and_is_shown(
    store: Store, clock: Clock, tmp_path: Path, database_url: str
) -> None:
    """Three tries, then the author reads when, who, where, how often and why; newest first."""
    poison, _ = store.submit(PLACE, ONE, V1)
    for number in range(MAX_TRIES):
        claim = store.claim("w", 30)
        assert claim is not None
        store.retry_later(poison.id, claim.lease, f"harness: broken {number}\nsecond line", 1)
        clock.pass_s(2)
    assert store.claim("w", 30) is None
    store.submit(OTHER, TWO, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    store.give_up(claim.attempt.id, claim.lease, "no \x1b]0;machine\x07here\x1b[31m")
    done = show(tmp_path, database_url, "tiny")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines == [
        f"{clock.now:%Y-%m-%d %H:%M:%S} UTC  grace  first/two  1 try",
        "    no here",
        lines[2],
        "    harness: broken 2",
        "    second line",
    ]
    assert lines[2].endswith("UTC  ada  first/one  3 tries")
    # The student reads something else.
    outcome = store.attempt(poison.id).outcome
    assert outcome is not None
    assert outcome.message == COULD_NOT_RUN
    assert show(tmp_path, database_url, "tiny", "--limit", "1").output.count("UTC") == 1


def test_other_outcomes_are_not_shown(store: Store, tmp_path: Path, database_url: str) -> None:
    """What was checked, passed or not, is no news here."""
    store.submit(PLACE, ONE, V1)
    claim = store.claim("w", 30)
    assert claim is not None
    store.finish(claim.attempt.id, claim.lease, FAILED, LESSON)
    done = show(tmp_path, database_url, "tiny")
    assert (done.exit_code, done.output) == (0, "All attempts at 'tiny' could be checked.\n")


@pytest.mark.usefixtures("store")
def test_a_mistyped_course_is_said_so(tmp_path: Path, database_url: str) -> None:
    """A course that is not there is an error that names those that are."""
    done = show(tmp_path, database_url, "tini")
    assert done.exit_code == 1
    assert "tini" in done.stderr
    assert "tiny" in done.stderr
