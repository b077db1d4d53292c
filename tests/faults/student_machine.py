"""A student's machine of the small course, made without a hub."""

import io
import tarfile
import time

import docker

from hexhub.catalog.model import Lesson
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.containers import HUB_LABEL, KIND_LABEL, make_trial_machine
from hexhub.checks.harness import add_files
from hexhub.names import machine_name


def make_machine(
    client: docker.APIClient, lesson: Lesson, hub_id: str, user: str, answer: str
) -> str:
    """Start a student's machine with an answer in it, and give its id."""
    arguments = make_trial_machine(lesson, hub_id=hub_id, expires_at_s=time.time() + 3600)
    arguments["labels"] = {
        HUB_LABEL: hub_id,
        KIND_LABEL: "student",
    }
    arguments["name"] = machine_name(hub_id, user, lesson.server_name)
    machine = str(client.create_container(**arguments)["Id"])
    write_answer(client, machine, answer)
    client.start(machine)
    return machine


def write_answer(client: docker.APIClient, machine: str, answer: str) -> None:
    """Put an answer into a machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add_files(archive, "work", {"greet.py": OverlayFile(answer.encode())}, uid=1000)
    client.put_archive(machine, "/home/student", buffer.getvalue())
