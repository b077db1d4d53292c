"""JupyterHub's proxy, whose word on when a machine was last used is not taken.

The proxy counts every byte that passes, also what an open tab asks by itself and the answers to
pings, so that a machine would be in use as long as a browser shows it. Machines tell of their use
themselves (``hexhub_lesson.activity``). JupyterHub passes over routes that say nothing
(``app.update_last_activity``).
"""

from typing import Any

from jupyterhub.proxy import ConfigurableHTTPProxy


class MachineProxy(ConfigurableHTTPProxy):
    """configurable-http-proxy, without its times of last activity."""

    async def get_all_routes(self) -> dict[str, Any]:
        """Give the routes, as JupyterHub asks for them each minute."""
        routes: dict[str, Any] = await super().get_all_routes()
        for route in routes.values():
            route["data"].pop("last_activity", None)
        return routes
