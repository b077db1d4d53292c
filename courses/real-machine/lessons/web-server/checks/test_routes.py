"""Step routes: an address that answers with JSON, and one that has moved."""

import json

PORT = 8000


def test_health_answers(machine):
    """/health answers with the JSON that was asked for
    ru: /health отвечает нужным JSON
    """
    answer = machine.http("/health", port=PORT)
    assert answer.status == 200, f"GET /health answers {answer.status}, not 200."
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    assert found == {"status": "ok"}, f'{{"status": "ok"}} was wanted: {answer.text[:200]!r}'


def test_health_type(machine):
    """/health says that it is JSON
    ru: /health сообщает, что это JSON
    """
    kind = machine.http("/health", port=PORT).headers.get("content-type", "nothing")
    assert kind.partition(";")[0].strip() == "application/json", (
        f"The Content-Type of /health should be application/json: {kind}."
    )


def test_health_is_one_address(machine):
    """No other address answers like /health
    ru: Другие адреса так не отвечают
    """
    for path in ("/healthy", "/health/x"):
        status = machine.http(path, port=PORT).status
        assert status == 404, f"GET {path} should be a 404 and is {status}. Mind the '='."


def test_moved_for_good(machine):
    """/contact.html has moved to /about.html for good
    ru: /contact.html насовсем переехал на /about.html
    """
    answer = machine.http("/contact.html", port=PORT)
    assert answer.status in (301, 308), f"GET /contact.html answers {answer.status}, not 301."
    target = answer.headers.get("location", "")
    assert target.endswith("/about.html"), f"It should lead to /about.html: {target!r}."
    assert machine.http("/about.html", port=PORT).status == 200, "/about.html is not served."
