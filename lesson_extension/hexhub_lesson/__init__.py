"""The student's side of HexHub: a Jupyter Server extension, the ``lesson`` command, the start.

Nothing heavy is imported here: the ``lesson`` command passes through this module each time.
"""

__version__ = "0.1.0"


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    """Tell Jupyter Server which extension this package has."""
    from hexhub_lesson.app import LessonExtension  # heavy, and wanted only by Jupyter Server

    return [{"module": "hexhub_lesson.app", "app": LessonExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell ``jupyter-builder develop`` where the built front end is."""
    return [{"src": "labextension", "dest": "hexhub-lesson"}]
