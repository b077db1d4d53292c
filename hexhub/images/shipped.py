"""The images that HexHub ships: which there are, and that they are built."""

import fcntl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from hexhub.errors import SetupError
from hexhub.images.build_log import Progress
from hexhub.images.docker_build import build_if_changed
from hexhub.images.inputs import list_host_certificates, read_inputs
from hexhub.images.os_image import OS_IMAGE, ensure_os_image
from hexhub.images.wheels import build_wheels

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ShippedImage:
    """One image that HexHub ships.

    Attributes:
        name: Name of its folder below ``images/``.
        parent: What its Dockerfile starts from.
        has_wheels: True where HexHub's own wheels are installed as its last layer.
    """

    name: str
    parent: str
    has_wheels: bool = True

    @property
    def tag(self) -> str:
        """Name at Docker, such as ``hexhub/base``."""
        return f"hexhub/{self.name}"


FOUNDATION = ShippedImage("foundation", parent=OS_IMAGE, has_wheels=False)
SHIPPED_IMAGES = (
    FOUNDATION,
    *(ShippedImage(n, FOUNDATION.tag) for n in ("base", "python", "web", "postgres", "data")),
)
"""All shipped images in the order in which they are built."""


def build_images(
    client: docker.DockerClient,
    progress: Progress,
    only: Iterable[str] | None = None,
    *,
    root: Path = PROJECT_ROOT,
) -> None:
    """Build what has changed of the shipped images, in order.

    Args:
        client: Docker.
        progress: Takes one readable line for each step.
        only: Names such as ``base`` or ``hexhub/web``; what they start from is built too.
        root: The project's folder, with ``images/`` and ``lesson_extension/``.

    Raises:
        SetupError: No such image; or a build failed: the message has the end of its log.
    """
    wanted = _choose_images(only)
    with _one_build_at_a_time(root / ".cache" / "images", progress) as cache:
        ensure_os_image(client, progress)
        certificates = list_host_certificates()
        wheels = build_wheels(root, cache, certificates, progress)
        for image in wanted:
            _build_shipped(client, image, root, wheels, certificates, progress)


def _choose_images(only: Iterable[str] | None) -> list[ShippedImage]:
    if only is None:
        return list(SHIPPED_IMAGES)
    names = {name.removeprefix("hexhub/") for name in only}
    unknown = names - {image.name for image in SHIPPED_IMAGES}
    if unknown:
        known = ", ".join(image.name for image in SHIPPED_IMAGES)
        raise SetupError(f"No image '{sorted(unknown)[0]}' is shipped. There are: {known}.")
    names.add(FOUNDATION.name)
    return [image for image in SHIPPED_IMAGES if image.name in names]


@contextmanager
def _one_build_at_a_time(cache: Path, progress: Progress) -> Iterator[Path]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("images: another build is running; waiting for it to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


def _build_shipped(
    client: docker.DockerClient,
    image: ShippedImage,
    root: Path,
    wheels: Mapping[str, bytes],
    certificates: Mapping[str, bytes],
    progress: Progress,
) -> None:
    context = read_inputs(root / "images" / image.name)
    if image.has_wheels:
        context |= {f"hexhub/{name}": data for name, data in wheels.items()}
    else:
        context |= {f"certificates/{name}": data for name, data in certificates.items()}
    parent_id = client.images.get(image.parent).id
    build_if_changed(client, image.tag, context, str(parent_id), progress)
