"""The terminal that a student has before JupyterLab has started in their browser.

JupyterLab needs seconds of a browser's time, a shell none. The page of JupyterLab is therefore
given a script before its own (``src/early``), which shows a terminal where JupyterLab will have
one, connected to the shell that JupyterLab's terminal will be connected to; the plugin then puts
JupyterLab's terminal in its place.

Design choices: JupyterLab's page is changed as it is read, in one place, and left alone where that
place is not found, so that a new JupyterLab still opens, if later. A page of our own would have to
follow JupyterLab's with each version. The shell is started while the page is written: asking for
it from the page would cost two more trips to a server that is known by then.
"""

import hashlib
import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, BytecodeCache, Environment
from jupyterlab_server.workspaces_handler import WorkspacesManager
from tornado.httputil import HTTPServerRequest

OPENS_VARIABLE = "HEXHUB_TERMINAL_AT_FIRST"
"""What the hub tells of a lesson's ``open``: ``alone``, ``beside`` (files), or nothing."""

PAGE = "index.html"
"""Name of JupyterLab's page among its templates."""

FIRST_TERMINAL = "1"
"""Name that a lesson's first terminal has, as Jupyter counts them."""

STATIC = Path(sys.prefix, "share", "jupyter", "labextensions", "hexhub-lesson", "static")
"""Where the built front end is installed."""

NARROW_PAGE_PX = 700
"""Width of a page below which the lesson comes first and no terminal is seen (``place.ts``)."""

_LAB_SCRIPT = re.compile(
    r'<script defer="defer" src="(\{\{page_config\.fullStaticUrl\}\}/main\.[^"]+)"></script>'
)
_LOCALE_COOKIE = "hexhub_locale"
_LANGUAGE = re.compile(r"([a-z]{2,3})(?![A-Za-z])")
_LAYOUT = "layout-restorer:data"
_TERMINAL = re.compile(r"terminal:([A-Za-z0-9_-]{1,64})")
_PAGE = """\
{% set early = page_config.hexhubEarly %}\
{% if early %}
<link rel="stylesheet" \
href="{{ page_config.fullLabextensionsUrl }}/hexhub-lesson/static/early.css?v={{ early.version }}">
<script>
  // The terminal is asked for before there is anything to draw it with.
  if (window.innerWidth >= __NARROW__) {
    var terminal = new URL(
      {{ (early.baseUrl ~ 'terminals/websocket/' ~ early.terminal) | tojson }}, location.href);
    terminal.protocol = terminal.protocol === 'https:' ? 'wss:' : 'ws:';
    window.hexhubSocket = { socket: new WebSocket(terminal.href), said: [] };
    window.hexhubSocket.socket.onmessage = function (event) {
      window.hexhubSocket.said.push(event.data);
    };
  }
  var hexhubLabStarts = false;
  window.hexhubStartLab = function () {
    if (hexhubLabStarts) return;
    hexhubLabStarts = true;
    // JupyterLab waits for the page to be loaded, which it may be by now.
    var listen = window.addEventListener;
    window.addEventListener = function (kind, listener) {
      if (kind === 'load' && document.readyState === 'complete') {
        setTimeout(listener, 0);
      } else {
        listen.apply(window, arguments);
      }
    };
    var script = document.createElement('script');
    script.src = "__LAB__";
    document.head.append(script);
  };
  window.hexhubNoView = function () {
    if (window.hexhubSocket) window.hexhubSocket.socket.close();
    window.hexhubStartLab();
  };
  window.hexhubFetchLab = function () {
    var link = document.createElement('link');
    link.rel = 'preload';
    link.as = 'script';
    link.href = "__LAB__";
    document.head.append(link);
  };
</script>
<script defer src="{{ page_config.fullLabextensionsUrl }}/hexhub-lesson/static/early.js\
?v={{ early.version }}" onerror="window.hexhubNoView()"></script>
{% else %}__ORIGINAL__{% endif %}"""


def with_early_view(page: str) -> str:
    """Give JupyterLab's page, a template of Jinja, with the first view before JupyterLab's script.

    Args:
        page: ``index.html`` of JupyterLab. Where its script is not found, it is given unchanged.
    """

    def replace(found: re.Match[str]) -> str:
        page = _PAGE.replace("__LAB__", found[1]).replace("__ORIGINAL__", found[0])
        return page.replace("__NARROW__", str(NARROW_PAGE_PX))

    return _LAB_SCRIPT.sub(replace, page, count=1)


class EarlyLoader(BaseLoader):
    """Reads JupyterLab's templates, and changes the page."""

    def __init__(self, real: BaseLoader) -> None:
        self._real = real

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        """Give a template's source as Jinja wants it."""
        source, path, is_current = self._real.get_source(environment, template)
        return with_early_view(source) if template == PAGE else source, path, is_current


def first_terminal(workspace: Mapping[str, Any], opens: str) -> str | None:
    """Give the name of the terminal that JupyterLab will show, or None where it shows none.

    Args:
        workspace: ``data`` of JupyterLab's workspace; written by the student's browser.
        opens: ``alone`` or ``beside`` where the lesson opens with a terminal.
    """
    layout = workspace.get(_LAYOUT)
    if not isinstance(layout, dict):
        return FIRST_TERMINAL if opens else None
    try:
        return _shown_terminal(layout["main"]["dock"])
    except (KeyError, IndexError, TypeError, RecursionError):
        return None


def _shown_terminal(area: Any) -> str | None:
    """Give the first terminal that is in front in an area of the dock."""
    if area["type"] == "tab-area":
        widgets = area["widgets"]
        found = _TERMINAL.fullmatch(str(widgets[area["currentIndex"]])) if widgets else None
        return found[1] if found else None
    shown = (_shown_terminal(child) for child in area["children"])
    return next((name for name in shown if name is not None), None)


class EarlyViews:
    """Makes the first views of one server's pages."""

    def __init__(self, *, terminals: Any, opens: str, static: Path = STATIC) -> None:
        """Prepare.

        Args:
            terminals: The server's terminal manager.
            opens: See :data:`OPENS_VARIABLE`.
            static: Where ``early.js`` and ``early.css`` are.
        """
        self._terminals = terminals
        self._opens = opens if opens in ("alone", "beside") else ""
        self._version = _version_of(static)

    def make(self, base_url: str, workspaces: Path) -> dict[str, str] | None:
        """Start the shell of the terminal that JupyterLab will show, where it will show one.

        Args:
            base_url: Path of the server, with slashes around it.
            workspaces: Folder of JupyterLab's workspaces.

        Returns:
            What ``src/early/index.ts`` is told; None where JupyterLab will show no terminal, or no
            shell could be started.
        """
        name = first_terminal(_read_workspace(workspaces), self._opens) if self._version else None
        if name is None:
            return None
        if name not in self._terminals.terminals:
            try:
                self._terminals.create(name=name)
            except OSError as exc:  # no process is left, or no pseudo-terminal
                logging.getLogger(__name__).warning("No shell for the first view: %s", exc)
                return None
        return {
            "baseUrl": base_url,
            "terminal": name,
            "beside": self._opens or "alone",
            "version": self._version,
        }


def _read_workspace(folder: Path) -> dict[str, Any]:
    """Read the student's layout; one that cannot be read is for JupyterLab to complain of."""
    try:
        data = WorkspacesManager(str(folder)).load("default").get("data")
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return {_LAYOUT: {}}
    return data if isinstance(data, dict) else {_LAYOUT: {}}


def _version_of(static: Path) -> str:
    """Give a short hash of the first view's files; empty where they were not built."""
    try:
        files = [(static / name).read_bytes() for name in ("early.js", "early.css")]
    except OSError:
        return ""
    return hashlib.sha256(b"".join(files)).hexdigest()[:16]


def page_locale(request: HTTPServerRequest) -> str:
    """Give the language that a page is asked for in, as ``src/locale.ts`` finds it; or nothing."""
    cookie = request.cookies.get(_LOCALE_COOKIE)
    said = (
        cookie.value if cookie is not None else "",
        request.query_arguments.get("locale", [b""])[-1].decode(errors="replace"),
        request.headers.get("Accept-Language", ""),
    )
    found = (_LANGUAGE.match(text.strip()) for text in said)
    return next((match[1] for match in found if match is not None), "")


def add_early_view(
    settings: MutableMapping[str, Any],
    views: EarlyViews,
    on_page: Callable[[HTTPServerRequest], None],
    code: BytecodeCache | None = None,
) -> None:
    """Let JupyterLab's page begin with the first view.

    Args:
        settings: Of the server's web application, JupyterLab's extension being loaded.
        views: Asked for each page.
        on_page: Is called for each page, and before the shell of a first view is started.
        code: May have the page compiled already.
    """
    environment: Environment | None = settings.get("lab_jinja2_env")
    if environment is None or environment.loader is None:
        return
    environment.loader = EarlyLoader(environment.loader)
    environment.bytecode_cache = code
    others = settings.get("page_config_hook")

    def hook(handler: Any, page_config: dict[str, Any]) -> dict[str, Any]:
        config: dict[str, Any] = others(handler, page_config) if others else page_config
        asked = handler.path_kwargs
        # One dict serves all pages.
        config["hexhubEarly"] = None
        on_page(handler.request)
        if asked.get("mode") == "lab" and asked.get("workspace") is None:
            config["hexhubEarly"] = views.make(
                settings["base_url"], Path(handler.extensionapp.workspaces_dir)
            )
        return config

    settings["page_config_hook"] = hook
