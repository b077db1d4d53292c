"""Images that HexHub built go on a real Docker; what others made or use stays."""

import io
import secrets
import tarfile
from collections.abc import Iterator

import docker
import pytest

from hexhub.docker_client import connect_for_images
from hexhub.image_removal import remove_built_images
from hexhub.images.inputs import INPUTS_LABEL


class Shelf:
    """Tiny images, whose label has a value that only this test's have."""

    def __init__(self, client: docker.DockerClient) -> None:
        self.client = client
        self.mark = secrets.token_hex(6)
        self.label = f"{INPUTS_LABEL}={self.mark}"

    def put(self, name: str, *, is_ours: bool = True) -> str:
        """Put an image with one file there, and give its name."""
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            archive.addfile(tarfile.TarInfo(f"{name}-{self.mark}"))
        changes = [f"LABEL {self.label}"] if is_ours else []
        tag = f"hexhub/{name}-{self.mark}"
        self.client.api.import_image_from_data(data.getvalue(), repository=tag, changes=changes)
        return f"{tag}:latest"

    @property
    def names(self) -> set[str]:
        """What is there of it."""
        found = self.client.images.list(filters={"reference": f"hexhub/*-{self.mark}"})
        return {name for image in found for name in image.tags}


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    """An empty one; what is on it at the end goes."""
    shelf = Shelf(connect_for_images())
    yield shelf
    for name in shelf.names:
        shelf.client.images.remove(name, force=True)
    shelf.client.close()


def test_what_hexhub_built_goes_with_all_its_names(shelf: Shelf) -> None:
    """One with two names, and one that a newer build left without a name."""
    built = shelf.put("built")
    shelf.client.images.get(built).tag(f"hexhub/second-{shelf.mark}")
    replaced = shelf.client.images.get(shelf.put("replaced")).id
    shelf.client.images.get(built).tag(f"hexhub/replaced-{shelf.mark}")

    removal = remove_built_images(shelf.client, shelf.label)

    assert shelf.names == set()
    assert replaced in removal.removed
    assert removal.kept == ()


def test_an_image_of_others_with_such_a_name_stays(shelf: Shelf) -> None:
    """The label tells whose it is."""
    foreign = shelf.put("foreign", is_ours=False)
    shelf.put("built")

    remove_built_images(shelf.client, shelf.label)

    assert shelf.names == {foreign}


def test_an_image_that_a_container_stands_on_stays_and_is_named(shelf: Shelf) -> None:
    """It may be the machine of a student of another HexHub on this computer."""
    used = shelf.put("used")
    container = shelf.client.containers.create(used, ["nothing"])
    try:
        removal = remove_built_images(shelf.client, shelf.label)
        assert removal.kept == (used,)
        assert shelf.names == {used}
    finally:
        container.remove()
