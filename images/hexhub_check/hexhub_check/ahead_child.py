"""Imports first, then waits for its command: ``python -m hexhub_check.ahead_child WHAT``.

What is run finds itself where it would be without all this: ``sys.argv``, folder, environment and
standard input are those of a program that was started only now.

Design choices, all of them since a small check is less work than what Python does around it:

- It ends by ``os._exit`` as the last thing that is done at Python's exit, when threads have ended,
  exit functions have run and all is written. Python would go on to take apart every module and
  object, for memory that the kernel frees anyway.
- What was imported is none of the garbage collector's business any more: pytest has it look through
  everything twice at its end.
- While nobody waits yet, more is done that a command is likely to need.
"""

import atexit
import contextlib
import gc
import importlib
import inspect
import json
import os
import runpy
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_LATE_MODULES = ("_pytest._argcomplete", "faulthandler", "pdb", "pkgutil")
"""pytest imports them when it is configured, and ``-q`` does not spare it."""


def _import_pytest() -> None:
    from _pytest import config

    # pytest imports these when it is configured. That list is no public name of pytest's: without
    # it they are imported later.
    for name in getattr(config, "default_plugins", ()):
        importlib.import_module(f"_pytest.{name}")
    importlib.import_module("hexhub_check.plugin")
    _in_idle_time(
        *(lambda name=name: importlib.import_module(name) for name in _LATE_MODULES),
        _compile_patterns,
        # Python's list of which file is which module, which the first traceback has it make.
        lambda: inspect.getmodule(compile("", "", "exec")),
    )


def _compile_patterns() -> None:
    from _pytest import junitxml

    # No public name either.
    getattr(junitxml, "bin_xml_escape", str)("")


def _in_idle_time(*steps: Callable[[], Any]) -> None:
    """Do the steps for as long as there is no command yet."""
    for step in steps:
        if select.select([0], [], [], 0)[0]:
            return
        with contextlib.suppress(ImportError):
            step()


class _Exit:
    """The end of this process, without what Python does for nobody."""

    def __init__(self) -> None:
        self._code: int | None = None
        # What is registered first is called last.
        atexit.register(self._leave)

    @contextlib.contextmanager
    def known(self) -> Iterator[None]:
        """Note the code with which the block leaves; what else raises is Python's to tell."""
        try:
            yield
        except SystemExit as leaving:
            if leaving.code is None or isinstance(leaving.code, int):
                self._code = leaving.code or 0
            raise

    def _leave(self) -> None:
        if self._code is None:
            return
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            return  # closed, gone or read by nobody: Python knows what to say
        os._exit(self._code & 0xFF)


def main() -> int:
    """Import, wait, run; give the exit code."""
    what = sys.argv[1]
    kernel = None
    gc.disable()
    if what == "pytest":
        _import_pytest()
    else:
        kernel = importlib.import_module("hexhub_check.notebook").prepare()
    gc.freeze()
    gc.enable()
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

    return notebook.main(kernel)


if __name__ == "__main__":
    with _Exit().known():
        sys.exit(main())
