"""Debian's image, from which all others start: pulled, or made by debootstrap where it must be."""

import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import DockerException

from hexhub.errors import SetupError
from hexhub.images.build_log import Progress
from hexhub.images.docker_build import find_image
from hexhub.images.programs import run_program

OS_IMAGE = "debian:trixie-slim"
PULL_PATIENCE_S = 10.0
"""Seconds without any word from a registry after which the image is made on this machine."""
_DEBIAN_SOURCES = """\
Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie trixie-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def ensure_os_image(client: docker.DockerClient, progress: Progress, name: str = OS_IMAGE) -> None:
    """Have Debian's image on this machine: there already, else pulled, else made by debootstrap.

    Raises:
        SetupError: It is not there, no registry answers, and it cannot be made here.
    """
    if find_image(client, name) is not None:
        return
    started = time.monotonic()
    progress(f"{name}: pulling")
    trouble = _pull(client, name)
    if trouble is None:
        progress(f"{name}: pulled in {time.monotonic() - started:.1f} s")
        return
    progress(f"{name}: {trouble}; making it with debootstrap (about half a minute)")
    make_os_image(client, name)
    progress(f"{name}: made in {time.monotonic() - started:.1f} s")


def _pull(client: docker.DockerClient, name: str) -> str | None:
    """Pull an image; give None, or why it did not come. A silent registry is left after seconds."""
    events: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
    trouble: list[str] = []

    def listen() -> None:
        repository, tag = name.split(":")
        try:
            for event in client.api.pull(repository, tag=tag, stream=True, decode=True):
                events.put(event)
        except (DockerException, OSError) as exc:
            trouble.append(str(exc))
        events.put(None)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        try:
            event = events.get(timeout=PULL_PATIENCE_S)
        except queue.Empty:
            return f"no registry answers within {PULL_PATIENCE_S:.0f} s"
        if event is None:
            break
        if "error" in event:
            trouble.append(str(event["error"]))
    return f"not to be had from a registry ({trouble[0].strip()[:200]})" if trouble else None


def make_os_image(client: docker.DockerClient, name: str = OS_IMAGE) -> None:
    """Make Debian's image with debootstrap, as small as Debian's own slim image nearly is.

    Raises:
        SetupError: debootstrap is not installed, this is not root, or it failed.
    """
    program = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    way_out = (
        f"Either let this machine reach a registry and run 'docker pull {name}', or, as root: "
        "apt-get install debootstrap debian-archive-keyring, and run this again as root."
    )
    if program is None:
        raise SetupError(f"Image {name} is missing and debootstrap is not installed. {way_out}")
    if os.geteuid() != 0:
        raise SetupError(f"Image {name} is missing and only root can make it here. {way_out}")
    with tempfile.TemporaryDirectory(prefix="hexhub-os-", dir="/var/tmp") as folder:
        system = Path(folder) / "system"
        run_program(
            [program, "--variant=minbase", "trixie", str(system), "http://deb.debian.org/debian"],
            Path(folder),
            dict(os.environ),
        )
        _strip_system(system)
        _import_system(client, system, name)


def _strip_system(system: Path) -> None:
    (system / "etc/apt/sources.list").unlink(missing_ok=True)
    (system / "etc/apt/sources.list.d/debian.sources").write_text(_DEBIAN_SOURCES)
    for folder in ("var/lib/apt/lists", "var/cache/apt", "var/log"):
        shutil.rmtree(system / folder)
        (system / folder).mkdir()
    for name in ("etc/machine-id", "etc/hostname", "etc/resolv.conf"):
        (system / name).write_text("")
    # apt would else keep every package file it has fetched, in every layer.
    (system / "etc/apt/apt.conf.d/docker-clean").write_text(
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb || true"; };\n'
    )


def _import_system(client: docker.DockerClient, system: Path, name: str) -> None:
    repository, tag = name.split(":")
    archive = subprocess.Popen(
        ["tar", "--numeric-owner", "-C", str(system), "-c", "."], stdout=subprocess.PIPE
    )
    with archive:
        # docker-py's stubs want bytes; requests takes any stream that can be read.
        client.api.import_image_from_data(
            cast(bytes, archive.stdout),
            repository=repository,
            tag=tag,
            changes=['CMD ["bash"]'],
        )
    if archive.returncode != 0:
        raise SetupError(f"Image {name} could not be made: tar ended with {archive.returncode}.")
