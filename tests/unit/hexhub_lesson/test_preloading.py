"""What is done before a student is there, and what is made good once one is."""

import asyncio
import sys

import pytest
from hexhub_lesson.preloading import hub_auth_config, read_again, talk_to_hub_later


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


async def test_the_hub_is_talked_to_later() -> None:
    """The start waits neither for the hub's version nor for the first report, which both come."""
    may_go_on = asyncio.Event()

    class Server:
        said: list[str]

        async def check_hub_version(self) -> None:
            self.said.append("version")

        async def keep_activity_updated(self) -> None:
            self.said.append("used")
            await may_go_on.wait()

    talk_to_hub_later(Server, after_s=0.05)
    server = Server()
    server.said = []
    await server.check_hub_version()
    reporting = asyncio.create_task(server.keep_activity_updated())
    await asyncio.sleep(0)
    assert server.said == []
    await server._hub_check  # type: ignore[attr-defined]
    may_go_on.set()
    await reporting
    assert sorted(server.said) == ["used", "version"]
