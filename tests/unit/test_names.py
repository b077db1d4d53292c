import re
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from hexhub.names import (
    CourseName,
    LessonName,
    claimed_name,
    is_nobodys,
    machine_name,
    make_server_name,
    waiting_name,
)
from hexhub.set_aside import aside_name, is_aside

HUB_ID = "0123456789ab"

user_names = st.text(min_size=1, max_size=300).filter(lambda name: "\0" not in name)
alike = st.lists(
    st.sampled_from(["a", "A", "а", "ａ", "à", "a\u0300", ".", "-", "--", "_", "-2d-", "%2d", " "]),
    min_size=1,
    max_size=12,
).map("".join)
"""Names that look alike, or like what escaping makes of another one: Latin, Cyrillic and full-width
letters, an accent as one sign and as two, and the escapes of DockerSpawner and of URLs."""
servers = st.builds(
    lambda lesson: make_server_name(CourseName("course"), LessonName(lesson)),
    st.from_regex(r"\A[a-z][a-z0-9]{0,30}\Z"),
)


@given(one=st.tuples(user_names, servers), other=st.tuples(user_names, servers))
def test_machine_names_never_collide(one, other):
    """Two machines share a name only if user and server are the same."""
    same_name = machine_name(HUB_ID, *one) == machine_name(HUB_ID, *other)
    assert same_name == (one == other)


@given(user=user_names, server=servers)
def test_machine_names_suit_docker(user, server):
    """Whatever the user is called, Docker accepts the container's name."""
    name = machine_name(HUB_ID, user, server)
    assert len(name) <= 100
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@given(one=alike | user_names, other=alike, server=servers)
def test_no_name_passes_for_another(one, other, server):
    """Whatever a name is made to look like, its machine is its own, and Docker takes the name."""
    names = [machine_name(HUB_ID, user, server) for user in (one, other)]
    assert (names[0] == names[1]) == (one == other)
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,99}", name)
        assert is_aside(aside_name(name, datetime(2026, 1, 1, tzinfo=UTC)))
        assert not is_aside(name)


def test_two_hexhubs_share_no_machine():
    """On one Docker each has machines of its own for the same student and lesson."""
    hub_ids = ("0123456789ab", "fedcba987654")
    assert len({machine_name(hub_id, "ada", "l-01234567") for hub_id in hub_ids}) == 2


def test_users_that_look_alike_have_machines_of_their_own():
    """Names that differ in case or in signs only give different machines."""
    server = make_server_name(CourseName("c"), LessonName("l"))
    users = ["ada", "Ada", "ada-", "ada.", "a-da", "ада"]
    assert len({machine_name(HUB_ID, user, server) for user in users}) == len(users)


@given(
    user=st.text(alphabet="abcxyz0189@.-", min_size=4, max_size=30),
    lesson=st.from_regex(r"\A[a-z]{4,20}\Z"),
)
def test_a_name_tells_nothing_to_who_sees_it(user, lesson):
    """All machines see each other's names: neither student nor lesson is in it, nor a mere hash."""
    server = make_server_name(CourseName("course"), LessonName(lesson))
    name = machine_name(HUB_ID, user, server)
    assert re.fullmatch(f"hexhub-{HUB_ID[:6]}-[0-9a-f]{{32}}", name)
    assert name != machine_name(f"{HUB_ID[:6]}ffffff", user, server)


def test_a_name_cannot_be_searched_for():
    """Who may sign up under any name must not find one that gives another student's machine."""
    digest = machine_name(HUB_ID, "ada", "lesson-01234567").rpartition("-")[2]
    assert len(digest) >= 32


@given(user=user_names, server=servers)
def test_a_students_machine_is_never_taken_for_nobodys(user, server):
    """Whatever a student is called, the name of their machine says that it is somebody's."""
    assert not is_nobodys(machine_name(HUB_ID, user, server))
    assert is_nobodys(waiting_name(HUB_ID, "0a1b"))
    assert is_nobodys(claimed_name(HUB_ID, "0a1b"))
