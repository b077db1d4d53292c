"""The web process: how it starts, refuses to start, and ends."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import httpx
import pytest
from click.testing import CliRunner

from hexhub.certificates import trusted_by
from hexhub.cli.web import web
from hexhub.errors import SetupError
from hexhub.service.app import serve
from hexhub.settings import Settings
from tests.ports import free_port

from .conftest import PREFIX
from .stub_hub import StubHub

COMMAND = [sys.executable, "-c", "from hexhub.cli.web import web; web()"]


def environment(settings: Settings, port: int, **more: str) -> dict[str, str]:
    """Give the environment of a web process."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("HEXHUB_", "JUPYTERHUB_"))},
        "HEXHUB_STATE": str(settings.state),
        "HEXHUB_SERVICE_URL": f"http://127.0.0.1:{port}",
        "JUPYTERHUB_API_URL": settings.hub_api_url,
        "JUPYTERHUB_API_TOKEN": settings.api_token,
        **more,
    }


async def until_it_answers(url: str) -> httpx.Response:
    """Wait until something answers at ``url`` and give the answer."""
    async with httpx.AsyncClient(trust_env=False, verify=trusted_by(url)) as client:
        for _ in range(300):
            try:
                return await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise AssertionError(f"nothing answers at {url}")


async def test_it_serves_both_addresses_and_ends_when_told(
    settings: Settings, stub: StubHub
) -> None:
    """Pages on one address, the API alone on the other; SIGTERM ends it with 0."""
    port, other_port = free_port(), free_port()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        env=environment(settings, port, HEXHUB_CONTAINER_LISTEN=f"127.0.0.1:{other_port}"),
        stderr=subprocess.PIPE,
    )
    try:
        page = await until_it_answers(f"http://127.0.0.1:{port}{PREFIX}")
        inner = await until_it_answers(f"http://127.0.0.1:{other_port}{PREFIX}")
        api = await until_it_answers(f"http://127.0.0.1:{other_port}{PREFIX}api/courses")
    finally:
        process.send_signal(signal.SIGTERM)
        _out, log = await asyncio.wait_for(process.communicate(), 20)

    assert (page.status_code, inner.status_code, api.status_code) == (302, 404, 403)
    assert process.returncode == 0, log.decode()
    assert page.headers["X-Request-Id"] in log.decode()
    assert settings.api_token not in log.decode()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"api_token": ""}, "has no token of JupyterHub"),
        ({"service_url": "http://127.0.0.1"}, "is no address to listen on"),
        ({"container_listen": "somewhere"}, "is no address to listen on"),
        ({"container_listen": "192.0.2.1:80"}, r"cannot listen on 192\.0\.2\.1:80"),
        ({"database_url": "mysql://x/y"}, "HexHub stores in SQLite or PostgreSQL"),
    ],
)
async def test_it_says_what_it_lacks(settings: Settings, more: dict[str, str], words: str) -> None:
    """A set-up that cannot work is refused at the start, in a sentence."""
    given = replace(settings, service_url=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(SetupError, match=words):
        await serve(replace(given, **more))


def test_it_says_that_its_port_is_taken(settings: Settings) -> None:
    """A port that another program has is named, and the process ends with 1."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = subprocess.run(
            COMMAND, env=environment(settings, port), capture_output=True, text=True, timeout=60
        )

    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_says_what_it_is() -> None:
    """``hexhub web --help`` says in a sentence what it does."""
    result = CliRunner().invoke(web, ["--help"])

    assert result.exit_code == 0
    assert "pages and the API" in result.output
