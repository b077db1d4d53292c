"""What of the server's start is done before anybody waits for it.

Design choices: what can be imported or computed without a student is; what reads the hub's
environment while it is imported is either told afterwards, in the way that it can be configured, or
read again. Initializing the whole server ahead, with names to be exchanged later, was left out: too
much in Jupyter keeps what it has once been given.
"""

import asyncio
import gc
import importlib
import importlib.metadata
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

from hexhub_lesson.import_pack import NamedEntry, find_entries
from hexhub_lesson.lean_imports import import_less, import_without_authorities

PRELOADED = (
    "jupyterhub.scopes",
    "jupyterhub.httpclient",
    "jupyterhub.log",
    "jupyterhub.utils",
    # Imported by jupyterhub.singleuser, in the end.
    "jupyter_core.migrate",
    "tornado.platform.asyncio",
    "jupyter_server.serverapp",
    "jupyter_server.auth.logout",
    "jupyter_server.extension.application",
    "jupyter_server.terminal",
    "jupyter_server_proxy",
    "jupyter_server_terminals.api_handlers",
    "jupyter_server_terminals.app",
    "jupyter_server_terminals.handlers",
    "jupyterlab",
    "jupyterlab.handlers.announcements",
    "jupyterlab.labapp",
    "jinja2.ext",
    "terminado",
    "hexhub_lesson.app",
    "hexhub_lesson.kernels",
    "hexhub_lesson.terminals",
    # These read the environment when they are imported: see ``hub_auth_config`` and ``read_again``.
    "jupyterhub.services.auth",
    "jupyterhub.singleuser.extension",
)

HUB_AFTER_S = 10.0
"""Seconds after a start at which the machine tells the hub what nobody waits for."""

AS_EXTENSION = {"JUPYTERHUB_SINGLEUSER_EXTENSION": "1"}
"""Which kind of single-user server ``jupyterhub.singleuser`` imports."""

_READ_TOO_EARLY = {
    "base_url": "JUPYTERHUB_SERVICE_PREFIX",
    "keyfile": "JUPYTERHUB_SSL_KEYFILE",
    "certfile": "JUPYTERHUB_SSL_CERTFILE",
    "client_ca": "JUPYTERHUB_SSL_CLIENT_CA",
}
"""Traits of ``HubAuth`` whose default is read from the environment when the class is made."""


def preload(entries: Sequence[NamedEntry] | None = None) -> None:
    """Import everything slow, and compute what is the same for all students.

    Args:
        entries: The entry points of all packages; None: they are looked for.
    """
    import_less()
    _remember_entry_points(entries)
    import_without_authorities("aiohttp.connector")
    from jupyter_server.serverapp import JUPYTER_SERVICE_HANDLERS

    os.environ.update(AS_EXTENSION)
    services = (name for names in JUPYTER_SERVICE_HANDLERS.values() for name in names or ())
    for name in (*PRELOADED, *services):
        importlib.import_module(name)
    _check_event_schemas()
    _compile_page()
    # What is there by now stays: it is never looked through for what is not used any more.
    gc.freeze()


def hub_auth_config(environment: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Give the configuration that says what was not in the environment when it was first read."""
    found = {trait: environment.get(name) for trait, name in _READ_TOO_EARLY.items()}
    return {"HubAuth": {trait: value for trait, value in found.items() if value}}


def read_again(environment: Mapping[str, str]) -> None:
    """Import again, in its place, what read the environment and cannot be configured."""
    if any(name.startswith("JUPYTERHUB_XSRF_") for name in environment):
        importlib.reload(importlib.import_module("jupyterhub._xsrf_utils"))


def talk_to_hub_later(server_class: Any, after_s: float = HUB_AFTER_S) -> None:
    """Have what nobody waits for said to the hub when the student's page is there.

    At once, it would take the hub's time from the start of this very machine, and of others.

    Args:
        server_class: ``JupyterHubSingleUser``: it asks for the hub's version, and where no hub
            answers, it still ends the process; and it reports again and again that it is used.
        after_s: Seconds after the start.
    """
    check, report = server_class.check_hub_version, server_class.keep_activity_updated

    async def check_later(self: Any) -> None:
        await asyncio.sleep(after_s)
        await check(self)

    async def begin(self: Any) -> None:
        self._hub_check = asyncio.ensure_future(check_later(self))

    async def report_later(self: Any) -> None:
        await asyncio.sleep(after_s)
        await report(self)

    server_class.check_hub_version = begin
    server_class.keep_activity_updated = report_later


def _check_event_schemas() -> None:
    """Check Jupyter's own schemas once; what that looks up and makes is found again later."""
    from jupyter_events import EventLogger
    from jupyter_server import DEFAULT_EVENTS_SCHEMA_PATH

    logger = EventLogger()
    for path in DEFAULT_EVENTS_SCHEMA_PATH.rglob("*.yaml"):
        logger.register_event_schema(path)


def _compile_page() -> None:
    from hexhub_lesson.page_code import PAGE_CODE, compile_page

    compile_page(PAGE_CODE)


def _remember_entry_points(entries: Sequence[NamedEntry] | None) -> None:
    """Let whoever asks for entry points have those that are there now.

    To find them, Python opens a file of each package, each time. This process sees only the image's
    packages.
    """
    found = find_entries() if entries is None else entries
    points = EntryPoints(EntryPoint(*entry) for entry in found)
    changed: Any = importlib.metadata
    changed.entry_points = points.select
