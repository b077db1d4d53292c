"""``hexhub images``: build the images that lessons run in."""

import time

import click
import docker
from docker.errors import DockerException

from hexhub.docker_client import connect_for_images
from hexhub.errors import DockerUnavailable
from hexhub.image_removal import prune_replaced_images, remove_built_images
from hexhub.images.shipped import SHIPPED_IMAGES, build_images


@click.group()
def images() -> None:
    """Build the Docker images that lessons run in."""


@images.command()
@click.argument("names", nargs=-1)
def build(names: tuple[str, ...]) -> None:
    """Build what has changed; all shipped images, or only those NAMES (base, web …)."""
    started = time.monotonic()
    client = _connect()
    build_images(client, click.echo, names or None)
    freed = prune_replaced_images(client)
    if freed:
        click.echo(f"images: {freed / 1e6:.0f} MB of replaced ones removed")
    click.echo(f"images: done in {time.monotonic() - started:.1f} s")


@images.command("list")
def list_images() -> None:
    """List the shipped images, in the order in which they are built."""
    for image in SHIPPED_IMAGES:
        click.echo(image.tag)


@images.command()
@click.confirmation_option("--yes", prompt="Remove every image that HexHub built on this computer?")
def remove() -> None:
    """Remove all images that HexHub built here; those that containers stand on stay."""
    removal = remove_built_images(_connect())
    click.echo(f"Removed {len(removal.removed)} image(s).")
    if removal.kept:
        click.echo(f"Kept, since containers stand on them: {', '.join(sorted(removal.kept))}")


def _connect() -> docker.DockerClient:
    try:
        return connect_for_images()
    except DockerException as exc:
        raise DockerUnavailable(
            f"Docker does not answer ({exc}). Start it, or run 'hexhub doctor' to see why."
        ) from exc
