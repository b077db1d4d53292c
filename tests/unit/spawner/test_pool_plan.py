from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexhub.catalog.model import MachineUser, Network
from hexhub.names import claimed_name, machine_name, waiting_name
from spawner.machine_site import MachineSite
from spawner.pool_plan import (
    LIMITS_LABEL,
    SHAPE_LABEL,
    Demand,
    Waiting,
    limits_of,
    next_missing,
    read_waiting,
    shape_of,
    unfit,
    update_arguments,
    waiting_arguments,
    wanted_counts,
)
from tests.unit.spawner.test_container import LESSON

HUB_ID = "0123456789ab"
SITE = MachineSite(HUB_ID, "hexhub-012345", "hexhub-012345-isolated", holds_quota=False)


def shape(lesson=LESSON, site=SITE, user="ada"):
    return shape_of(site.arguments(lesson, user))


def test_what_can_be_changed_is_no_part_of_the_shape():
    """Students, lessons, memory and processors share containers: those are set at the claim."""
    other = replace(
        LESSON,
        name="another",
        limits=replace(LESSON.limits, memory_bytes=1, cpus=0.1, disk_bytes=1, idle_s=1),
    )
    assert shape() == shape(user="bob") == shape(other)


@pytest.mark.parametrize(
    "lesson",
    [
        replace(LESSON, image="hexhub/python"),
        replace(LESSON, user=MachineUser.STUDENT),
        replace(LESSON, network=Network.NONE),
        replace(LESSON, limits=replace(LESSON.limits, processes=1)),
    ],
)
def test_what_cannot_be_changed_is_part_of_the_shape(lesson):
    """Image, user, network and processes are fixed when a container is made."""
    assert shape(lesson) != shape()


def test_a_disk_limit_is_part_of_the_shape():
    """Where the disk is limited, lessons of other disks have containers of their own."""
    site = replace(SITE, holds_quota=True)
    small = replace(LESSON, limits=replace(LESSON.limits, disk_bytes=1))
    assert shape(LESSON, site) != shape(small, site)
    assert shape(LESSON, site) != shape()


def test_a_waiting_container_is_a_students_but_for_its_name():
    """It is made of the same arguments, and bears what a later hub needs to know of it.

    Its share of the processor is smaller, which its claim can change.
    """
    arguments = SITE.arguments(LESSON, "ada")
    waiting = waiting_arguments(arguments, HUB_ID, "0a")
    assert waiting["name"] == waiting_name(HUB_ID, "0a")
    assert waiting["labels"].items() >= arguments["labels"].items()
    differing = {key for key in arguments if arguments[key] != waiting[key]}
    assert differing == {"name", "labels", "host_config"}
    assert waiting["host_config"] == {**arguments["host_config"], "CpuShares": 64}
    listed = {
        "Id": "c0ffee",
        "Names": [f"/{waiting['name']}"],
        "Labels": waiting["labels"],
        "ImageID": "sha256:1",
        "Created": 1000,
        "State": "running",
        "NetworkSettings": {"Networks": {"hexhub-012345": {"IPAddress": "172.20.0.9"}}},
    }
    assert read_waiting(listed) == Waiting(
        id="c0ffee",
        number="0a",
        name=waiting["name"],
        shape=shape_of(arguments),
        limits={**limits_of(arguments), "CpuShares": 64},
        image_id="sha256:1",
        address="172.20.0.9",
        made_at_s=1000.0,
        is_running=True,
    )


def test_a_students_machine_does_not_wait():
    """Labels are kept for ever, so that the name alone says whether a container is somebody's."""
    labels = {SHAPE_LABEL: "x", LIMITS_LABEL: "{}"}
    name = f"/{machine_name(HUB_ID, 'waiting', LESSON.server_name)}"
    assert read_waiting({"Id": "1", "Names": [name], "Labels": labels}) is None


def test_limits_are_updated_in_the_words_of_docker_py():
    """Memory and swap are the same, so that there is no swap."""
    limits = limits_of(SITE.arguments(LESSON, "ada"))
    assert update_arguments(limits) == {
        "mem_limit": 512 * 1024**2,
        "memswap_limit": 512 * 1024**2,
        "cpu_period": 100_000,
        "cpu_quota": 150_000,
        "cpu_shares": 1024,
    }


def test_demand_decays():
    """An open counts half after the half-life, and a new one counts whole."""
    demand = Demand(half_life_s=10)
    assert demand.of("a", 0) == 0
    demand.add("a", 0)
    assert demand.of("a", 10) == pytest.approx(0.5)
    demand.add("a", 10)
    assert demand.of("a", 20) == pytest.approx(0.75)
    assert demand.of("b", 20) == 0


@pytest.mark.parametrize(
    ("demand", "room", "wanted"),
    [
        ({"a": 0, "b": 0}, 9, {"a": 1, "b": 1}),
        ({"a": 0, "b": 0.2}, 1, {"a": 0, "b": 1}),
        ({"a": 3.2, "b": 0.04}, 9, {"a": 4, "b": 1}),
        ({"a": 30, "b": 10}, 5, {"a": 4, "b": 1}),
        ({"a": 30, "b": 10}, 9, {"a": 5, "b": 4}),
        ({"a": 30}, 0, {"a": 0}),
        ({}, 9, {}),
    ],
)
def test_who_is_waited_for(demand, room, wanted):
    """Each shape has the least; the rest follows demand, up to the most and to the room."""
    assert wanted_counts(demand, least=1, most=5, room=room) == wanted


@pytest.mark.parametrize(
    ("room", "wanted"), [(9, {"a": 2, "b": 6, "c": 0}), (4, {"a": 1, "b": 3, "c": 0})]
)
def test_an_image_may_have_a_least_of_its_own(room, wanted):
    """It counts in place of the others', and more than the most; never more than the room."""
    least_of = {"b": 6 if room == 9 else 3, "c": 0}
    demand = {"a": 2.0, "b": 0.0, "c": 0.0}
    assert wanted_counts(demand, least=1, most=3, room=room, least_of=least_of) == wanted


@given(
    demand=st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1000)),
    least=st.integers(0, 4),
    most=st.integers(0, 6),
    room=st.integers(0, 30),
)
def test_never_more_than_there_is_room_for(demand, least, most, room):
    """However lessons are opened, the stated bounds hold."""
    wanted = wanted_counts(demand, least=least, most=most, room=room)
    assert set(wanted) == set(demand)
    assert sum(wanted.values()) <= room
    assert all(0 <= count <= most for count in wanted.values())


@pytest.mark.parametrize(
    ("wanted", "have", "missing"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, None),
        ({"a": 1, "b": 2}, {"a": 1, "b": 1}, "b"),
        ({"a": 1, "b": 2}, {"b": 1}, "a"),
        ({"a": 1, "b": 1}, {}, "b"),
        ({"a": 1}, {"z": 4}, "a"),
    ],
)
def test_which_is_made_next(wanted, have, missing):
    """First where nobody waits at all, else where demand is greatest."""
    assert next_missing(wanted, have, {"a": 1.0, "b": 5.0}) == missing


def waiting(number="0a", **changes) -> Waiting:
    """Give a container that is fit."""
    made = Waiting(
        id=f"id-{number}",
        number=number,
        name=waiting_name(HUB_ID, number),
        shape="a",
        limits={},
        image_id="sha256:1",
        address="",
        made_at_s=1000.0,
        is_running=True,
        is_ready=True,
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"name": claimed_name(HUB_ID, "0a")}, "killed"),
        ({"is_running": False}, "does not run"),
        ({"made_at_s": 899.0}, "old"),
        ({"shape": "z"}, "no lesson"),
        ({"image_id": "sha256:2"}, "anew"),
    ],
)
def test_what_is_unfit_is_removed_with_its_reason(changes, word):
    """Half-claimed, dead, old, of no lesson, of an old image: none of these is given away."""
    found = unfit(
        [waiting(**changes), waiting("0b")],
        wanted={"a": 2},
        image_ids={"a": "sha256:1"},
        now_s=1000.0,
        max_age_s=100.0,
    )
    assert list(found) == ["0a"]
    assert word in found["0a"]


def test_of_too_many_the_ready_ones_stay():
    """Where fewer are wanted, those go that are not ready, and then the oldest."""
    found = unfit(
        [waiting("0a"), waiting("0b", is_ready=False), waiting("0c", made_at_s=1001.0)],
        wanted={"a": 1},
        image_ids={"a": "sha256:1"},
        now_s=1001.0,
        max_age_s=100.0,
    )
    assert set(found) == {"0a", "0b"}
