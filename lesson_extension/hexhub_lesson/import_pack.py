"""One file with the code of all modules that a start imports, and its regular expressions compiled.

``python -I -m hexhub_lesson.import_pack`` makes it, beside this module, as the last step of an
image; the entrypoint takes it, before it imports anything else.

Design choices: of the processor time that JupyterLab's 900 modules took, a third went into looking
for them in four folders, reading them, and compiling 300 regular expressions anew at each start.
What is kept here is what Python has made of the same files: the code that their ``.pyc`` hold, and
what ``re`` compiled. Modules are still run, by Python's own loader, under their own names and with
their own files, so that tracebacks, ``inspect`` and data files work. Weighed: a zip file (slower
than files: it looks up and unpacks), frozen modules (a Python of our own), leaving modules out
(``hexhub_lesson.lean_imports`` does, where nothing is lost), a process that forks (one container is
one server), restoring a process's memory (CRIU; needs rights that no machine has).

A pack is taken only by the Python that made it, and only while no package was added, replaced or
removed since: a lesson's image may install its own. Without a pack all is as ever, but slower.
"""

import importlib.machinery
import importlib.util
import marshal
import os
import re
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import CodeType, ModuleType
from typing import Any

PACK = os.path.join(os.path.dirname(__file__), "imports.pack")
"""Where the pack is: the image's, which no student but root can write."""

_HEAD_BYTES = 8

NamedEntry = tuple[str, str, str]
"""An entry point: its name, what it stands for, its group."""

_Place = tuple[str, bool, int, int]
"""Of a module: its file, whether it is a package, and where its code is in the pack; an extension
module has no code."""


def fits() -> object:
    """Give what must be the same when a pack is made and when it is taken.

    Packages come, change and go with an entry of their folder, of which images keep the time in
    whole seconds. What Python brings along changes with the date in its version.
    """
    packages = [path for path in sys.path if path.endswith("site-packages")]
    return [sys.version, sys.path, [int(os.stat(path).st_mtime) for path in packages]]


class PackedLoader(importlib.machinery.SourceFileLoader):
    """Python's own loader of a module's file, which has the code from the pack."""

    def __init__(self, fullname: str, path: str, read_code: Callable[[], bytes]) -> None:
        super().__init__(fullname, path)
        self._read_code = read_code

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - Python's signature
        """Give the module's code."""
        code: CodeType = marshal.loads(self._read_code())
        return code


class PackFinder:
    """Finds modules in a pack; a finder of ``sys.meta_path``."""

    def __init__(self, pack: int, start: int, places: dict[str, _Place]) -> None:
        """Keep where the modules are.

        Args:
            pack: The open file.
            start: Where code begins in it.
            places: Of the modules, by their names.
        """
        self._pack = pack
        self._start = start
        self._places = places

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - Python's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Give a module's spec; None for those that are not in the pack."""
        place = self._places.get(fullname)
        if place is None:
            return None
        file, is_package, offset, size = place
        if not size:
            extension = importlib.machinery.ExtensionFileLoader(fullname, file)
            return importlib.util.spec_from_file_location(fullname, file, loader=extension)
        loader = PackedLoader(
            fullname, file, lambda: os.pread(self._pack, size, self._start + offset)
        )
        folders = [os.path.dirname(file)] if is_package else None
        return importlib.util.spec_from_file_location(
            fullname, file, loader=loader, submodule_search_locations=folders
        )


def use_pack(file: str = PACK) -> list[NamedEntry] | None:
    """Have modules imported out of the pack from now on.

    Returns:
        The entry points of all packages; None where there is no pack, or none that fits.
    """
    try:
        pack = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    head_bytes = int.from_bytes(os.pread(pack, _HEAD_BYTES, 0))
    fit, places, patterns, entries = marshal.loads(os.pread(pack, head_bytes, _HEAD_BYTES))
    if fit != fits():
        os.close(pack)
        return None
    sys.meta_path.insert(0, PackFinder(pack, _HEAD_BYTES + head_bytes, places))
    _remember_patterns(patterns)
    return entries  # type: ignore[no-any-return]


def _remember_patterns(patterns: dict[Any, Any]) -> None:
    """Let ``re`` take what it has compiled once; anything else is compiled as ever."""
    inside: Any = re
    compile_anew, make = inside._compiler.compile, inside._compiler._sre.compile

    def compile_pattern(pattern: Any, flags: int = 0) -> Any:
        compiled = None
        if isinstance(pattern, str | bytes):
            compiled = patterns.get((pattern, int(flags)))
        return compile_anew(pattern, flags) if compiled is None else make(*compiled)

    inside._compiler.compile = compile_pattern


class _PatternsSeen:
    """Stands before ``re``'s own compiler and notes what it makes."""

    def __init__(self) -> None:
        self.patterns: dict[Any, Any] = {}
        inside: Any = re
        self._compiler = inside._compiler
        self._compile, self._sre = self._compiler.compile, self._compiler._sre
        self._made: tuple[Any, ...] = ()
        self._compiler.compile = self._note
        self._compiler._sre = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sre, name)

    def compile(self, *arguments: Any) -> Any:
        """Take the place of ``_sre.compile``."""
        self._made = arguments
        return self._sre.compile(*arguments)

    def _note(self, pattern: Any, flags: int = 0) -> Any:
        compiled = self._compile(pattern, flags)
        if isinstance(pattern, str | bytes):
            source, all_flags, code, groups, group_index, index_group = self._made
            self.patterns[pattern, int(flags)] = (
                source,
                int(all_flags),
                [int(part) for part in code],
                groups,
                dict(group_index),
                tuple(index_group),
            )
        return compiled


def find_entries() -> list[NamedEntry]:
    """Look for the entry points of all packages."""
    from importlib.metadata import distributions  # opens a file of each package

    points = (point for package in distributions() for point in package.entry_points)
    return [(point.name, point.value, point.group) for point in points]


def make_pack(load: Callable[[], None], file: str = PACK) -> None:
    """Write the pack of all modules that are there after ``load``, which imports them."""
    seen = _PatternsSeen()
    load()
    places: dict[str, _Place] = {}
    codes: list[bytes] = []
    offset = 0
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or spec.name != name or not spec.has_location:
            continue
        is_package = spec.submodule_search_locations is not None
        if isinstance(spec.loader, importlib.machinery.ExtensionFileLoader):
            places[name] = (spec.origin, is_package, 0, 0)
        elif isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            code = marshal.dumps(spec.loader.get_code(name))
            places[name] = (spec.origin, is_package, offset, len(code))
            codes.append(code)
            offset += len(code)
    head: Any = (fits(), places, seen.patterns, find_entries())
    head = marshal.dumps(head)
    with open(file, "wb") as pack:
        pack.write(len(head).to_bytes(_HEAD_BYTES))
        pack.write(head)
        pack.writelines(codes)


def _load_all() -> None:
    """Import what the process of a machine does, and what it needs once JupyterLab is opened."""
    importlib.import_module("hexhub_lesson.machine_process")
    importlib.import_module("hexhub_lesson.preloading").preload()


if __name__ == "__main__":
    make_pack(_load_all)
