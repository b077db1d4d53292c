"""The Jupyter Server extension of a lesson."""

from jupyter_server.extension.application import ExtensionApp


class LessonExtension(ExtensionApp):
    """Serves the lesson below ``{base_url}hexhub/`` and on a unix socket for the terminal."""

    name = "hexhub_lesson"
    load_other_extensions = True
