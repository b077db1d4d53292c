"""Keeps out of memory what the server's modules import and a lesson never uses.

Design choices: half of what a single-user server held was the hub's side of JupyterHub (its
database, with SQLAlchemy and Alembic, its spawners), which comes along because both sides share a
few small modules. Three ways were weighed. To leave the packages out of the image breaks the
imports. Stand-ins break whatever uses them after all. Taken: the modules are *late*, that is, they
are there under their names, and are loaded when something in them is asked for the first time, so
that nothing is lost, whatever an extension does. ``importlib.util.LazyLoader`` does not serve: it
loads a package as soon as one of its submodules is imported.

Two things are left out altogether, where an ``ImportError`` is foreseen and nothing is missed.
"""

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LATE = (
    "jupyterhub.orm",  # jupyterhub.scopes and .metrics name it in functions of the hub
    "jupyterhub.roles",  # so does jupyterhub.scopes
    "requests",  # only for lists of allowed extensions at an address (jupyterlab_server)
    "sqlalchemy",  # for jupyterhub.utils, its sqlalchemy.exc is enough
)
"""Modules that are loaded when they are used, and not when they are imported."""

LEFT_OUT = (
    # 0.9 s for a grammar of IRIs that no Jupyter schema uses; jsonschema imports it in a
    # suppress(ImportError): https://github.com/jupyter-server/jupyter_server/issues/1559
    "rfc3987_syntax",
    # The format "duration", with arrow and its time zones: likewise.
    "isoduration",
    # Without it aiohttp asks the system's resolver, in a thread; the hub has an address.
    "aiodns",
)
"""Modules that whoever imports them can do without."""


class LateModule(ModuleType):
    """A module that runs its code when the first name in it is asked for."""

    def __getattr__(self, name: str) -> Any:
        """Load the module, once, and give what was asked for."""
        # A submodule may be there before its package is: it is no reason to load the package.
        submodule = sys.modules.get(f"{self.__name__}.{name}")
        if submodule is not None:
            return submodule
        loader = self.__spec__.loader if self.__spec__ else None
        if name != "__path__" and isinstance(loader, LateLoader):
            loader.load(self)
        # Not super(): once loaded, this is a plain module.
        return ModuleType.__getattribute__(self, name)


class LateLoader(importlib.abc.Loader):
    """Makes the module at once and runs its code later."""

    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real
        self._lock = threading.RLock()
        self._is_loading = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python, or to the real loader."""
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Do not run the module's code yet, but when the first name in it is asked for."""
        module.__class__ = LateModule

    def load(self, module: ModuleType) -> None:
        """Run the module's code, once; other threads wait.

        Raises:
            Exception: What its code raises; the next use tries again.
        """
        with self._lock:
            # The module's own code asks its module too, in a circle of imports.
            if self._is_loading or not isinstance(module, LateModule):
                return
            self._is_loading = True
            try:
                self._real.exec_module(module)
            finally:
                self._is_loading = False
            if module.__spec__ is not None:
                module.__spec__.loader = module.__loader__ = self._real
            module.__class__ = ModuleType  # type: ignore[assignment] # wider, by intent


class LateFinder(importlib.abc.MetaPathFinder):
    """Finds the modules of a list, and sees to it that they are loaded late."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module's own spec with a late loader; None for all other modules."""
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LateLoader(spec.loader)
        return spec


def leave_out_hub_pages() -> None:
    """Let ``jupyterhub.log`` have a health check's class without the hub's pages around it.

    It imports the class to log those requests less loudly; only the hub serves any.
    """
    package = ModuleType("jupyterhub.handlers")
    package.__path__ = []
    pages = ModuleType("jupyterhub.handlers.pages")
    pages.HealthCheckHandler = type("HealthCheckHandler", (), {})  # type: ignore[attr-defined]
    sys.modules.setdefault(package.__name__, package)
    sys.modules.setdefault(pages.__name__, pages)


def import_less() -> None:
    """Arrange all of it, for this process; before the modules concerned are imported."""
    for name in LEFT_OUT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    leave_out_hub_pages()
    sys.meta_path.insert(0, LateFinder(LATE))
