"""Old machines on a real Docker: their files are kept, and nothing that is in use goes."""

import io
import secrets
import tarfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docker
import pytest

from hexhub.archives import Archive, Archives, read_pieces
from hexhub.old_machines import Removal, find_stopped, remove_if_unused
from hexhub.set_aside import aside_name
from hexhub.usecases.archive_machines import Fate, archive_machines

LATER = timedelta(seconds=2)
"""Docker's times are taken to the second."""


class Machines:
    """Containers that look like students' machines of one hub."""

    def __init__(self, client: docker.APIClient) -> None:
        self.client = client
        self.hub_id = secrets.token_hex(6)

    def make(self, name: str, command: str, *, is_stopped: bool = True) -> str:
        """Make one that has run a command as the student, and give its name."""
        machine = f"hexhub-{self.hub_id[:6]}-{name}"
        made = self.client.create_container(
            "hexhub/base",
            name=machine,
            entrypoint=["sh", "-c", f"{command}; exec sleep infinity"],
            command=[],
            working_dir="/home/student",
            user="student",
            labels={"hexhub.hub": self.hub_id, "hexhub.kind": "student"},
        )
        self.client.start(made["Id"])
        done = self.client.exec_create(made["Id"], ["true"])
        self.client.exec_start(done["Id"])
        if is_stopped:
            self.client.stop(made["Id"], timeout=0)
        return machine

    @property
    def names(self) -> set[str]:
        """The containers that are there."""
        found = self.client.containers(all=True, filters={"label": f"hexhub.hub={self.hub_id}"})
        return {name.removeprefix("/") for each in found for name in each["Names"]}

    def archive(self, folder: Path, **changes: object) -> dict[str, Fate]:
        """Archive what was stopped up to now, and give name → fate."""
        given: dict[str, object] = {
            "unused": timedelta(0),
            "most_bytes": 1024**2,
            "now": datetime.now(UTC) + LATER,
            **changes,
        }
        done = archive_machines(self.client, self.hub_id, Archives(folder), **given)  # type: ignore[arg-type]
        return {each.machine.name: each.fate for each in done}


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    """Give a client of Docker."""
    client = docker.APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture
def machines(client: docker.APIClient) -> Iterator[Machines]:
    """Give machines that are removed afterwards."""
    machines = Machines(client)
    yield machines
    for name in machines.names:
        client.remove_container(name, v=True, force=True)


def test_old_machines_go_and_their_files_stay(machines: Machines, tmp_path: Path) -> None:
    """What is stopped goes with its files kept, links and all; what runs or is put aside stays."""
    old = machines.make("ada-first-0", "echo mine > work/mine.txt; ln -s /etc/passwd work/link")
    running = machines.make("ada-second-0", "true", is_stopped=False)
    aside = machines.make("ada-third-0", "true")
    machines.client.rename(aside, aside_name(aside, datetime.now(UTC)))
    waiting = f"hexhub-{machines.hub_id[:6]}.waiting.7"
    machines.client.rename(machines.make("x", "true"), waiting)
    there = machines.names

    assert machines.archive(tmp_path, unused=timedelta(days=90)) == {}
    assert machines.archive(tmp_path, is_dry_run=True) == {old: Fate.WOULD_GO}
    assert (machines.names, list(tmp_path.iterdir())) == (there, [])
    assert machines.archive(tmp_path) == {old: Fate.ARCHIVED}
    assert machines.names == there - {old}
    assert running in machines.names
    archive = Archives(tmp_path).find(old)
    assert archive is not None
    packed = io.BytesIO(b"".join(read_pieces(archive)))
    with tarfile.open(fileobj=packed, mode="r:gz") as tar:
        file = tar.extractfile("student/work/mine.txt")
        assert file is not None
        assert file.read() == b"mine\n"
        assert tar.getmember("student/work/link").issym()


def test_a_machine_whose_files_are_too_many_stays(machines: Machines, tmp_path: Path) -> None:
    """Nobody's files are thrown away for being big; an endless file of holes ends the attempt."""
    big = machines.make("ada-big-0", "head -c 3000000 /dev/urandom > work/big")
    holes = machines.make("ada-holes-0", "truncate -s 100G work/holes")
    fates = machines.archive(tmp_path)
    assert fates == {big: Fate.TOO_BIG, holes: Fate.TOO_BIG}
    assert machines.names == {big, holes}
    assert list(tmp_path.iterdir()) == []


def test_a_machine_that_is_used_meanwhile_stays(machines: Machines) -> None:
    """Started while its files were read, or started and stopped again: it is not removed."""
    name = machines.make("ada-used-0", "true")
    (found,) = find_stopped(machines.client, machines.hub_id, before=datetime.now(UTC) + LATER)
    machines.client.start(name)
    assert remove_if_unused(machines.client, found) is Removal.IN_USE
    assert name in machines.names


def test_a_machine_that_a_reset_moves_meanwhile_stays(machines: Machines) -> None:
    """What a reset puts aside while the files are read is the student's for a week."""
    name = machines.make("ada-moved-0", "true")
    (found,) = find_stopped(machines.client, machines.hub_id, before=datetime.now(UTC) + LATER)
    aside = aside_name(name, datetime.now(UTC))
    machines.client.rename(name, aside)
    assert remove_if_unused(machines.client, found) is Removal.IN_USE
    assert aside in machines.names


def test_no_archive_stays_of_a_machine_that_is_deleted_meanwhile(
    machines: Machines, tmp_path: Path
) -> None:
    """Who deletes a student while the files are read leaves nothing to a later one of that name."""
    name = machines.make("ada-deleted-0", "true")

    class Deleting(Archives):
        """Keeps archives of machines that are gone right after."""

        def keep(self, machine: str, tar: Iterable[bytes], most_bytes: int) -> Archive:
            """Keep it, and have the machine deleted."""
            made = super().keep(machine, tar, most_bytes)
            machines.client.remove_container(machine, force=True)
            return made

    done = archive_machines(
        machines.client,
        machines.hub_id,
        Deleting(tmp_path),
        unused=timedelta(0),
        most_bytes=1024**2,
        now=datetime.now(UTC) + LATER,
    )
    assert [(each.machine.name, each.fate) for each in done] == [(name, Fate.DELETED)]
    assert list(tmp_path.iterdir()) == []
