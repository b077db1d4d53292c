import asyncio
import logging

import httpx

from hexhub.hub_reports import MOST_WAITING, HubReports

LOG = logging.getLogger("test")


async def told(answers, *reports, url="http://service/hub/"):
    """Give the requests that a service gets which answers so, one after the other."""
    requests = []
    done = asyncio.Event()

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        status = answers[len(requests) - 1]
        if len(requests) == len(answers):
            done.set()
        if status is None:
            raise httpx.ConnectError("away")
        return httpx.Response(status)

    sender = HubReports(url, "secret", LOG, pauses_s=(0.0,), transport=httpx.MockTransport(answer))
    for report in reports:
        sender.tell("server-started", **report)
    await asyncio.wait_for(done.wait(), 60)
    await sender.close()
    return requests


async def test_a_report_is_sent_with_id_time_and_token():
    """The service learns what happened, when, and under which id."""
    (request,) = await told([201], {"user": "ada", "duration_ms": 3})
    assert request.url == "http://service/hub/server-started"
    assert request.headers["Authorization"] == "token secret"
    content = httpx.Response(200, content=request.content).json()
    assert len(content.pop("id")) == 32
    assert content.pop("at").endswith("+00:00")
    assert content == {"user": "ada", "duration_ms": 3}


async def test_a_report_waits_until_it_is_taken():
    """While the service is away or fails, the same report is sent again; then the next one."""
    requests = await told([None, 503, 200, 201], {"user": "ada"}, {"user": "bob"})
    contents = [request.content for request in requests]
    assert contents[0] == contents[1] == contents[2]
    assert b"ada" in contents[0]
    assert b"bob" in contents[3]


async def test_what_is_refused_is_not_sent_again():
    """A report that the service does not take does not hold up the others."""
    requests = await told([400, 201], {"user": "ada"}, {"user": "bob"})
    assert b"bob" in requests[1].content


async def test_without_a_service_nothing_is_kept():
    """Where nobody is to be told, nothing piles up; else it is bounded."""
    sender = HubReports("", "", LOG)
    sender.tell("server-started", user="ada")
    assert not sender._waiting
    away = HubReports(
        "http://service/",
        "",
        LOG,
        transport=httpx.MockTransport(lambda _request: httpx.Response(503)),
    )
    for number in range(MOST_WAITING + 5):
        away.tell("server-started", user=str(number))
    assert len(away._waiting) == MOST_WAITING
    await away.close()
