"""Adds the built front end to the distribution; everything else stands in ``setup.cfg``.

Design choices: ``data_files`` in ``setup.cfg`` wants one line for each folder, and a name that
matches nothing is passed over in silence, so that a wheel without its front end would look whole.
Here the folder is walked, and where it is missing the build ends with a sentence. Hatchling has
``shared-data`` for this, but would be a second build tool beside the project's setuptools.
"""

import os
from pathlib import Path

from setuptools import setup

HERE = Path(__file__).resolve().parent
BUILT = Path("hexhub_lesson/labextension")
SHARE = Path("share/jupyter/labextensions/hexhub-lesson")
WITHOUT_FRONTEND = "HEXHUB_LESSON_WITHOUT_FRONTEND"


def list_frontend() -> list[tuple[str, list[str]]]:
    """List the built front end as ``data_files``, one entry for each folder.

    Raises:
        SystemExit: It has not been built, and ``HEXHUB_LESSON_WITHOUT_FRONTEND`` is not ``1``.
    """
    if not (HERE / BUILT / "package.json").is_file():
        if os.environ.get(WITHOUT_FRONTEND) == "1":
            return []
        raise SystemExit(
            f"The front end is not built: {HERE / BUILT}/package.json is missing. "
            "Run 'npm ci && npm run build' in lesson_extension/ first, or set "
            f"{WITHOUT_FRONTEND}=1 to develop the Python side alone."
        )
    by_folder: dict[Path, list[str]] = {SHARE: ["install.json"]}
    for path in sorted((HERE / BUILT).rglob("*")):
        if path.is_file():
            inside = path.relative_to(HERE / BUILT)
            by_folder.setdefault(SHARE / inside.parent, []).append(str(BUILT / inside))
    return [(str(folder), files) for folder, files in by_folder.items()]


setup(
    data_files=[
        ("etc/jupyter/jupyter_server_config.d", ["jupyter-config/hexhub_lesson.json"]),
        ("etc/jupyter/labconfig", ["jupyter-config/labconfig/default_setting_overrides.json"]),
        ("etc/hexhub", ["shell/hexhub.sh", "shell/hexhub.zsh"]),
        ("share/hexhub", ["shell/lesson"]),
        ("share/zsh/site-functions", ["shell/_lesson"]),
        *list_frontend(),
    ]
)
