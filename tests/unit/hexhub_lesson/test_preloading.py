"""What is done before a student is there, and what is made good once one is."""

import asyncio
import sys

import pytest
from hexhub_lesson.preloading import ask_hub_beside, hub_auth_config, read_again


def test_what_was_read_too_early_is_configured() -> None:
    """Only what the hub sent; anything else keeps JupyterHub's own default."""
    environment = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/x/", "JUPYTERHUB_SSL_KEYFILE": ""}
    assert hub_auth_config(environment) == {"HubAuth": {"base_url": "/user/ada/x/"}}
    assert hub_auth_config({}) == {"HubAuth": {}}


def test_settings_of_the_xsrf_id_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Functions that others have imported before see what is read anew."""
    import jupyterhub._xsrf_utils as xsrf

    name = "JUPYTERHUB_XSRF_ANONYMOUS_ID_HEADERS"
    with monkeypatch.context() as patch:
        patch.setenv(name, "X-One;X-Two")
        read_again({})
        assert xsrf._anonymous_id_headers == ["User-Agent"]
        read_again({name: "X-One;X-Two"})
        assert sys.modules["jupyterhub._xsrf_utils"] is xsrf
        assert xsrf._anonymous_xsrf_id.__globals__["_anonymous_id_headers"] == ["X-One", "X-Two"]
    read_again({name: ""})
    assert xsrf._anonymous_id_headers == ["User-Agent"]


async def test_the_hub_is_asked_beside() -> None:
    """The start does not wait for the hub's answer, which is waited for all the same."""
    answered = asyncio.Event()

    class Server:
        is_checked = False

        async def check_hub_version(self) -> None:
            await answered.wait()
            self.is_checked = True

    ask_hub_beside(Server)
    server = Server()
    await server.check_hub_version()
    assert not server.is_checked
    answered.set()
    await server._hub_check  # type: ignore[attr-defined]
    assert server.is_checked
