"""``hexhub images``: build the images that lessons run in."""

import time

import click
from docker.errors import DockerException

from hexhub.docker_client import connect_for_images
from hexhub.errors import DockerUnavailable
from hexhub.images import SHIPPED_IMAGES, build_images


@click.group()
def images() -> None:
    """Build the Docker images that lessons run in."""


@images.command()
@click.argument("names", nargs=-1)
def build(names: tuple[str, ...]) -> None:
    """Build what has changed; all shipped images, or only those NAMES (base, web …)."""
    started = time.monotonic()
    try:
        client = connect_for_images()
    except DockerException as exc:
        raise DockerUnavailable(
            f"Docker does not answer ({exc}). Start it, or run 'hexhub doctor' to see why."
        ) from exc
    build_images(client, click.echo, names or None)
    click.echo(f"images: done in {time.monotonic() - started:.1f} s")


@images.command("list")
def list_images() -> None:
    """List the shipped images, in the order in which they are built."""
    for image in SHIPPED_IMAGES:
        click.echo(image.tag)
