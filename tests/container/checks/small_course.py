"""A small course with both kinds of answers: files, and a script run in the machine."""

from pathlib import Path

FILES = {
    "course.yml": """\
schema: 1
title: {en: Small}
summary: {en: Two steps.}
locales: [en]
image: hexhub/base
lessons: [greet]
""",
    "lessons/greet/lesson.yml": """\
schema: 1
title: {en: Greet}
limits: {memory: 256M, cpus: 1.0, processes: 64, disk: 1G, idle: 30m}
network: none
open: [work/greet.py]
steps:
  - id: function
    check: {kind: files, run: pytest -q test_function.py, submit: [greet.py], timeout: 20s}
    hints:
      - after: {test: "test_function::test_name"}
  - id: server
    check: {kind: machine, run: pytest -q test_server.py, timeout: 20s}
  - id: read
""",
    "lessons/greet/en/README.md": "Theory.\n",
    "lessons/greet/en/steps/function.md": "# Write it\n\nText.\n",
    "lessons/greet/en/steps/server.md": "# Run it\n\nText.\n",
    "lessons/greet/en/steps/read.md": "# Read on\n\nText.\n",
    "lessons/greet/en/hints/function-1.md": "Return it.\n",
    "lessons/greet/starter/greet.py": "def greet(name):\n    return ''\n",
    "lessons/greet/checks/test_function.py": '''\
def test_name(student):
    """The name is in it."""
    assert "Ada" in student.call("greet:greet", "Ada"), "The name is missing."


def test_whole(student):
    """The whole greeting is right."""
    assert student.call("greet:greet", "Ada") == "Hello, Ada!"
''',
    "lessons/greet/checks/test_server.py": '''\
def test_mark(machine):
    """The mark is there."""
    assert machine.exists("mark"), "There is no mark."
''',
    "lessons/greet/solution/greet.py": "def greet(name):\n    return f'Hello, {name}!'\n",
    "lessons/greet/solution/solve.sh": "#!/bin/bash\nset -e\ntest -f greet.py\ntouch mark\n",
    "lessons/greet/wrong/no-comma/greet.py": "def greet(name):\n    return f'Hello {name}!'\n",
    "lessons/greet/wrong/no-comma/expect.yml": "fails:\n  function: [test_function::test_whole]\n",
    "lessons/greet/wrong/no-mark/solve.sh": "rm -f mark\n",
    "lessons/greet/wrong/no-mark/expect.yml": (
        "base: starter\nfails:\n  server: [test_server::test_mark]\n"
    ),
}

WITHOUT_WRONG: dict[str, str | None] = {
    path.removeprefix("lessons/greet/"): None for path in FILES if "/wrong/" in path
}
"""Changes that leave the wrong answers out: each has a machine, which takes seconds."""


def write_course(parent: Path, changes: dict[str, str | None] | None = None) -> Path:
    """Write the course below ``parent`` and give its folder.

    Args:
        parent: An existing folder.
        changes: Path below ``lessons/greet`` → other text, or None to leave the file out.
    """
    folder = parent / "small"
    files: dict[str, str | None] = dict(FILES)
    files |= {f"lessons/greet/{path}": text for path, text in (changes or {}).items()}
    for name, text in files.items():
        if text is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return folder
