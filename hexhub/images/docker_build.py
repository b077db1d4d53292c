"""Files → an image at Docker, where they have changed since the one of that name was built.

Design choices: the build goes through Docker's classic builder, which every engine has; BuildKit is
a plugin that Debian does not install.
"""

import io
import tarfile
import time
from collections.abc import Mapping, Sequence
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from hexhub.errors import SetupError
from hexhub.images.build_log import Progress, StepClock, end_of_log
from hexhub.images.inputs import INPUTS_LABEL, hash_files


def build_if_changed(
    client: docker.DockerClient,
    tag: str,
    context: Mapping[str, bytes],
    parent_id: str,
    progress: Progress,
) -> None:
    """Build an image, unless the one of that name was made of the same files on the same parent.

    Args:
        client: Docker.
        tag: Name of the image.
        context: All that its Dockerfile may copy, and the Dockerfile.
        parent_id: Of the image that it starts from.
        progress: Takes one readable line for each step.

    Raises:
        SetupError: The build failed: the message has the end of its log.
    """
    inputs = hash_files(context, parent_id)
    old = find_image(client, tag)
    if old is not None and old.labels.get(INPUTS_LABEL) == inputs:
        progress(f"{tag}: up to date")
        return
    started = time.monotonic()
    _run_build(client, tag, context, {INPUTS_LABEL: inputs}, progress)
    new = client.images.get(tag)
    size_mb = new.attrs["Size"] / 1e6
    progress(f"{tag}: built in {time.monotonic() - started:.1f} s, {size_mb:.0f} MB")
    if old is not None and old.id != new.id:
        _remove_replaced(client, str(old.id))


def find_image(client: docker.DockerClient, tag: str) -> Any:
    """Give docker-py's image of that name; None where there is none."""
    try:
        return client.images.get(tag)
    except ImageNotFound:
        return None


def _remove_replaced(client: docker.DockerClient, image_id: str) -> None:
    # Docker refuses (409) while a student's container still stands on it; it goes another time.
    try:
        client.images.remove(image_id)
    except (APIError, NotFound):
        return


def _run_build(
    client: docker.DockerClient,
    tag: str,
    context: Mapping[str, bytes],
    labels: dict[str, str],
    progress: Progress,
) -> None:
    log: list[str] = []
    step = StepClock(tag, progress)
    try:
        stream = client.api.build(
            fileobj=pack_context(context),
            custom_context=True,
            tag=tag,
            labels=labels,
            rm=True,
            forcerm=True,
            timeout=3600,
            decode=True,
        )
        for event in stream:
            text = str(event.get("stream", "")).rstrip("\n")
            log += text.splitlines()
            step.notice(text)
            if "error" in event:
                raise SetupError(_describe_failure(tag, str(event["error"]), log))
    except DockerException as exc:
        raise SetupError(_describe_failure(tag, str(exc), log)) from exc
    step.finish()


def _describe_failure(tag: str, error: str, log: Sequence[str]) -> str:
    return (
        f"Image {tag} could not be built: {error}\nThe end of its log:\n{end_of_log(log)}\n"
        "Mend the cause, then build again; steps that succeeded are not repeated."
    )


def pack_context(files: Mapping[str, bytes]) -> io.BytesIO:
    """Pack files into the tar that Docker takes as build context; the same files, the same bytes.

    What starts with ``#!`` is executable; all is root's, and from 1970.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o755 if files[name].startswith(b"#!") else 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    buffer.seek(0)
    return buffer
