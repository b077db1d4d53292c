"""Runs in the student's process: import, call, and write the result to the descriptor for it.

Started by path with the system's Python, as the student's user; knows nothing of the tests. What it
writes is a claim of the student's side and is read as such.
"""

import importlib
import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def _load_values() -> Any:
    spec = importlib.util.spec_from_file_location(
        "_hexhub_values", Path(__file__).with_name("values.py")
    )
    if spec is None or spec.loader is None:
        raise ImportError("values.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
    place = ""
    frames = traceback.extract_tb(error.__traceback__)
    if isinstance(error, SyntaxError) and error.filename:
        place = f"{Path(error.filename).name}, line {error.lineno}"
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
    result = os.fdopen(int(os.environ.pop("HEXHUB_RESULT_FD")), "w", encoding="utf-8")
    calls = json.load(sys.stdin)
    sys.stdin = open(os.devnull)  # noqa: PTH123, SIM115 - stays open as long as the process
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    values = _load_values()
    sys.argv = [""]
    for call in calls:
        answer = _run_call(call, folder, values)
        result.write(json.dumps(answer) + "\n")
        result.flush()
        if "value" not in answer:
            break
    sys.stdout.flush()


if __name__ == "__main__":
    main()
