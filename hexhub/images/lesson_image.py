"""The image of a lesson with a Dockerfile: what may go into it, its name, and that it is built."""

import re
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from hexhub.errors import ImageMissing, SetupError
from hexhub.images.build_log import Progress
from hexhub.images.docker_build import build_if_changed
from hexhub.images.inputs import hash_files
from hexhub.images.shipped import SHIPPED_IMAGES
from hexhub.names import CourseName, LessonName

_NOT_IN_LESSON_IMAGE = frozenset({"checks", "solution", "wrong", "lesson.ipynb", "lesson.yml"})
_LOCALE_FOLDER = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*")


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
    build_if_changed(client, tag, context, parent_id, progress)
    return tag
