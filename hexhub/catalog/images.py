"""Pictures of a lesson: what its texts show with ``![words](images/NAME)``.

They stand in ``<locale>/images/``, or in ``images/`` of the lesson where they need no words. Their
names are one part, so that no name leads elsewhere. They are handed out as data and never at an
address of their own: an SVG that is opened as a page may run script, one in an ``<img>`` may not.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hexhub.catalog.model import Lesson, Locale
from hexhub.catalog.overlays import lesson_folder

FOLDER = "images"
MAX_IMAGE_BYTES = 2 * 1024**2
MEDIA_TYPES = {
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class LessonImage:
    """A picture."""

    media_type: str
    data: bytes


def find_image(
    course_folder: Path, lesson: Lesson, name: str, locales: Sequence[Locale]
) -> LessonImage | None:
    """Give the picture of that name, in the first of these languages that has it; else None.

    None also for what is too large, or not a picture by the end of its name.
    """
    media_type = MEDIA_TYPES.get(Path(name).suffix.lower())
    if media_type is None or not NAME.fullmatch(name):
        return None
    base = lesson_folder(course_folder, lesson)
    for folder in (*(base / locale / FOLDER for locale in locales), base / FOLDER):
        path = folder / name
        if path.is_file() and path.stat().st_size <= MAX_IMAGE_BYTES:
            return LessonImage(media_type, path.read_bytes())
    return None
