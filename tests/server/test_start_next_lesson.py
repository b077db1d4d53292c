"""The next lesson's machine starts when a lesson is finished, where that is switched on."""

import asyncio
from dataclasses import replace

import pytest

from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.hub_api import ServerState

from .conftest import API, Service

PASSED = Outcome(OutcomeKind.PASSED, tests=(TestResult("t", "T", TestOutcome.PASSED),))


async def finish_lesson(service: Service) -> None:
    """Pass the last step of lesson ``first`` by a check, and wait for its result."""
    client = service.machine()
    service.pass_steps("two", "three")
    path = f"{API}lessons/tiny/first/steps/one/attempts"
    attempt_id = (await client.post(path)).json()["id"]
    service.finish(attempt_id, PASSED)
    answer = await client.get(f"{API}attempts/{attempt_id}?wait=5")
    assert answer.json()["outcome"]["outcome"] == "passed"


@pytest.mark.parametrize("is_on", [True, False])
async def test_only_where_it_is_switched_on(service: Service, is_on: bool) -> None:
    """The start is asked for once the lesson is finished; off by default."""
    assert service.context.settings.start_next_lesson is False
    service.context.settings = replace(service.context.settings, start_next_lesson=is_on)
    await finish_lesson(service)
    course = service.context.catalog.course("tiny")
    following = course.after(course.lesson("first").name)
    assert following is not None
    hub, user = service.context.hub, service.place().user
    state = (await hub.server_status(user, following.server_name)).state
    while is_on and state is ServerState.STOPPED:
        await asyncio.sleep(0.05)
        state = (await hub.server_status(user, following.server_name)).state
    assert (state is ServerState.STOPPED) is not is_on
