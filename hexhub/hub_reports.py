"""What the hub tells HexHub's web service, which makes events of it: sign-ups, starts and stops.

Design choices: the hub must not wait for our database (DESIGN §3), so that it tells the service,
which has one, and goes on. Reports wait in memory while the service is away; each bears an id, by
which one that is sent twice is stored once. A hub that is killed loses what waits: an event about
a start or a stop is worth no file that both sides must agree on.
"""

import asyncio
import contextlib
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import httpx

from hexhub.certificates import trusted_by

MOST_WAITING = 1_000
_TIMEOUT_S = 10.0
_PAUSES_S = (0.5, 2.0, 10.0, 30.0)


class Log(Protocol):
    """What is needed of a logger."""

    def warning(self, message: str, *args: object) -> None:
        """Say what somebody should look at."""


class HubReports:
    """Reports on their way to the web service; used on one event loop."""

    def __init__(
        self,
        url: str,
        token: str,
        log: Log,
        *,
        pauses_s: tuple[float, ...] = _PAUSES_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare.

        Args:
            url: Below which reports are posted, with the last slash; empty: nobody is told.
            token: Of the service.
            log: Is told when reports are lost.
            pauses_s: Between tries, growing; the last one for ever.
            transport: Of httpx; None: the network.
        """
        self._url = url
        self._token = token
        self._log = log
        self._pauses_s = pauses_s
        self._transport = transport
        self._waiting: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def tell(self, what: str, **facts: str | int) -> None:
        """Have a report sent, soon; waits for nothing.

        Args:
            what: Kind of report, the last part of its address.
            **facts: What happened; id and time are added.
        """
        if not self._url:
            return
        if len(self._waiting) == MOST_WAITING:
            self._log.warning("HexHub's service is away for long: reports are lost")
        report = {"id": uuid.uuid4().hex, "at": datetime.now(UTC).isoformat(), **facts}
        self._waiting.append((what, report))
        self._news.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._send_for_ever())

    async def close(self) -> None:
        """Send no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _send_for_ever(self) -> None:
        async with httpx.AsyncClient(
            headers={"Authorization": f"token {self._token}"},
            timeout=_TIMEOUT_S,
            trust_env=False,
            verify=trusted_by(self._url),
            transport=self._transport,
        ) as client:
            failures = 0
            while True:
                while self._waiting:
                    report = self._waiting[0]
                    if await self._is_taken(client, report):
                        failures = 0
                        with contextlib.suppress(ValueError):  # pushed out by newer ones meanwhile
                            self._waiting.remove(report)
                        continue
                    pause_s = self._pauses_s[min(failures, len(self._pauses_s) - 1)]
                    failures += 1
                    await asyncio.sleep(pause_s)
                self._news.clear()
                await self._news.wait()

    async def _is_taken(
        self, client: httpx.AsyncClient, report: tuple[str, Mapping[str, Any]]
    ) -> bool:
        """Send one; True where another try would change nothing."""
        what, facts = report
        try:
            answer = await client.post(f"{self._url}{what}", json=facts)
        except httpx.HTTPError:
            return False
        if answer.is_success:
            return True
        if 400 <= answer.status_code < 500:
            self._log.warning("HexHub's service refuses a report: %s", answer.text[:300])
            return True
        return False
