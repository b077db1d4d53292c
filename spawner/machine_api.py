"""What JupyterHub's API lacks for machines: their facts, reset and undo; below a server's address.

``GET …/users/{user}/servers/{server}/machine``, ``POST …/machine/reset``, ``POST …/machine/undo``.

Design choices: only the hub has both Docker and the word on whether a server runs, so that it is
the one that may put a machine aside. Weighed: a wish in the server's ``user_options`` (stays for
every later start, and a link in a page could carry it), a file that the spawner finds (no answer,
and nothing to read the facts from), a job for the worker (does not know whether the server is about
to start). JupyterHub calls ``extra_handlers`` deprecated in favour of services; a service has
neither the spawners nor their locks.
"""

import json
from collections.abc import Sequence
from typing import Any

from docker.errors import DockerException
from jupyterhub.apihandlers.base import APIHandler
from jupyterhub.scopes import needs_scope
from requests.exceptions import RequestException
from tornado.web import HTTPError

from hexhub.errors import NothingToUndo
from hexhub.machine_facts import facts_json

_SERVER = r"/api/users/([^/]+)/servers/([^/]+)"


class _MachineHandler(APIHandler):
    def _spawner(self, user_name: str, server_name: str) -> Any:
        user = self.find_user(user_name)
        if user is None or server_name not in user.orm_spawners:
            raise HTTPError(404)
        spawner = user.get_spawner(server_name)
        if not hasattr(spawner, "machine_facts"):
            raise HTTPError(404)
        return spawner

    def _stopped_spawner(self, user_name: str, server_name: str) -> Any:
        spawner = self._spawner(user_name, server_name)
        if spawner.active:
            raise HTTPError(409, f"{spawner._log_name} runs. Stop it first.")
        return spawner


class FactsHandler(_MachineHandler):
    """The facts of one machine."""

    @needs_scope("read:servers")
    async def get(self, user_name: str, server_name: str) -> None:
        """Give them as JSON."""
        spawner = self._spawner(user_name, server_name)
        try:
            facts = await spawner.machine_facts()
        except (TimeoutError, DockerException, RequestException, OSError) as exc:
            raise HTTPError(503, "Docker does not answer.") from exc
        self.write(json.dumps(facts_json(facts)))


class ResetHandler(_MachineHandler):
    """Reset of a machine that is stopped."""

    @needs_scope("delete:servers")
    async def post(self, user_name: str, server_name: str) -> None:
        """Put the machine aside; its server's next start makes a new one."""
        spawner = self._stopped_spawner(user_name, server_name)
        try:
            await spawner.put_aside()
        except (DockerException, RequestException, OSError) as exc:
            raise HTTPError(503, "Docker does not answer.") from exc
        self.set_status(204)


class UndoHandler(_MachineHandler):
    """Undo of a reset."""

    @needs_scope("delete:servers")
    async def post(self, user_name: str, server_name: str) -> None:
        """Put the machine back that was put aside last."""
        spawner = self._stopped_spawner(user_name, server_name)
        try:
            await spawner.take_back()
        except NothingToUndo as exc:
            raise HTTPError(410, str(exc)) from exc
        except (DockerException, RequestException, OSError) as exc:
            raise HTTPError(503, "Docker does not answer.") from exc
        self.set_status(204)


MACHINE_HANDLERS: Sequence[tuple[str, type[APIHandler]]] = (
    (f"{_SERVER}/machine", FactsHandler),
    (f"{_SERVER}/machine/reset", ResetHandler),
    (f"{_SERVER}/machine/undo", UndoHandler),
)
"""For ``c.JupyterHub.extra_handlers``."""
