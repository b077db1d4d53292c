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

HUB_ID = "0123456789ab"

user_names = st.text(min_size=1, max_size=300).filter(lambda name: "\0" not in name)
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


def test_users_that_look_alike_have_machines_of_their_own():
    """Names that differ in case or in signs only give different machines."""
    server = make_server_name(CourseName("c"), LessonName("l"))
    users = ["ada", "Ada", "ada-", "ada.", "a-da", "ада"]
    assert len({machine_name(HUB_ID, user, server) for user in users}) == len(users)


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
