"""How a container has ended, also where Docker heard of the reason after the end.

Design choices: that a container is gone, and that the kernel killed something in it for want of
memory, reach Docker apart. Where the end is first, ``State.OOMKilled`` stays false for ever, and
only the event ``oom`` follows, milliseconds later (Docker 20.10: 8 of 200 containers, six at a time
on two cores). So the events of a container that was killed are asked for, until half a second after
its end by Docker's own clock. To take each kill for one for memory would blame students for what an
administrator or a stopping Docker did.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import docker
from requests.exceptions import RequestException

_KILLED = 137
"""Exit code of a container whose first process got SIGKILL."""
LATE_S = 0.5
"""After a container's end, for which the event about memory is waited for."""


def last_state(client: docker.APIClient, container: Mapping[str, Any]) -> dict[str, Any]:
    """Give ``State`` of an inspected container, with ``OOMKilled`` true where that came late.

    Args:
        client: Of the Docker that has the container.
        container: As ``inspect_container`` gives it.
    """
    state: dict[str, Any] = container["State"]
    is_clear = state.get("Running") or state.get("OOMKilled") or state.get("ExitCode") != _KILLED
    if is_clear or not _was_short_of_memory(client, container["Id"], state["FinishedAt"]):
        return state
    return {**state, "OOMKilled": True}


def _was_short_of_memory(client: docker.APIClient, container_id: str, finished_at: str) -> bool:
    """Ask for the event, which Docker keeps a while; False where it does not answer."""
    # Docker writes nanoseconds, and no fraction at all where they are none.
    ended_s = datetime.fromisoformat(f"{finished_at[:19]}+00:00").timestamp()
    fraction_s = float(f"0{finished_at[19:].rstrip('Z') or '.0'}")
    asked = {
        "since": f"{ended_s - 1:.0f}",
        "until": f"{ended_s + fraction_s + LATE_S:.9f}",
        "filters": json.dumps({"container": [container_id], "event": ["oom"]}),
    }
    url = f"{client.base_url}/v{client.api_version}/events"
    try:
        # Not client.events(), which waits for a Docker that hangs without end.
        answer = client.get(url, params=asked, timeout=client.timeout)
    except (RequestException, OSError):
        return False
    return answer.ok and bool(answer.content.strip())
