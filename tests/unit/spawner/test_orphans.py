from datetime import datetime, timedelta

import pytest

from hexhub.names import claimed_name, waiting_name
from spawner.orphans import Orphan, ServerToken, find_orphans, find_stray_tokens

HUB_ID = "0123456789ab"


@pytest.mark.parametrize(
    ("state", "orphans"),
    [
        ("running", [Orphan("machine", is_whole=True)]),
        ("paused", [Orphan("machine", is_whole=True)]),
        ("created", [Orphan("machine", is_whole=False)]),
        ("exited", []),
    ],
)
def test_a_machine_without_a_server(state, orphans):
    """It is stopped where it runs, removed where it never did, and kept where it is at rest."""
    listed = [{"Names": ["/machine"], "State": state}]
    assert find_orphans(listed, ()) == orphans
    assert find_orphans(listed, {"machine"}) == []


def test_what_waits_is_no_orphan():
    """The pool looks after its own."""
    names = (waiting_name(HUB_ID, "0a"), claimed_name(HUB_ID, "0b"))
    listed = [{"Names": [f"/{name}"], "State": "running"} for name in names]
    assert find_orphans(listed, ()) == []


def test_tokens_without_a_server():
    """A server has its newest token only, one that is not there has none, others' tokens stay."""
    began = datetime(2026, 11, 24)
    notes = (
        ("ada", "Server at /a/"),
        ("bob", "Server at /b/"),
        ("ada", "Server at /a/"),
        ("ada", "my script"),
        ("ada", "Server at /gone/"),
        ("eve", "Server at /b/"),
    )
    tokens = [
        ServerToken(number, user, note, began + timedelta(seconds=number))
        for number, (user, note) in enumerate(notes)
    ]
    assert find_stray_tokens(tokens, {("ada", "/a/"), ("bob", "/b/")}) == [0, 4, 5]
