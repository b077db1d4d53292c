"""Check containers that wait ready, on a real Docker: each for one check, and none stays."""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import docker
import pytest

from hexhub.catalog.model import LONGEST_CHECK_S, CheckKind, MachineUser
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.attachment import converse, hang_up
from hexhub.checks.containers import (
    EXPIRES_LABEL,
    HUB_LABEL,
    KIND_LABEL,
    SandboxSpec,
    make_check_container,
)
from hexhub.checks.engine import Engine
from hexhub.checks.harness import HARNESS, MAX_LINE_BYTES, make_header, pack, read_answer
from hexhub.checks.sandbox import HarnessRun, Sandbox
from hexhub.errors import ReportUnusable

from .conftest import MB, files_spec

NAME = """
import json, os, sys
header = json.loads(sys.stdin.buffer.readline())
tar = sys.stdin.buffer.read(header["tar_bytes"])
sys.stdout.write(json.dumps({"version": 1, "nonce": header["nonce"], "exit_code": 0,
    "timed_out": False, "output": os.uname().nodename, "output_bytes": 0, "report": None,
    "report_too_big": False, "duration_s": 0.1}) + "\\n")
sys.stdout.flush()
"""
"""A harness that answers with the name of its container: the first digits of its id."""
SPEC = SandboxSpec(
    image="hexhub/base",
    kind=CheckKind.FILES,
    machine_id=None,
    memory_bytes=64 * MB,
    timeout_s=20.0,
    processes=32,
    harness=("/opt/check/bin/python", "-I", "-c", NAME),
)
PATIENCE_S = 120.0


@pytest.fixture
def of_hub(client: docker.APIClient) -> Iterator[Callable[[str], list[dict[str, object]]]]:
    """Give what lists the containers of a hub; those left over in the end are a failure."""
    hubs: set[str] = set()

    def list_them(hub_id: str) -> list[dict[str, object]]:
        hubs.add(hub_id)
        found = client.containers(all=True, filters={"label": f"{HUB_LABEL}={hub_id}"})
        return list(found)

    yield list_them
    left = [container for hub in hubs for container in list_them(hub)]
    for container in left:
        client.remove_container(container["Id"], force=True)
    assert left == []


@pytest.fixture
def make_sandbox(
    of_hub: Callable[[str], list[dict[str, object]]],
) -> Iterator[Callable[[int], Sandbox]]:
    """Give sandboxes that work ahead, with some places for ``SPEC``; none may leave a container."""
    made: list[Sandbox] = []

    def make(size: int) -> Sandbox:
        sandbox = Sandbox(Engine(f"warm-{secrets.token_hex(4)}"))
        of_hub(sandbox.engine.hub_id)
        made.append(sandbox)
        sandbox.work_ahead(size, [SPEC], leave_free_bytes=0)
        return sandbox

    yield make
    for sandbox in made:
        sandbox.close()
        sandbox.engine.close()


def run(sandbox: Sandbox, spec: SandboxSpec = SPEC, *, is_settled: bool = True) -> HarnessRun:
    """Run the harness of ``spec``."""
    return sandbox.run(
        spec,
        files_spec(timeout_s=spec.timeout_s),
        MachineUser.STUDENT,
        {"test_a.py": OverlayFile(b"checks")},
        {"answer.py": OverlayFile(b"x" * 300_000)},
        is_settled=lambda _: is_settled,
    )


def name_of(heard: HarnessRun) -> str:
    """Give the name of the container that answered."""
    assert heard.answer is not None, heard
    return heard.answer.output


def wait_for(is_so: Callable[[], bool]) -> None:
    """Return when something is so."""
    until_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until_s, "It did not come about in time."
        time.sleep(0.05)


def waiting_names(containers: list[dict[str, object]]) -> set[str]:
    """Give the names of containers."""
    return {str(container["Id"])[:12] for container in containers}


def test_none_is_used_twice(
    make_sandbox: Callable[[int], Sandbox], of_hub: Callable[[str], list[dict[str, object]]]
) -> None:
    """Every check has a container of its own, be it a waiting one or a cold one."""
    sandbox = make_sandbox(2)
    names: list[str] = []
    warm = 0
    for number in range(12):
        if number % 3:  # every third comes right after the one before
            wait_for(lambda: sandbox.waiting() == 2)
        ahead = waiting_names(of_hub(sandbox.engine.hub_id)) if number % 3 else set()
        names.append(name_of(run(sandbox, is_settled=number % 2 == 0)))
        warm += names[-1] in ahead
    assert len(set(names)) == 12
    assert warm == 8, "The checks that could did not use a waiting container."
    sandbox.close()
    assert of_hub(sandbox.engine.hub_id) == []


def test_used_ones_are_removed(
    make_sandbox: Callable[[int], Sandbox], of_hub: Callable[[str], list[dict[str, object]]]
) -> None:
    """What was used is gone soon after its check, while others wait."""
    sandbox = make_sandbox(1)
    wait_for(lambda: sandbox.waiting() == 1)
    used = name_of(run(sandbox))
    wait_for(lambda: used not in waiting_names(of_hub(sandbox.engine.hub_id)))
    wait_for(lambda: sandbox.waiting() == 1)


@pytest.mark.parametrize("stays", [True, False])
def test_a_harness_stays_until_nobody_listens(
    make_sandbox: Callable[[int], Sandbox], client: docker.APIClient, stays: bool
) -> None:
    """Asked to, it stays after its answer with nothing else running; it ends with its input."""
    hub_id = make_sandbox(0).engine.hub_id
    check = files_spec(run="sleep 600 & setsid sleep 600 & pytest -q")
    spec = replace(SPEC, ahead="pytest", memory_bytes=128 * MB, harness=HARNESS)
    made = make_check_container(spec, hub_id=hub_id, expires_at_s=0)
    container = client.create_container(**made)["Id"]
    try:
        attached = client.attach_socket(
            container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        client.start(container)
        tar = pack({"test_a.py": OverlayFile(b"def test_a(): pass")}, {})
        nonce = "0" * 32
        header = make_header(check, MachineUser.STUDENT, None, nonce, len(tar), stays=stays)
        until_s = time.monotonic() + PATIENCE_S
        heard = converse(
            attached,
            header + tar,
            max_line_bytes=MAX_LINE_BYTES,
            deadline_s=until_s,
            is_enough=lambda _: True,
        )
        assert heard.line is not None
        assert read_answer(heard.line, nonce).exit_code == 0
        if stays:
            (process,) = client.top(container)["Processes"]
            assert "hexhub_check" in " ".join(process)
            hang_up(attached)
        assert client.wait(container, timeout=PATIENCE_S)["StatusCode"] == 0
        hang_up(attached)
    finally:
        client.remove_container(container, force=True)


def test_a_dead_one_means_a_cold_start(
    make_sandbox: Callable[[int], Sandbox],
    of_hub: Callable[[str], list[dict[str, object]]],
    client: docker.APIClient,
) -> None:
    """A waiting container that was killed is noticed, and the check has another."""
    sandbox = make_sandbox(1)
    wait_for(lambda: sandbox.waiting() == 1)
    (dead,) = of_hub(sandbox.engine.hub_id)
    client.kill(dead["Id"])
    client.wait(dead["Id"])
    assert name_of(run(sandbox)) != str(dead["Id"])[:12]
    wait_for(lambda: str(dead["Id"])[:12] not in waiting_names(of_hub(sandbox.engine.hub_id)))


def test_an_empty_pool_means_a_cold_start(make_sandbox: Callable[[int], Sandbox]) -> None:
    """Nobody waits for the pool: without one for this check, it starts as ever."""
    sandbox = make_sandbox(0)
    other = SandboxSpec("hexhub/base", CheckKind.FILES, None, 96 * MB, 5.0, harness=SPEC.harness)
    assert name_of(run(sandbox)) != name_of(run(sandbox, other))


def test_the_time_of_a_check_begins_with_its_order(make_sandbox: Callable[[int], Sandbox]) -> None:
    """However long a container has waited, the check has its whole time."""
    sandbox = make_sandbox(1)
    wait_for(lambda: sandbox.waiting() == 1)
    time.sleep(6.5)
    short = SandboxSpec(**{**vars(SPEC), "timeout_s": 3.0})
    heard = sandbox.run(
        short,
        files_spec(timeout_s=3.0),
        MachineUser.STUDENT,
        {},
        {},
        grace_s=3.0,
    )
    assert heard.answer is not None


def test_what_a_killed_worker_leaves_will_be_removed(
    make_sandbox: Callable[[int], Sandbox], of_hub: Callable[[str], list[dict[str, object]]]
) -> None:
    """A waiting one is labelled as a check, until after the longest check that it may be given."""
    sandbox = make_sandbox(1)
    wait_for(lambda: sandbox.waiting() == 1)
    (waiting,) = of_hub(sandbox.engine.hub_id)
    labels = waiting["Labels"]
    assert isinstance(labels, dict)
    assert labels[KIND_LABEL] == "check"
    assert float(labels[EXPIRES_LABEL]) > time.time() + LONGEST_CHECK_S
    assert sandbox.engine.remove_leftovers() == 0
    assert sandbox.waiting() == 1


def test_a_forged_answer_leaves_nothing(
    make_sandbox: Callable[[int], Sandbox], of_hub: Callable[[str], list[dict[str, object]]]
) -> None:
    """A run that ends badly removes its container before anybody hears of it."""
    sandbox = make_sandbox(0)
    forging = SandboxSpec(
        **{**vars(SPEC), "harness": (*SPEC.harness[:-1], NAME.replace('header["nonce"]', '"00"'))}
    )
    with pytest.raises(ReportUnusable):
        run(sandbox, forging)
    assert of_hub(sandbox.engine.hub_id) == []
