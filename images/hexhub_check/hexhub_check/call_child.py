"""Runs in the student's process: import, call, and write the result to the descriptor for it.

Started by path with the system's Python, as the student's user; knows nothing of the tests. What it
writes is a claim of the student's side and is read as such.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import sys
from importlib.machinery import SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Each call starts a Python, and what it imports for nothing is most of what a small call takes:
# what only some calls need is imported where they need it.


def _load_values() -> Any:
    name = "_hexhub_values"
    path = os.path.join(os.path.dirname(__file__), "values.py")  # noqa: PTH118, PTH120
    module = sys.modules[name] = type(sys)(name)
    SourceFileLoader(name, path).exec_module(module)
    return module


def _import_ours(name: str, folder: str) -> Any:
    """Import a module of Python's, also where the student has a file of that name."""
    kept = list(sys.path)
    sys.path[:] = [place for place in kept if place != folder]
    try:
        return importlib.import_module(name)
    finally:
        sys.path[:] = kept


def _as_lists(form: Any) -> Any:
    """Turn tuples into lists all through an encoded value."""
    if isinstance(form, list):
        return [_as_lists(item) for item in form]
    if isinstance(form, dict):
        if form.get("$") == "tuple":
            return [_as_lists(item) for item in form["v"]]
        return {key: _as_lists(item) for key, item in form.items()}
    return form


def describe_error(error: BaseException, folder: str) -> dict[str, Any]:
    """Tell name, message, and the last line of the student's own files that took part."""
    traceback = _import_ours("traceback", folder)
    place = ""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{error.filename.rpartition('/')[2]}, line {error.lineno}"
    for frame in frames:
        if frame.filename.startswith(f"{folder}/") and not isinstance(error, SyntaxError):
            place = f"{frame.filename[len(folder) + 1 :]}, line {frame.lineno}"
    message = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    return {"type": type(error).__name__, "message": message[:1000], "place": place}


def _run_call(call: dict[str, Any], folder: str, values: Any) -> dict[str, Any]:
    module_name, _, function_name = call["target"].partition(":")
    try:
        module = importlib.import_module(module_name)
    except BaseException as error:  # noqa: BLE001 - whatever the student's module does is an answer
        stage = (
            "missing"
            if isinstance(error, ImportError)
            and (getattr(error, "name", None) == module_name and not error.__cause__)
            else "import"
        )
        return {"stage": stage, "error": describe_error(error, folder)}
    target: Any = module
    for part in function_name.split("."):
        if not hasattr(target, part):
            return {"stage": "lookup", "error": None}
        target = getattr(target, part)
    try:
        found = target(*values.decode(call["args"]), **values.decode(call["kwargs"]))
    except BaseException as error:  # noqa: BLE001 - whatever the student's function does is an answer
        return {"stage": "call", "error": describe_error(error, folder)}
    try:
        return {"stage": "done", "value": _as_lists(values.encode(found))}
    except values.NotPlain as error:
        return {"stage": "value", "error": {"message": str(error)}}
    except RecursionError:
        return {"stage": "value", "error": {"message": "data that contains itself"}}


def main() -> None:
    """Read calls from standard input; write one line of JSON for each."""
    is_through = False
    # Registered first, called last: nobody needs Python to take its own modules apart.
    atexit.register(lambda: os._exit(0) if is_through else None)
    result = os.fdopen(int(os.environ.pop("HEXHUB_RESULT_FD")), "w", encoding="utf-8")
    order = sys.stdin.read()
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - stays open as long as the process
    folder = os.getcwd()  # noqa: PTH109
    values = _load_values()
    if '"$"' in order:
        values.load_rare()
    sys.path.insert(0, folder)
    sys.argv = [""]
    for call in json.loads(order):
        answer = _run_call(call, folder, values)
        result.write(json.dumps(answer) + "\n")
        result.flush()
        if "value" not in answer:
            break
    sys.stdout.flush()
    sys.stderr.flush()
    is_through = True


if __name__ == "__main__":
    main()
