"""Runs the student's cells and answers questions about what they defined.

Started by path with the system's Python, as the student's user; knows nothing of the tests. One
JSON line in, one out. What it writes is a claim of the student's side and is read as such.

It is started before the student's folder is there (:func:`hexhub_check.notebook.prepare`), and does
all of IPython's start then.
"""

import gc
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any


def _load_values() -> Any:
    path = Path(__file__).with_name("values.py")
    spec = importlib.util.spec_from_file_location("_hexhub_values", path)
    if spec is None or spec.loader is None:
        raise ImportError("values.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _start_shell() -> Any:
    gc.disable()
    # IPython would load it to complete what is typed: a sixth of its start, for nobody here.
    sys.modules["jedi"] = None  # type: ignore[assignment]
    from IPython.core.interactiveshell import InteractiveShell

    class Shell(InteractiveShell):  # type: ignore[misc]
        """IPython, which draws no tracebacks: they would go where nobody reads them."""

        def showtraceback(self, *_args: object, **_more: object) -> None:
            """Show nothing."""

        showsyntaxerror = showtraceback

    shell = Shell.instance()
    # What IPython loads and makes only for its first cell.
    shell.run_cell("pass", store_history=False)
    # The student's own code may well want it.
    del sys.modules["jedi"]
    gc.freeze()
    gc.enable()
    return shell


def _enter(folder: str, shell: Any) -> dict[str, Any]:
    """Have all that IPython remembers of the folder it was started in be the student's."""
    os.chdir(folder)
    shell.starting_dir = folder
    shell.user_ns["_dh"][:] = [Path(folder)]
    return {}


def _answer(asked: dict[str, Any], shell: Any, values: Any) -> dict[str, Any]:
    if asked["do"] == "enter":
        return _enter(asked["folder"], shell)
    if asked["do"] == "cell":
        ran = shell.run_cell(asked["source"], store_history=False)
        error = ran.error_before_exec or ran.error_in_exec
        return {} if error is None else {"error": f"{type(error).__name__}: {error}"[:1000]}
    if asked["name"] not in shell.user_ns:
        return {"missing": True}
    value = shell.user_ns[asked["name"]]
    if asked["do"] == "call":
        args = [values.decode(form) for form in asked["args"]]
        kwargs = {key: values.decode(form) for key, form in asked["kwargs"].items()}
        try:
            value = value(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever the student's code does is an answer
            return {"error": f"{type(error).__name__}: {error}"[:1000]}
    try:
        return {"value": values.encode(value)}
    except values.NotPlain:
        return {"callable": callable(value), "type": type(value).__name__}


def main() -> None:
    """Answer until the other side closes."""
    values = _load_values()
    values.load_rare()
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(int(os.environ.pop("HEXHUB_RESULT_FD")), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    shell = _start_shell()
    for line in questions:
        answers.write(json.dumps(_answer(json.loads(line), shell, values)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
