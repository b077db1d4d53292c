"""HexHub's own wheels, which are installed as the last layer of most shipped images."""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from hexhub.images.build_log import Progress
from hexhub.images.inputs import hash_files, read_inputs
from hexhub.images.programs import run_program

HOST_CERTIFICATE_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def build_wheels(
    root: Path, cache: Path, certificates: Mapping[str, bytes], progress: Progress
) -> dict[str, bytes]:
    """Give what goes into ``hexhub/`` of the build contexts: two wheels and ``install.sh``.

    Args:
        root: The project's folder.
        cache: Where they are kept; one build at a time may use it.
        certificates: The host's extra certificate authorities.
        progress: Takes one readable line for each step.

    Raises:
        SetupError: pip or npm failed, or is not installed.
    """
    lesson = read_inputs(root / "lesson_extension")
    check = read_inputs(root / "images" / "hexhub_check")
    wheels = cache / "wheels" / hash_files(lesson | {f"check/{n}": d for n, d in check.items()})
    if not wheels.is_dir():
        started = time.monotonic()
        progress("hexhub-lesson, hexhub-check: building the wheels")
        made = Path(tempfile.mkdtemp(dir=cache))
        environment = _tool_environment(certificates)
        _make_wheel(_lay_out(check, cache / "hexhub_check"), made, environment)
        source = _lay_out(lesson, cache / "lesson_extension")
        _build_front_end(source, lesson["package-lock.json"], environment, progress)
        _make_wheel(source, made, environment)
        shutil.rmtree(cache / "wheels", ignore_errors=True)
        wheels.parent.mkdir(parents=True)
        made.rename(wheels)
        progress(f"hexhub-lesson, hexhub-check: built in {time.monotonic() - started:.1f} s")
    files = {path.name: path.read_bytes() for path in wheels.glob("*.whl")}
    return files | {"install.sh": (root / "images" / "finish" / "install.sh").read_bytes()}


def _lay_out(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write the sources into a folder of the cache, keeping only its ``node_modules``.

    Building there leaves nothing in the project's folder, and takes nothing stale from it.
    """
    folder.mkdir(exist_ok=True)
    for entry in folder.iterdir():
        if entry.name in {"node_modules", "node_modules.stamp"}:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def _build_front_end(
    source: Path, lock: bytes, environment: Mapping[str, str], progress: Progress
) -> None:
    stamp = source / "node_modules.stamp"
    wanted = hashlib.sha256(lock).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        progress("hexhub-lesson: npm install")
        # Not `npm ci`: it refuses a lock file that lacks an optional package of another platform,
        # and not every registry has all of them. Versions still come from the lock file.
        run_program(["npm", "install", "--no-audit", "--no-fund"], source, environment)
        stamp.write_text(wanted)
    progress("hexhub-lesson: npm run build")
    run_program(["npm", "run", "build"], source, environment)


def _make_wheel(source: Path, target: Path, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
    run_program([*command, "--wheel-dir", str(target), "."], source, environment)


def _tool_environment(certificates: Mapping[str, bytes]) -> dict[str, str]:
    """Give the environment of pip and npm: our Python's folder first, the host's certificates."""
    programs = str(Path(sys.executable).parent)
    environment = dict(os.environ)
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if certificates and HOST_CERTIFICATE_BUNDLE.is_file():
        environment.setdefault("PIP_CERT", str(HOST_CERTIFICATE_BUNDLE))
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(HOST_CERTIFICATE_BUNDLE))
    return environment
