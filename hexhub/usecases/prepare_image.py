"""The image of a lesson is there: built where the lesson has a Dockerfile."""

from collections.abc import Callable
from pathlib import Path

from hexhub.catalog.model import Lesson
from hexhub.catalog.overlays import lesson_folder


def prepare_image(course_folder: Path, lesson: Lesson, say: Callable[[str], None]) -> None:
    """Build the image of a lesson with ``build: .`` and name it as the lesson does.

    The builder names what it builds by the files that go into it, so that a change elsewhere in
    the course builds nothing; the lesson's own name bears the course's version, so that every
    published version keeps its image.

    Raises:
        SetupError: It cannot be built; the message has the end of the log.
        ImageMissing: What it starts from is not on this computer.
        DockerUnavailable: Docker does not answer.
    """
    if not lesson.builds_image:
        return
    # Docker's client takes a tenth of a second to import; most lessons build nothing.
    from docker.errors import DockerException

    from hexhub.docker_client import connect_for_images
    from hexhub.errors import DockerUnavailable
    from hexhub.images.lesson_image import build_lesson_image

    try:
        client = connect_for_images()
        try:
            folder = lesson_folder(course_folder, lesson)
            built = build_lesson_image(client, folder, lesson.course, lesson.name, say)
            if built != lesson.image:
                repository, _, tag = lesson.image.partition(":")
                client.images.get(built).tag(repository, tag or "latest")
        finally:
            client.close()
    except DockerException as exc:
        raise DockerUnavailable(
            f"Docker does not answer ({exc}). Start it, or run 'hexhub doctor' to see why."
        ) from exc
