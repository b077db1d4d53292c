"""Requests to the hub's API, for this one lesson, with this server's own token.

Design choices: aiohttp, which JupyterHub brings along, and not tornado's client: cancelling a
request of tornado's leaves its connection open until the time limit, so that a few closed browser
tabs would use up its ten connections with waiting requests.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

MAX_ANSWER_BYTES = 8 * 1024**2
"""Largest answer that is handed on; a solution with all its files is the biggest there is."""

MAX_WAIT_S = 25
"""Longest wait that the API offers; below the 30 s after which proxies start to give up."""

TIMEOUT_S = 20.0
CONNECT_TIMEOUT_S = 5.0


class HubUnreachable(Exception):
    """The hub does not answer, or what answers is not the API. The message is for the student."""

    code = "hub_unreachable"


@dataclass(frozen=True)
class HubAddress:
    """Where this lesson lives on the hub.

    Attributes:
        api_url: Base of API v1, with a slash at its end; empty where no hub started this server.
        token: The server's own token; it names student and lesson to the API.
        course, lesson: Names, as in the API's paths.
    """

    api_url: str
    token: str
    course: str
    lesson: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "HubAddress":
        """Read ``HEXHUB_API_URL``, ``_COURSE``, ``_LESSON`` and ``JUPYTERHUB_API_TOKEN``."""
        api_url = environment.get("HEXHUB_API_URL", "")
        return cls(
            api_url=api_url and api_url.rstrip("/") + "/",
            token=environment.get("JUPYTERHUB_API_TOKEN", ""),
            course=environment.get("HEXHUB_COURSE", ""),
            lesson=environment.get("HEXHUB_LESSON", ""),
        )


@dataclass(frozen=True)
class Answer:
    """What the API answered: an HTTP status, JSON, and when to come again (``Retry-After``)."""

    status: int
    body: bytes
    retry_after: str = ""


class HubClient:
    """Sends requests about one lesson. Made and used on the event loop of the server."""

    def __init__(self, address: HubAddress) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def request(
        self, method: str, path: str, query: Mapping[str, str], *, body: bytes | None = None
    ) -> Answer:
        """Give the API's answer, whatever its status; closes the connection when cancelled.

        Args:
            method: ``GET`` or ``POST``.
            path: Below the API's base; ``{course}`` and ``{lesson}`` are filled in.
            query: Query of the request; ``wait`` makes the time limit longer by as many seconds.
            body: JSON, or None for a request without one.

        Raises:
            HubUnreachable: No connection, no answer in time, or an answer that is not JSON.
        """
        address = self._address
        if not (address.api_url and address.course and address.lesson):
            raise HubUnreachable(
                "This server was not started by HexHub, so that it has no lesson. "
                "Open the lesson from the course page."
            )
        url = address.api_url + path.format(course=address.course, lesson=address.lesson)
        timeout = aiohttp.ClientTimeout(
            total=TIMEOUT_S + float(query.get("wait", 0)), sock_connect=CONNECT_TIMEOUT_S
        )
        try:
            async with self._open_session().request(
                method,
                url,
                params=query,
                data=body,
                headers={
                    "Authorization": f"token {address.token}",
                    "Accept": "application/json",
                    **({} if body is None else {"Content-Type": "application/json"}),
                },
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                answer = await _read_bounded(response)
        except (aiohttp.ClientError, OSError) as exc:
            raise HubUnreachable(
                "The hub does not answer. Your work is safe on this machine; try again in a moment."
            ) from exc
        if not _is_json(answer):
            raise HubUnreachable(
                f"The hub's address answers with status {response.status}, but not as the API "
                "does. It may be starting; try again in a moment."
            )
        return Answer(response.status, answer, response.headers.get("Retry-After", ""))

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            # No cookies are kept, no proxy is taken from the environment, and any number of
            # waiting requests may be open at one time.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise aiohttp.ClientPayloadError(f"more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
