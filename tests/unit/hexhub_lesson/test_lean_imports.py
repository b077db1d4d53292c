"""Modules that are loaded late: there at once, run when they are used, and then like any other."""

import importlib
import sys
import threading
from collections.abc import Iterator
from types import ModuleType

import pytest
from hexhub_lesson.lean_imports import LateFinder, LateModule, leave_out_hub_pages

# Small modules of Python itself that nothing here uses.
MODULE, PACKAGE, SUBMODULE = "colorsys", "dbm", "dbm.dumb"


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in sys.modules if name.split(".")[0] in (MODULE, PACKAGE)]:
        monkeypatch.delitem(sys.modules, name)
    finder = LateFinder([MODULE, PACKAGE])
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
