"""What goes into an image: the files that count, and their hash.

Design choices: whether an image is built again is decided by a hash of everything that goes into it
(its folder, HexHub's wheels, its parent's id, the host's extra certificates), kept as the label
``hexhub.inputs`` on the image itself, so that no file beside Docker can disagree with Docker. File
times are not looked at: a fresh clone has new ones.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

INPUTS_LABEL = "hexhub.inputs"
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")

_NOT_INPUTS = frozenset(
    {
        ".git",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
        "__pycache__",
        "__tests__",
        "build",
        "dist",
        "lib",
        "labextension",
        "node_modules",
        "tests",
    }
)


def list_host_certificates(folder: Path = HOST_CERTIFICATES) -> dict[str, bytes]:
    """List the host's extra certificate authorities: file name → PEM text; often empty."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("**/*.crt"))}


def hash_files(files: Mapping[str, bytes], *more: str) -> str:
    """Hash names and contents, and any further texts, into 64 hex digits; order does not matter."""
    digest = hashlib.sha256()
    for name in sorted(files):
        data = files[name]
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    for text in more:
        digest.update(f"\0{text}".encode())
    return digest.hexdigest()


def read_inputs(folder: Path) -> dict[str, bytes]:
    """Read the files below a source folder that count as its inputs: posix path → bytes.

    Left out are links, tests, and what tools make (``node_modules``, ``build``, ``*.egg-info`` …).
    """
    files: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        names = inside.parts
        is_made = any(name in _NOT_INPUTS or name.endswith(".egg-info") for name in names)
        is_log = path.suffix in {".pyc", ".tsbuildinfo"}
        if not is_made and not is_log and path.is_file() and not path.is_symlink():
            files[inside.as_posix()] = path.read_bytes()
    return files
