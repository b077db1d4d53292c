"""The running web service of ``tests/server``, for cheats against it."""

from tests.server.conftest import context, laid_out, service, settings, stub

__all__ = ["context", "laid_out", "service", "settings", "stub"]
