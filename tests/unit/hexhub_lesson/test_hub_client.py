"""Where the lesson lives on the hub."""

import pytest
from hexhub_lesson.hub_client import HubAddress, HubClient, HubUnreachable


def test_the_address_comes_from_the_environment() -> None:
    """One slash at the end, whoever wrote the variable."""
    env = {"HEXHUB_COURSE": "c", "HEXHUB_LESSON": "l", "JUPYTERHUB_API_TOKEN": "t"}
    for url in ("http://h/api", "http://h/api/", "http://h/api//"):
        address = HubAddress.from_environment(env | {"HEXHUB_API_URL": url})
        assert address == HubAddress("http://h/api/", "t", "c", "l")


async def test_a_server_without_a_lesson_says_so() -> None:
    """JupyterLab with this extension outside of HexHub works, and has no lesson."""
    client = HubClient(HubAddress.from_environment({}))
    with pytest.raises(HubUnreachable, match="was not started by HexHub"):
        await client.request("GET", "lessons/{course}/{lesson}", {})
    await client.close()
