"""The pack of modules: it gives what the files hold, and is left alone where they differ."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LONG_AGO_S = 1_000_000_000

FILES = {
    "sample.py": '"""A module."""\nimport re\nWORDS = re.compile(r"(?P<word>\\w+)-?", re.I)\n'
    "def where():\n    raise LookupError('here')\n",
    "bag/__init__.py": "from bag import inner\n",
    "bag/inner.py": "from importlib.resources import files\n"
    "NOTE = files('bag').joinpath('note.txt').read_text()\n",
    "bag/note.txt": "of the bag",
    "named-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: named\nVersion: 1.0\n",
    "named-1.0.dist-info/entry_points.txt": "[some.group]\nfirst = sample:where\n",
}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """A folder of packages, as a virtual environment has."""
    folder = tmp_path / "site-packages"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    os.utime(folder, (LONG_AGO_S, LONG_AGO_S))
    make_pack(folder)
    return folder


def run(packages: Path, code: str) -> Any:
    """Run a program in a Python of its own, with the packages on its path; give what it tells."""
    start = (
        "import json, sys\nfrom hexhub_lesson import import_pack\n"
        f"packages, pack = {str(packages)!r}, {str(packages.parent / 'pack')!r}\n"
        "sys.path.append(packages)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", start + code], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout or "null")


def make_pack(packages: Path) -> None:
    run(packages, "def load():\n    import sample, bag\nimport_pack.make_pack(load, pack)\n")


def test_modules_come_out_of_the_pack(packages: Path) -> None:
    """Their files are not read, and yet they are theirs: names, source, data, tracebacks."""
    (packages / "bag/inner.py").write_text("raise SystemExit('read from its file')\n")
    found = run(
        packages,
        """
import_pack.use_pack(pack)
import inspect, traceback
import bag.inner, sample
try:
    sample.where()
except LookupError as exc:
    last = traceback.extract_tb(exc.__traceback__)[-1]
print(json.dumps({
    "note": bag.inner.NOTE, "file": sample.__file__, "doc": sample.__doc__,
    "path": list(bag.__path__), "package": bag.inner.__package__,
    "source": inspect.getsource(sample.where), "last": [last.filename, last.lineno, last.line],
}))
""",
    )
    assert found == {
        "note": "of the bag",
        "file": str(packages / "sample.py"),
        "doc": "A module.",
        "path": [str(packages / "bag")],
        "package": "bag",
        "source": "def where():\n    raise LookupError('here')\n",
        "last": [str(packages / "sample.py"), 5, "raise LookupError('here')"],
    }


def test_what_is_not_in_it_is_imported_as_ever(packages: Path) -> None:
    """A module that was not loaded when it was made, and one that is nowhere."""
    (packages / "bag/later.py").write_text("VALUE = 7\n")
    found = run(
        packages,
        """
import_pack.use_pack(pack)
import bag.later
try:
    import bag.nowhere
except ModuleNotFoundError as exc:
    print(json.dumps([bag.later.VALUE, exc.name]))
""",
    )
    assert found == [7, "bag.nowhere"]


def test_regular_expressions_are_those_that_re_compiles(packages: Path) -> None:
    """The same pattern, flags and groups, without being compiled anew; others are compiled."""
    found = run(
        packages,
        """
import re
compiled, parse = [], re._parser.parse
def note(pattern, *flags):
    compiled.append(pattern)
    return parse(pattern, *flags)
re._parser.parse = note
import_pack.use_pack(pack)
import sample
words = sample.WORDS
other = re.compile(r"(?P<word>\\w+)-?")
print(json.dumps([
    compiled, words.pattern, words.flags, dict(words.groupindex), words.findall("Ab-c"), other.flags
]))
""",
    )
    pattern = r"(?P<word>\w+)-?"
    ignoring_case, plain = int(re.I | re.U), int(re.U)
    assert found == [[pattern], pattern, ignoring_case, {"word": 1}, ["Ab", "c"], plain]


def test_entry_points_are_told(packages: Path) -> None:
    """So that nobody need open a file of each package."""
    found = run(packages, "print(json.dumps(import_pack.use_pack(pack)))")
    assert ["first", "sample:where", "some.group"] in found


def test_a_pack_is_left_where_packages_differ(packages: Path) -> None:
    """A package that came later may be another version of one in the pack."""
    (packages / "newer.py").write_text("")
    (packages / "sample.py").write_text("WORDS = 'new'\n")
    told = "print(json.dumps(import_pack.use_pack(pack)))"
    assert run(packages, told) is None
    code = "import_pack.use_pack(pack)\nimport sample\nprint(json.dumps(sample.WORDS))"
    assert run(packages, code) == "new"


def test_a_pack_is_left_by_another_python(packages: Path) -> None:
    """Code and compiled expressions are one Python's own."""
    told = "sys.version += '+'\nprint(json.dumps(import_pack.use_pack(pack)))"
    assert run(packages, told) is None


def test_without_a_pack_all_is_as_ever(packages: Path) -> None:
    """Such as where HexHub is developed."""
    (packages.parent / "pack").unlink()
    code = "before = list(sys.meta_path)\nprint(json.dumps([import_pack.use_pack(pack), "
    assert run(packages, code + "sys.meta_path == before]))") == [None, True]
