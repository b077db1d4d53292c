"""The hub killed with -9 at random moments while students start and stop: nothing is left over.

A few kills of what ``tests/soak`` does for minutes.
"""

import random
import secrets
from collections.abc import Iterator

import pytest

from hexhub.names import machine_name, waiting_name
from tests.hub.trial_hub import TrialHub, docker
from tests.soak.killed_hub import POOL, Soak


@pytest.fixture
def others() -> Iterator[list[str]]:
    """Give running containers of other programs, though named and labelled as ours might be."""
    other_hub = secrets.token_hex(6)
    label = ("--label", f"hexhub.hub={other_hub}", "--label", "hexhub.kind=student")
    kinds = [
        ("--name", machine_name(other_hub, "soak-0", "plain-01234567"), *label),
        ("--name", waiting_name(other_hub, "0a"), *label),
        (),
    ]
    made = [
        docker("run", "--detach", *kind, "--entrypoint", "sleep", "hexhub/base", "infinity")
        for kind in kinds
    ]
    yield made
    docker("rm", "--force", *made)


def test_kills_at_random_moments_leave_nothing(tmp_path, others):
    """Each server has one machine afterwards, nothing else of ours is there, all lessons open.

    Containers of other programs, and of another HexHub, run on.
    """
    seed = random.randrange(10**6)
    form = "{{.Name}} {{.State.Pid}} {{.State.StartedAt}}"
    before = docker("inspect", "--format", form, *others)
    hub = TrialHub(tmp_path / "hub", config=POOL, lessons=["plain"])
    try:
        hub.start()
        soak = Soak(hub, students=3, seed=seed)
        try:
            soak.run_round(kills=3, within_s=120, longest_s=5)
            soak.expect_lessons_open()
            assert docker("inspect", "--format", form, *others) == before
        except AssertionError as exc:
            raise AssertionError(f"seed {seed}: {exc}\n{hub.log('hub')[-4000:]}") from exc
        finally:
            soak.close()
    finally:
        hub.remove()
