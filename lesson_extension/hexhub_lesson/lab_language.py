"""The language of JupyterLab's own menus, where the student has chosen none in its settings.

Design choices: JupyterLab's setting "default" stands for the language of the server's environment,
which jupyterlab_server reads once, when it is imported. A lesson's server has one student, whose
browser says with each page which language it is read in, so that value is replaced with each page.
To have ``LANG`` say it would change what the programs in the terminal speak, and come too early:
the language can be chosen on each page. To write it into the student's settings would look like a
choice of theirs.
"""

from importlib.metadata import entry_points

from jupyterlab_server import settings_utils, translations_handler

PACKS = "jupyterlab.languagepack"
"""Group of entry points by which installed packages say what languages they bring."""

ENGLISH = "en"
"""What JupyterLab is written in; it then translates nothing, and saves that time."""

_DEFAULT = "SYS_LOCALE"


def set_lab_language(language: str) -> None:
    """Have JupyterLab speak a language, where there is a package for it, and else English.

    Args:
        language: Such as ``ru``; of several packages for one, such as ``pt_BR`` and ``pt_PT``, it
            is the first.
    """
    names = sorted(entry.name for entry in entry_points(group=PACKS))
    found = next((name for name in names if name.split("_")[0] == language), ENGLISH)
    for module in (settings_utils, translations_handler):
        setattr(module, _DEFAULT, found)
