import pytest
from hexhub_lesson.starter_files import FileRefused, StarterFiles


@pytest.fixture
def files(tmp_path):
    """Give the files of a student who has begun to work."""
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "app.py").write_text("mine\n")
    return StarterFiles(tmp_path)


def test_a_file_is_put_back_and_taken_back_once(files, tmp_path):
    """The student's version is kept, and comes back once."""
    target = tmp_path / "work" / "app.py"
    target.chmod(0o755)
    assert files.put_back("app.py", b"x = 1\n", is_executable=False)
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"x = 1\n", 0o644)
    assert files.kept() == ["app.py"]
    assert files.take_back("app.py")
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("mine\n", 0o755)
    assert not files.take_back("app.py")


def test_putting_back_twice_keeps_the_students_version(files, tmp_path):
    """A file that is as new already is left alone, and so is what was kept of it."""
    assert files.put_back("app.py", b"x = 1\n", is_executable=False)
    assert not files.put_back("app.py", b"x = 1\n", is_executable=False)
    files.take_back("app.py")
    assert (tmp_path / "work" / "app.py").read_text() == "mine\n"


def test_a_file_that_was_deleted_comes_back(files, tmp_path):
    """Also with its folder, and nothing is kept of what was not there."""
    assert files.put_back("deep/er/run.sh", b"#!/bin/sh\n", is_executable=True)
    assert (tmp_path / "work/deep/er/run.sh").stat().st_mode & 0o777 == 0o755
    assert files.kept() == []


def test_a_link_is_replaced_and_not_followed(files, tmp_path):
    """What a link in the file's place points to stays as it is."""
    other = tmp_path / "other.txt"
    other.write_text("other\n")
    target = tmp_path / "work" / "app.py"
    target.unlink()
    target.symlink_to(other)
    files.put_back("app.py", b"x = 1\n", is_executable=False)
    assert (other.read_text(), target.is_symlink()) == ("other\n", False)


@pytest.mark.parametrize("path", ["../app.py", "/etc/passwd", "a/../../b", ""])
def test_paths_stay_in_the_work_folder(files, path):
    """Whatever the hub may say, nothing outside of ~/work is touched."""
    with pytest.raises(FileRefused, match="below ~/work"):
        files.put_back(path, b"", is_executable=False)


def test_a_folder_in_the_place_of_a_file_is_told(files, tmp_path):
    """It is not removed with what may be in it."""
    (tmp_path / "work" / "notes").mkdir()
    with pytest.raises(FileRefused, match="'notes'"):
        files.put_back("notes", b"", is_executable=False)
