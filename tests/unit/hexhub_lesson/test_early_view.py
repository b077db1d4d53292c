"""The terminal that a student has before JupyterLab: its page, its name, its language."""

import json
from pathlib import Path
from typing import Any

import jinja2
import jupyterlab
import pytest
from hexhub_lesson.early_view import (
    EarlyLoader,
    EarlyViews,
    first_terminal,
    page_locale,
    with_early_view,
)
from jupyterlab_server.workspaces_handler import WorkspacesManager
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

LAB_PAGE = Path(jupyterlab.__file__).parent / "static" / "index.html"
CONFIG = {
    "fullStaticUrl": "/user/ada/x/static/lab",
    "fullLabextensionsUrl": "/user/ada/x/lab/extensions",
}


def rendered(page: str, early: dict[str, str] | None) -> str:
    """Give the page as JupyterLab's server writes it."""
    loader = EarlyLoader(jinja2.DictLoader({"index.html": page}))
    environment = jinja2.Environment(loader=loader, autoescape=True)
    template = environment.get_template("index.html")
    return template.render(page_config={**CONFIG, "hexhubEarly": early}, base_url="/", ws_url="")


def test_jupyterlabs_own_page_begins_with_the_first_view():
    """The page of the JupyterLab that is installed here has its script where it is looked for."""
    early = {"version": "0123", "terminal": "1", "baseUrl": "/user/a'b</x/"}
    page = rendered(LAB_PAGE.read_text(), early)
    assert "/user/ada/x/lab/extensions/hexhub-lesson/static/early.js?v=0123" in page
    assert 'defer="defer" src="/user/ada/x/static/lab/main.' not in page
    assert 'script.src = "/user/ada/x/static/lab/main.' in page
    assert r'"/user/a\u0027b\u003c/x/terminals/websocket/1"' in page


def test_without_a_terminal_the_page_is_jupyterlabs():
    """A lesson that shows none loads JupyterLab at once."""
    page = rendered(LAB_PAGE.read_text(), None)
    assert '<script defer="defer" src="/user/ada/x/static/lab/main.' in page
    assert "early" not in page.replace("hexhubEarly", "")


def test_a_page_that_is_made_otherwise_is_left_alone():
    """A later JupyterLab opens all the same, without the first view."""
    page = '<script type="module" src="{{page_config.fullStaticUrl}}/main.1.js"></script>'
    assert with_early_view(page) == page


def layout(*areas: dict[str, Any]) -> dict[str, Any]:
    """Give a workspace with these areas beside each other."""
    dock = {"type": "split-area", "orientation": "horizontal", "sizes": [], "children": [*areas]}
    return {"layout-restorer:data": {"main": {"dock": dock, "current": ""}}}


def tabs(current: int, *widgets: str) -> dict[str, Any]:
    """Give an area with tabs."""
    return {"type": "tab-area", "currentIndex": current, "widgets": [*widgets]}


@pytest.mark.parametrize(
    ("workspace", "opens", "name"),
    [
        ({}, "alone", "1"),
        ({}, "beside", "1"),
        ({}, "", None),
        (layout(tabs(0, "editor:work/a.py"), tabs(0, "terminal:3")), "beside", "3"),
        (layout(tabs(0, "terminal:2", "terminal:1")), "", "2"),
        (layout(tabs(1, "terminal:2", "notebook:work/a.ipynb")), "alone", None),
        (layout(tabs(0, "editor:work/a.py")), "alone", None),
        (layout(tabs(0)), "alone", None),
        (layout(tabs(7, "terminal:2")), "alone", None),
        (layout(tabs(0, "terminal:../../x")), "alone", None),
        (layout({"type": "tab-area"}), "alone", None),
        ({"layout-restorer:data": {"main": {"dock": None}}}, "alone", None),
        ({"layout-restorer:data": {"main": [1]}}, "alone", None),
    ],
)
def test_the_terminal_is_the_one_that_jupyterlab_will_show(
    workspace: dict[str, Any], opens: str, name: str | None
):
    """The first one in front in the student's layout, or the lesson's own the first time."""
    assert first_terminal(workspace, opens) == name


class Terminals:
    """Stands for the server's terminal manager."""

    def __init__(self, *names: str, error: OSError | None = None) -> None:
        self.terminals = dict.fromkeys(names, None)
        self._error = error

    def create(self, *, name: str) -> None:
        """Start a shell."""
        if self._error is not None:
            raise self._error
        self.terminals[name] = None


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Give a folder with a built front end."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "early.js").write_text("1")
    (folder / "early.css").write_text("2")
    return folder


def test_the_shell_starts_while_the_page_is_written(tmp_path: Path, static: Path):
    """Under the name that the page connects to, and once."""
    terminals = Terminals()
    views = EarlyViews(terminals=terminals, opens="beside", static=static)
    made = views.make("/user/ada/x/", tmp_path)
    assert made is not None
    assert made | {"version": ""} == {
        "baseUrl": "/user/ada/x/",
        "terminal": "1",
        "beside": "beside",
        "version": "",
    }
    assert [*terminals.terminals] == ["1"]
    assert views.make("/user/ada/x/", tmp_path) == made
    assert [*terminals.terminals] == ["1"]


def test_the_students_layout_comes_before_the_lessons(tmp_path: Path, static: Path):
    """As JupyterLab has written it."""
    kept = {"data": layout(tabs(0, "terminal:5")), "metadata": {"id": "default"}}
    WorkspacesManager(str(tmp_path)).save("default", json.dumps(kept))
    terminals = Terminals()
    made = EarlyViews(terminals=terminals, opens="", static=static).make("/", tmp_path)
    assert made is not None
    assert made["terminal"] == "5"
    assert [*terminals.terminals] == ["5"]


@pytest.mark.parametrize("written", ["", "[]", "7", '{"data": 7}', '{"data": {}}', "{"])
def test_a_broken_layout_is_jupyterlabs_business(tmp_path: Path, static: Path, written: str):
    """No first view, and no error."""
    manager = WorkspacesManager(str(tmp_path))
    path = manager.save("default", '{"data": {}, "metadata": {"id": "default"}}')
    path.write_text(written)
    views = EarlyViews(terminals=Terminals(), opens="alone", static=static)
    assert views.make("/", tmp_path) is None


def test_no_first_view_where_no_shell_starts_or_nothing_was_built(tmp_path: Path, static: Path):
    """Without processes left; and in a JupyterLab that has no front end of ours."""
    full = Terminals(error=BlockingIOError("no process"))
    assert EarlyViews(terminals=full, opens="alone", static=static).make("/", tmp_path) is None
    unbuilt = EarlyViews(terminals=Terminals(), opens="alone", static=tmp_path / "none")
    assert unbuilt.make("/", tmp_path) is None


@pytest.mark.parametrize(
    ("headers", "query", "locale"),
    [
        ({}, "", ""),
        ({"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}, "", "ru"),
        ({"Accept-Language": "en"}, "?locale=ru", "ru"),
        ({"Accept-Language": "en", "Cookie": "hexhub_locale=ru"}, "?locale=en", "ru"),
        ({"Accept-Language": "*", "Cookie": "hexhub_locale="}, "?locale=%ff", ""),
        ({"Accept-Language": "englishman"}, "", ""),
    ],
)
def test_the_language_is_that_of_the_page(headers: dict[str, str], query: str, locale: str):
    """Chosen before, in the address, or the browser's; what is none of those is nothing."""
    line = RequestStartLine("GET", f"/lab{query}", "HTTP/1.1")
    request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "x"} | headers))
    assert page_locale(request) == locale
