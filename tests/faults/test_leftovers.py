"""Check containers for which nobody waits are removed: at a worker's start and ever after."""

import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import docker

from hexhub.checks.containers import CHECK_KIND, EXPIRES_LABEL, HUB_LABEL, KIND_LABEL, TRIAL_KIND
from hexhub.set_aside import KEPT, aside_name
from tests.faults.worker_process import running_worker, wait_for


def put_aside(client: docker.APIClient, hub_id: str, at: datetime) -> str:
    """Leave a stopped machine as a reset puts it aside, and give its id."""
    made = client.create_container(
        "hexhub/base",
        name=aside_name(f"{hub_id}-{secrets.token_hex(4)}", at),
        labels={HUB_LABEL: hub_id, KIND_LABEL: "student"},
    )
    return str(made["Id"])


def leave(client: docker.APIClient, hub_id: str, *, kind: str = CHECK_KIND, life_s: int) -> str:
    """Leave a running container behind as a killed worker does, and give its id."""
    labels = {
        HUB_LABEL: hub_id,
        KIND_LABEL: kind,
        EXPIRES_LABEL: str(int(time.time()) + life_s),
    }
    made = client.create_container(
        "hexhub/base", entrypoint=["sleep", "infinity"], command=[], labels=labels
    )
    client.start(made["Id"])
    return str(made["Id"])


def test_leftovers_go_at_the_start_and_from_time_to_time(
    tmp_path: Path, client: docker.APIClient, hub_id: str
) -> None:
    """What is overdue goes, though it runs; what somebody may wait for, and another hub's, stay."""

    def there(hub: str) -> set[str]:
        found = client.containers(all=True, filters={"label": f"{HUB_LABEL}={hub}"})
        return {str(container["Id"]) for container in found}

    other = f"fault-{secrets.token_hex(4)}"
    foreign = leave(client, other, life_s=-1)
    try:
        first = {
            leave(client, hub_id, life_s=-1),
            leave(client, hub_id, kind=TRIAL_KIND, life_s=-1),
            put_aside(client, hub_id, datetime.now(UTC) - KEPT),
        }
        wanted = leave(client, hub_id, life_s=3600)
        undoable = put_aside(client, hub_id, datetime.now(UTC))
        with running_worker(tmp_path, hub_id, options=["--clean-up-every", "2"]) as worker:
            wait_for(lambda: not there(hub_id) & first)
            later = leave(client, hub_id, life_s=-1)
            wait_for(lambda: later not in there(hub_id))
            assert there(hub_id) == {wanted, undoable}
            assert worker.poll() is None
        assert there(other) == {foreign}
    finally:
        client.remove_container(foreign, force=True)
