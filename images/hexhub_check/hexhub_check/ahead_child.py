"""Imports first, then waits for its command: ``python -m hexhub_check.ahead_child WHAT``.

What is run finds itself where it would be without all this: ``sys.argv``, folder, environment and
standard input are those of a program that was started only now.
"""

import importlib
import json
import os
import runpy
import sys
from pathlib import Path


def _import_pytest() -> None:
    from _pytest import config

    # pytest imports these when it is configured. That list is no public name of pytest's: without
    # it they are imported later.
    for name in getattr(config, "default_plugins", ()):
        importlib.import_module(f"_pytest.{name}")
    importlib.import_module("hexhub_check.plugin")


def main() -> int:
    """Import, wait, run; give the exit code."""
    what = sys.argv[1]
    if what == "pytest":
        _import_pytest()
    else:
        importlib.import_module("hexhub_check.notebook")
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return 0
    told = json.loads(line)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    sys.argv[1:] = told["arguments"]
    if what == "pytest":
        # Whatever pip has written there: pytest's own way in is no public name either.
        runpy.run_path(str(Path(sys.executable).with_name("pytest")), run_name="__main__")
        return 0
    from hexhub_check import notebook

    return notebook.main()


if __name__ == "__main__":
    sys.exit(main())
