import io
import tarfile
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hexhub.catalog.model import Lesson, Limits, MachineUser, Network, Text
from hexhub.catalog.overlays import OverlayFile
from hexhub.names import CourseName, LessonName, make_server_name
from spawner.container import (
    machine_labels,
    machine_name,
    make_container,
    starter_archive,
    why_it_ended,
)

HUB_ID = "0123456789ab"
TEXT = Text({"en": "Web server"})
LESSON = Lesson(
    course=CourseName("real-machine"),
    name=LessonName("web-server"),
    title=TEXT,
    image="hexhub/web",
    user=MachineUser.ROOT,
    limits=Limits(
        memory_bytes=512 * 1024**2, cpus=1.5, processes=256, disk_bytes=1024**3, idle_s=1800
    ),
    network=Network.INTERNET,
    steps=(),
    theory=TEXT,
)


def test_the_whole_container():
    """A lesson becomes exactly these arguments: hardened, limited, without environment."""
    assert make_container(LESSON, user="Ада@x", hub_id=HUB_ID, network="hexhub-012345") == {
        "image": "hexhub/web",
        "name": "hexhub-012345-x-web-server-16643ce5-3fdfac714e",
        "hostname": "web-server",
        "user": "root",
        "working_dir": "/root",
        "entrypoint": [
            "/usr/bin/tini",
            "-g",
            "--",
            "/opt/hexhub/bin/python",
            "-I",
            "-m",
            "hexhub_lesson.entrypoint",
        ],
        "command": [],
        "environment": {},
        "labels": {
            "hexhub.hub": HUB_ID,
            "hexhub.user": "Ада@x",
            "hexhub.course": "real-machine",
            "hexhub.lesson": "web-server",
            "hexhub.server": "web-server-16643ce5",
            "hexhub.kind": "student",
        },
        "stdin_open": True,
        "detach": True,
        "tty": False,
        "host_config": {
            "NetworkMode": "hexhub-012345",
            "CapDrop": ["ALL"],
            "CapAdd": [
                "CHOWN",
                "DAC_OVERRIDE",
                "FOWNER",
                "KILL",
                "NET_BIND_SERVICE",
                "SETGID",
                "SETUID",
            ],
            "SecurityOpt": ["no-new-privileges"],
            "Privileged": False,
            "Memory": 536870912,
            "MemorySwap": 536870912,
            "CpuPeriod": 100000,
            "CpuQuota": 150000,
            "PidsLimit": 256,
            "Ulimits": [
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "nofile", "Soft": 4096, "Hard": 16384},
            ],
            "Sysctls": {"net.ipv4.ping_group_range": "0 2147483647"},
            "RestartPolicy": {"Name": "no"},
            "OomScoreAdj": 500,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
            "AutoRemove": False,
        },
    }


def test_without_the_internet_no_names_are_resolved():
    """A lesson without a network gets no name server, so that no question leaves the host."""
    lesson = replace(LESSON, network=Network.NONE)
    host_config = make_container(lesson, user="ada", hub_id=HUB_ID, network="n")["host_config"]
    assert host_config["Dns"] == ["127.0.0.1"]
    assert host_config["DnsOptions"] == ["timeout:1", "attempts:1"]


def test_disk_limit_only_where_it_can_be_held():
    """The disk's size is asked for only where Docker's storage can hold it, else start fails."""
    with_quota = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n", holds_quota=True)
    assert with_quota["host_config"]["StorageOpt"] == {"size": "1073741824"}
    without = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n")
    assert "StorageOpt" not in without["host_config"]


def test_nothing_secret_and_no_way_out_of_the_lesson():
    """What Docker is told depends on lesson, user and hub alone, and never has a mount in it."""
    host_config = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n")["host_config"]
    assert not {"Binds", "Mounts", "Devices", "PidMode", "IpcMode"} & set(host_config)


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


def test_hubs_do_not_share_machines():
    """Two HexHubs on one computer give the same student different machines and labels."""
    server = LESSON.server_name
    assert machine_name("aaaaaa000000", "ada", server) != machine_name(
        "bbbbbb000000", "ada", server
    )
    assert machine_labels(LESSON, "ada", "aaaaaa000000")["hexhub.hub"] == "aaaaaa000000"


def test_the_starter_belongs_to_the_student():
    """Files and folders of the starter lie in ~/work and belong to whoever works in the lesson."""
    starter = {"a/b.sh": OverlayFile(b"hi\n", is_executable=True), "c.txt": OverlayFile(b"c")}
    packed = starter_archive(starter, MachineUser.STUDENT, modified_s=1_700_000_000)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        found = {
            member.name: (member.isdir(), member.mode, member.uid, member.gid, member.mtime)
            for member in archive
        }
        content = archive.extractfile("work/a/b.sh").read()
    assert found == {
        "work": (True, 0o755, 1000, 1000, 1_700_000_000),
        "work/a": (True, 0o755, 1000, 1000, 1_700_000_000),
        "work/a/b.sh": (False, 0o755, 1000, 1000, 1_700_000_000),
        "work/c.txt": (False, 0o644, 1000, 1000, 1_700_000_000),
    }
    assert content == b"hi\n"


def test_an_empty_starter_still_makes_the_work_folder():
    """A lesson without files gives a machine with an empty ~/work."""
    packed = starter_archive({}, MachineUser.ROOT, modified_s=0)
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        assert [(member.name, member.uid) for member in archive] == [("work", 0)]


def test_why_a_container_ended():
    """Out of memory, Docker's own refusal and an exit code are told apart."""
    memory = 64 * 1024**2
    assert "out of memory (64 MB)" in why_it_ended({"OOMKilled": True, "ExitCode": 137}, memory)
    assert "log" in why_it_ended({"Error": "no such file", "ExitCode": 127}, memory)
    assert "exit code 3" in why_it_ended({"Error": "", "ExitCode": 3}, memory)
