"""The running web service of ``tests/server``, for cheats against it."""

from tests.server.conftest import context, service, settings, stub

__all__ = ["context", "service", "settings", "stub"]
