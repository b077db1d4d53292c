"""API v1: attempts, their results, and their end."""

import asyncio
import time

from hexhub.errors import AttemptNotFound
from hexhub.progress.model import AttemptState
from hexhub.service import wire
from hexhub.service.handlers import ApiHandler
from hexhub.usecases.cancel_attempt import cancel_attempt
from hexhub.usecases.start_next_lesson import start_next_lesson
from hexhub.usecases.submit_attempt import submit_attempt

_PAUSES_S = ((2.0, 0.1), (8.0, 0.25), (60.0, 0.5))
"""A waiting request looks this often: (until so many seconds have passed, pause)."""


class AttemptsHandler(ApiHandler):
    """Attempts at a step."""

    arguments_allowed = ("key", "locale")

    async def post(self, course: str, lesson: str, step: str) -> None:
        """Queue an attempt (201), or join the one that waits or runs (200)."""
        key = wire.read_key(self.values.get("key"))
        found, _there, place = await self.lesson(course, lesson)
        attempt, is_new = await self.run(
            submit_attempt, self.context.store, self.context.catalog, place, step, key
        )
        locale = self.locale_for(found.locales)
        answer = await self.run(self.context.attempt_answer, attempt, locale)
        self.write_json(answer, 201 if is_new else 200)


class AttemptHandler(ApiHandler):
    """One attempt."""

    arguments_allowed = ("locale", "wait")

    async def get(self, attempt_id: str) -> None:
        """Give the attempt; with ``wait``, when it is done or so many seconds have passed."""
        started = time.monotonic()
        wait_s = wire.read_wait_s(self.values.get("wait"))
        attempt = await self.run(self.context.store.attempt, attempt_id)
        place = attempt.place
        if place.user != self.identity.user:
            raise AttemptNotFound(f"No attempt '{attempt_id}'. Press Check to make a new one.")
        found, _there, _place = await self.lesson(place.course, place.lesson)
        locale = self.locale_for(found.locales)
        while attempt.state is not AttemptState.DONE and not self.is_gone:
            waited_s = time.monotonic() - started
            if waited_s >= wait_s:
                break
            pause_s = next(pause for until, pause in _PAUSES_S if waited_s < until)
            await asyncio.sleep(min(pause_s, wait_s - waited_s))
            attempt = await self.run(self.context.store.attempt, attempt_id)
        self.write_json(await self.run(self.context.attempt_answer, attempt, locale))
        if self.context.settings.start_next_lesson:
            # The answer is out; what goes wrong here is logged and costs a little waiting later.
            await start_next_lesson(
                self.context.store,
                self.context.catalog,
                self.context.hub,
                attempt,
                groups=self.identity.groups,
                locale=locale,
            )


class HistoryHandler(ApiHandler):
    """Finished attempts at a step."""

    arguments_allowed = ("locale",)

    async def get(self, course: str, lesson: str, step: str) -> None:
        """Give the newest finished attempts, the newest first."""
        found, there, place = await self.lesson(course, lesson)
        name = there.step(step).name
        locale = self.locale_for(found.locales)
        attempts = await self.run(self.context.store.attempts, place, name)
        newest = reversed(attempts[-wire.MAX_HISTORY :])
        self.write_json(
            wire.attempts_json(
                [await self.run(self.context.attempt_answer, a, locale) for a in newest]
            )
        )


class CancelHandler(ApiHandler):
    """End of an attempt that its student does not want any more."""

    arguments_allowed = ("locale",)

    async def post(self, attempt_id: str) -> None:
        """Cancel the attempt; one that is done stays as it is."""
        place = (await self.run(self.context.store.attempt, attempt_id)).place
        found, _there, _place = await self.lesson(place.course, place.lesson)
        attempt = await self.run(cancel_attempt, self.context.store, self.identity.user, attempt_id)
        locale = self.locale_for(found.locales)
        self.write_json(await self.run(self.context.attempt_answer, attempt, locale))
