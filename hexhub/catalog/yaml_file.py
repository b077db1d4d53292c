"""One YAML file → one pydantic model, or problems with line numbers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from hexhub.errors import Problem

MAX_YAML_BYTES = 256 * 1024
Part = TypeVar("Part", bound=BaseModel)
_MAX_SHOWN = 60


def read_part(path: Path, name: str, model: type[Part], problems: list[Problem]) -> Part | None:
    """Read one YAML file into ``model``, adding what is wrong to ``problems``.

    Args:
        path: The file.
        name: How problems name it: its path relative to the course folder.
        model: Pydantic model of the whole file.
        problems: Is added to.

    Returns:
        The model, or None where anything is wrong.
    """
    try:
        if path.stat().st_size > MAX_YAML_BYTES:
            problems.append(Problem(name, None, "a large file", f"{MAX_YAML_BYTES} bytes at most"))
            return None
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(Problem(name, None, "no such file", "this file must be there"))
        return None
    except (OSError, UnicodeDecodeError) as exc:
        problems.append(Problem(name, None, f"an unreadable file ({exc})", "a UTF-8 text file"))
        return None
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark is not None else None
        found = " ".join(str(exc.problem or exc.context).split())
        problems.append(Problem(name, line, found, "YAML 1.2, each key once"))
        return None
    except YAMLError as exc:
        problems.append(Problem(name, None, " ".join(str(exc).split()), "YAML 1.2"))
        return None
    try:
        return model.model_validate(_plain(tree))
    except ValidationError as exc:
        for error in exc.errors():
            problems.append(_problem(name, tree, model, error))
        return None


def _plain(node: Any) -> Any:
    """Give the tree as plain dicts and lists, so that messages show no parser classes."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, Sequence) and not isinstance(node, str):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(tree: Any, loc: Sequence[str | int]) -> int | None:
    """Give the one-based line of the deepest node of ``loc`` that is in the file."""
    line: int | None = 1 if isinstance(tree, CommentedMap) else None
    node = tree
    for key in loc:
        if isinstance(node, CommentedMap) and key in node:
            line = node.lc.key(key)[0] + 1
            node = node[key]
        elif isinstance(node, CommentedSeq) and isinstance(key, int) and key < len(node):
            line = node.lc.item(key)[0] + 1
            node = node[key]
        elif isinstance(node, (CommentedMap, CommentedSeq)):
            # names of union branches are in pydantic's path, but not in the file
            continue
    return line


def _known_keys(model: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    """Give the keys that are allowed where ``loc``'s last key stands."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})

    def resolve(node: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            node = definitions[node["$ref"].rsplit("/", 1)[1]]
        if "allOf" in node:
            return resolve(node["allOf"][0])
        for branch in node.get("anyOf", []):
            resolved = resolve(branch)
            if "properties" in resolved or "items" in resolved:
                return resolved
        return node

    node = resolve(schema)
    for key in loc[:-1]:
        if isinstance(key, int):
            node = resolve(node.get("items", {}))
        elif key in node.get("properties", {}):
            node = resolve(node["properties"][key])
    return sorted(node.get("properties", {}))


def _problem(name: str, tree: Any, model: type[BaseModel], error: Any) -> Problem:
    loc: tuple[str | int, ...] = error["loc"]
    line = _line(tree, loc)
    key = next((part for part in reversed(loc) if isinstance(part, str)), "")
    place = f" at '{key}'" if key else ""
    if error["type"] == "extra_forbidden":
        allowed = ", ".join(_known_keys(model, loc))
        return Problem(name, line, f"unknown key '{loc[-1]}'", f"the keys {allowed}")
    if error["type"] == "missing":
        return Problem(name, line, f"no key '{loc[-1]}'", f"'{loc[-1]}' must be given")
    shown = repr(error["input"])
    if len(shown) > _MAX_SHOWN:
        shown = f"{shown[:_MAX_SHOWN]}…"
    allowed = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    return Problem(name, line, f"{shown}{place}", allowed)
