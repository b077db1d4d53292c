"""Modules that are loaded late: there at once, run when they are used, and then like any other."""

import importlib
import importlib.abc
import ssl
import sys
import threading
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType

import pytest
from hexhub_lesson.lean_imports import (
    LateFinder,
    LateModule,
    import_without_authorities,
    leave_out_hub_pages,
)

# Small modules of Python itself that nothing here uses.
MODULE, PACKAGE, SUBMODULE = "colorsys", "dbm", "dbm.dumb"


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.split(".")[0] in (MODULE, PACKAGE)]:
        monkeypatch.delitem(sys.modules, name)
    finder = LateFinder({MODULE: ("hls_to_rgb",), PACKAGE: ("error", "SomeError")})
    sys.meta_path.insert(0, finder)
    yield
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name.split(".")[0] in (MODULE, PACKAGE)]:
        del sys.modules[name]


@pytest.mark.usefixtures("late")
def test_a_late_module_runs_when_it_is_used() -> None:
    """Imported, it has run nothing; the first name that is asked for loads it."""
    module = importlib.import_module(MODULE)
    assert type(module) is LateModule
    assert "rgb_to_hsv" not in vars(module)
    assert vars(module)["hls_to_rgb"].__module__ != MODULE
    assert module.rgb_to_hsv(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert type(module) is ModuleType
    assert type(module.__loader__).__name__ == "SourceFileLoader"


@pytest.mark.usefixtures("late")
def test_a_submodule_does_not_load_its_package() -> None:
    """A part of a late package can be imported alone, also by 'from package import part'."""
    part = importlib.import_module(SUBMODULE)
    package = sys.modules[PACKAGE]
    assert type(part) is ModuleType
    assert package.dumb is part
    assert type(package) is LateModule
    assert callable(package.whichdb)
    assert type(package) is ModuleType


@pytest.mark.usefixtures("late")
def test_what_is_not_there_is_missing() -> None:
    """A name that the module does not have is an AttributeError, as ever."""
    module = importlib.import_module(MODULE)
    with pytest.raises(AttributeError, match="no_such_name"):
        module.no_such_name  # noqa: B018 - asking is the point
    with pytest.raises(AttributeError):
        module.__path__  # noqa: B018


@pytest.mark.usefixtures("late")
def test_a_module_that_fails_can_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """What its code raises reaches whoever used it first; the next use runs it again."""
    module = importlib.import_module(MODULE)
    spec = module.__spec__
    assert spec is not None
    assert spec.loader is not None
    real = spec.loader._real  # type: ignore[attr-defined]
    run = real.exec_module

    def fail(module: ModuleType) -> None:
        monkeypatch.setattr(real, "exec_module", run)
        raise ImportError(f"{module.__name__} is broken")

    monkeypatch.setattr(real, "exec_module", fail)
    with pytest.raises(ImportError, match="is broken"):
        module.rgb_to_hsv  # noqa: B018
    assert module.rgb_to_hsv(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)


@pytest.mark.usefixtures("late")
def test_a_name_that_is_taken_early_loads_it_when_it_is_called() -> None:
    """``from module import name`` does not load the module, and calls what it has."""
    module = importlib.import_module(MODULE)
    early = module.hls_to_rgb
    assert type(module) is LateModule
    assert early(0.0, 0.5, 0.0) == (0.5, 0.5, 0.5)
    assert type(module) is ModuleType
    assert module.hls_to_rgb is not early
    assert early(0.0, l=1.0, s=0.0) == (1.0, 1.0, 1.0)


@pytest.mark.usefixtures("late")
def test_an_error_that_is_taken_early_can_be_expected() -> None:
    """``except`` wants a class; whoever raises the real one has loaded the module."""
    module = importlib.import_module(PACKAGE)
    expected = module.SomeError
    assert type(module) is LateModule
    with pytest.raises(expected):
        raise expected


@pytest.mark.usefixtures("late")
def test_threads_load_it_once() -> None:
    """Threads that use it at the same moment wait for the one that loads it."""
    module = importlib.import_module(MODULE)
    gate = threading.Barrier(8)
    found: list[object] = []

    def use() -> None:
        gate.wait()
        found.append(module.hls_to_rgb)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


class ContextsMade(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds a module that makes a context while it is imported, as aiohttp does."""

    def find_spec(
        self,
        fullname: str,
        path: object,  # noqa: ARG002 - Python's signature
        target: object = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == "makes_contexts" else None

    def get_source(self, fullname: str) -> str:  # noqa: ARG002 - Python's signature
        return "import ssl\nverifying = ssl.create_default_context()\n"


def test_authorities_are_read_for_the_first_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that makes a context while it is imported trusts as many as it ever did."""
    monkeypatch.setattr(sys, "meta_path", [ContextsMade(), *sys.meta_path])
    import_without_authorities("makes_contexts")
    context = sys.modules.pop("makes_contexts").verifying
    usual = ssl.create_default_context()
    assert context.cert_store_stats() == {"x509": 0, "crl": 0, "x509_ca": 0}
    assert context.verify_mode is ssl.CERT_REQUIRED
    for _ in range(2):
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="hub.example.org")
        assert context.cert_store_stats() == usual.cert_store_stats()
    assert type(context) is type(usual)


def test_the_hubs_pages_are_left_out_only_where_they_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is imported already stays; else the health check is a class that nothing is of."""
    names = ("jupyterhub.handlers", "jupyterhub.handlers.pages")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    leave_out_hub_pages()
    pages = sys.modules[names[1]]
    assert isinstance(pages.HealthCheckHandler, type)
    leave_out_hub_pages()
    assert sys.modules[names[1]] is pages
    for name in names:
        del sys.modules[name]
