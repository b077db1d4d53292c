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

import importlib
import importlib.abc
import importlib.machinery
import ssl
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

LATE: Mapping[str, tuple[str, ...]] = {
    "dateutil.parser": ("isoparse",),  # for dates in the messages of kernels
    "dateutil.tz": ("tzlocal",),
    "jupyterhub.orm": (),  # jupyterhub.scopes and .metrics name it in functions of the hub
    "jupyterhub.roles": (),  # so does jupyterhub.scopes
    "jupyterlab.extensions.pypi": ("PyPIExtensionManager",),  # the server's is "readonly"
    # Notebooks of 2014 and before.
    "nbformat.v1": (),
    "nbformat.v2": (),
    "nbformat.v3": (),
    "requests": (),  # only for lists of allowed extensions at an address (jupyterlab_server)
    "sqlalchemy": (),
    "sqlalchemy.exc": ("SQLAlchemyError",),  # jupyterhub.utils expects it of the hub's database
    "websocket": (),  # for kernels behind a gateway
}
"""Modules that are loaded when they are used, and not when they are imported.

Beside each stand the names that others take out of it while they are imported: functions and
classes that are called later, and errors. Such a name stands for the real one, which it loads when
it is called.
"""

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

    def __init__(self, real: importlib.abc.Loader, names: Sequence[str] = ()) -> None:
        """Keep what is needed later.

        Args:
            real: Python's own loader of the module.
            names: Of functions, classes and errors in it that others take before it is loaded.
        """
        self._real = real
        self._names = names
        self._lock = threading.RLock()
        self._is_loading = False

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python, or to the real loader."""
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Do not run the module's code yet, but when the first name in it is asked for."""
        for name in self._names:
            setattr(module, name, self._stand_in(module, name))
        module.__class__ = LateModule

    def _stand_in(self, module: ModuleType, name: str) -> object:
        if name.endswith("Error"):
            return type(name, (Exception,), {})  # nobody raises it before the module is loaded

        def call(*args: Any, **kwargs: Any) -> Any:
            self.load(module)
            return getattr(module, name)(*args, **kwargs)

        return call

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

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        """Keep the list: of modules, and of the names that are taken out of them early."""
        self._names = names

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the module's own spec with a late loader; None for all other modules."""
        if fullname not in self._names:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LateLoader(spec.loader, self._names[fullname])
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


class LateAuthorities(ssl.SSLContext):
    """A context that reads the certificates of the authorities for its first connection."""

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio does it."""
        self._read()
        return self.wrap_bio(*args, **kwargs)

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        """Begin a connection on a socket."""
        self._read()
        return self.wrap_socket(*args, **kwargs)

    def _read(self) -> None:
        self.__class__ = ssl.SSLContext  # type: ignore[assignment] # what it was made as
        self.set_default_verify_paths()


def import_without_authorities(name: str) -> None:
    """Import a module that makes contexts at once; what they trust is read when they are used.

    aiohttp's two take 25 ms, and a machine mostly speaks to its hub without encryption.
    """
    made: list[ssl.SSLContext] = []

    def note(context: ssl.SSLContext) -> None:
        made.append(context)

    ssl.SSLContext.set_default_verify_paths = note  # type: ignore[method-assign,assignment]
    try:
        importlib.import_module(name)
    finally:
        del ssl.SSLContext.set_default_verify_paths  # it stood before that of its parent
    for context in made:
        context.__class__ = LateAuthorities


def import_less() -> None:
    """Arrange all of it, for this process; before the modules concerned are imported."""
    for name in LEFT_OUT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    leave_out_hub_pages()
    sys.meta_path.insert(0, LateFinder(LATE))
