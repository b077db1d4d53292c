"""When ``lesson check --watch`` checks again."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hexhub_lesson.terminal.watching import Folder


def never(wait_s: float) -> bool:
    """Nobody presses Enter, and no time passes."""
    return False


def at_once(wait_s: float) -> bool:
    """Enter was pressed."""
    return True


@pytest.fixture
def work(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (work / "src/app.py").write_text("one")
    return work


@pytest.mark.parametrize(
    "change",
    [
        lambda work: (work / "src/app.py").write_text("another"),
        lambda work: (work / "new.txt").write_text(""),
        lambda work: (work / "src/app.py").unlink(),
        lambda work: (work / "src/app.py").rename(work / "app.py"),
        lambda work: (work / "empty").mkdir(),
    ],
)
def test_a_change_of_the_students_files_is_seen(
    work: Path, change: Callable[[Path], object]
) -> None:
    """Written, made, removed, renamed: in any folder below."""
    folder = Folder(str(work))
    before = folder.fingerprint()
    change(work)
    assert folder.fingerprint() != before
    folder.await_change(before, never)


@pytest.mark.parametrize(
    "path", [".git/index", "__pycache__/app.pyc", "node_modules/a/b.js", ".app.py.swp"]
)
def test_what_programs_leave_behind_is_not(work: Path, path: str) -> None:
    """An editor's swap file or a cache must not start a check."""
    folder = Folder(str(work))
    before = folder.fingerprint()
    (work / path).parent.mkdir(parents=True, exist_ok=True)
    (work / path).write_text("x")
    assert folder.fingerprint() == before


def test_links_are_not_followed_and_a_missing_folder_is_empty(work: Path) -> None:
    """A link to / must not be walked, and ``rm -r ~/work`` is a change like others."""
    (work / "root").symlink_to("/")
    folder = Folder(str(work))
    assert len(folder.fingerprint()) == 3
    assert Folder(str(work / "absent")).fingerprint() == frozenset()


def test_enter_checks_at_once(work: Path) -> None:
    """A check of a running server needs no change of a file."""
    folder = Folder(str(work))
    folder.await_change(folder.fingerprint(), at_once)


def test_a_change_is_waited_for_until_it_has_come_to_rest(work: Path) -> None:
    """An editor that writes three files causes one check."""
    folder = Folder(str(work))
    before = folder.fingerprint()
    (work / "0").touch()
    seen: list[float] = []

    def write_more(wait_s: float) -> bool:
        seen.append(wait_s)
        if len(seen) < 3:
            (work / str(len(seen))).touch()
        return False

    folder.await_change(before, write_more)
    assert {path.name for path in work.iterdir()} == {"src", "0", "1", "2"}
    assert len(seen) == 3
