"""The pack of modules in the shipped images: it is there, it fits, and a start comes out of it."""

import json

import docker
import pytest

from hexhub.images.shipped import SHIPPED_IMAGES

PROGRAM = """
import json, sys
from hexhub_lesson.import_pack import PackedLoader, use_pack
before = set(sys.modules)
entries = use_pack()
import hexhub_lesson.machine_process
hexhub_lesson.machine_process.preload(entries)
loaders = {
    name: type(module.__spec__.loader).__name__
    for name, module in sys.modules.items()
    if name not in before and module is not None and getattr(module, "__spec__", None)
}
print(json.dumps({"fits": entries is not None, "loaders": loaders}))
"""

OF_FILES = {"SourceFileLoader", "NamespaceLoader"}


@pytest.mark.parametrize("image", [image.tag for image in SHIPPED_IMAGES[1:]])
def test_a_start_reads_no_files_of_modules(image: str) -> None:
    """All code that a machine loads is in the pack; what is loaded late is found as ever."""
    client = docker.from_env()
    try:
        said: bytes = client.containers.run(
            image,
            entrypoint=["/opt/hexhub/bin/python", "-I", "-c", PROGRAM],
            network_mode="none",
            remove=True,
        )
    finally:
        client.close()
    told = json.loads(said)
    assert told["fits"]
    assert len(told["loaders"]) > 500
    assert {name for name, loader in told["loaders"].items() if loader in OF_FILES} == set()
