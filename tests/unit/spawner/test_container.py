import io
import tarfile
from dataclasses import replace

import pytest

from hexhub.catalog.model import Lesson, Limits, MachineUser, Network, Text
from hexhub.catalog.overlays import OverlayFile
from hexhub.names import CourseName, LessonName
from spawner.container import (
    add_room_for_image,
    lesson_environment,
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


def test_the_machine_is_told_whether_the_text_of_commands_is_recorded():
    """Only where the lesson says so: the shell sends no text elsewhere."""
    names = {
        "HEXHUB_COURSE": "real-machine",
        "HEXHUB_LESSON": "web-server",
        "HEXHUB_TERMINAL_AT_FIRST": "",
        "HEXHUB_DISK_BYTES": "",
    }
    assert lesson_environment(LESSON) == {**names, "HEXHUB_RECORDS": ""}
    recording = replace(LESSON, records_commands=True)
    assert lesson_environment(recording) == {**names, "HEXHUB_RECORDS": "command_text"}


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ((), ""),
        (("work/app.py",), ""),
        (("terminal",), "alone"),
        (("work/app.py", "terminal"), "beside"),
    ],
)
def test_the_machine_is_told_how_its_first_terminal_stands(opened: tuple[str, ...], told: str):
    """Its page can then show a shell before JupyterLab has started."""
    environment = lesson_environment(replace(LESSON, open=opened))
    assert environment["HEXHUB_TERMINAL_AT_FIRST"] == told


def test_the_machine_is_told_the_limit_of_its_disk_where_one_is_held():
    """What is not held is not named as a limit."""
    assert lesson_environment(LESSON)["HEXHUB_DISK_BYTES"] == ""
    told = lesson_environment(LESSON, holds_quota=True)
    assert told["HEXHUB_DISK_BYTES"] == str(1024**3)


def test_the_whole_container():
    """A lesson becomes exactly these arguments: hardened, limited, without environment."""
    assert make_container(LESSON, user="Ада@x", hub_id=HUB_ID, network="hexhub-012345") == {
        "image": "hexhub/web",
        "name": "hexhub-012345-ff5fc8289d53143cf5b2de9de5d03616",
        "hostname": "lesson",
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


def test_a_disk_that_counts_the_image_leaves_the_lessons_limit_beside_it():
    """Whatever the image takes, rounded up to whole blocks; nothing else is changed."""
    made = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n", holds_quota=True)
    with_image = add_room_for_image(made, 100)
    assert with_image["host_config"]["StorageOpt"] == {"size": str(1024**3 + 105)}
    assert made["host_config"]["StorageOpt"] == {"size": str(1024**3)}
    for arguments in (made, with_image):
        del arguments["host_config"]["StorageOpt"]
    assert with_image == made


def test_a_runtime_is_named_only_where_the_lesson_asks_for_one():
    """Docker is told the runtime of a lesson's isolation, and else keeps its own choice."""
    made = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n", runtime="runsc")
    assert made["host_config"].pop("Runtime") == "runsc"
    assert made == make_container(LESSON, user="ada", hub_id=HUB_ID, network="n")


def test_nothing_secret_and_no_way_out_of_the_lesson():
    """What Docker is told depends on lesson, user and hub alone, and never has a mount in it."""
    host_config = make_container(LESSON, user="ada", hub_id=HUB_ID, network="n")["host_config"]
    assert not {"Binds", "Mounts", "Devices", "PidMode", "IpcMode"} & set(host_config)


def test_hubs_do_not_share_machines():
    """Two HexHubs on one computer give the same student different machines and labels."""
    one, other = (
        make_container(LESSON, user="ada", hub_id=hub_id, network="n")
        for hub_id in ("aaaaaa000000", "bbbbbb000000")
    )
    assert one["name"] != other["name"]
    assert one["labels"]["hexhub.hub"] == "aaaaaa000000"
    assert other["labels"]["hexhub.hub"] == "bbbbbb000000"


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
