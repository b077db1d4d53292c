"""How the Jupyter Server of a lesson is set up: one value, made by a pure function.

Design choices: the values could stand in a ``jupyter_server_config.py`` of the image, but then a
course's own image could not see, test or override them one by one. As they are given to the server
as its first configuration, a file in the image's ``/etc/jupyter`` still wins over them. Files in
the student's home are not read (``JUPYTERHUB_DISABLE_USER_CONFIG``): a typing error in
``~/.jupyter/jupyter_server_config.py`` must not keep the whole machine from starting.
"""

from pathlib import Path

from hexhub_lesson.preview_pages import rewrite_page

UNUSED_EXTENSIONS = (
    "jupyter_lsp",
    "nbclassic",
    "nbgrader.server_extensions.assignment_list",
    "nbgrader.server_extensions.course_list",
    "nbgrader.server_extensions.formgrader",
    "nbgrader.server_extensions.validate_assignment",
    "notebook",
    "notebook_shim",
)
"""Server extensions that come along with other packages, cost start time and serve no lesson."""

HASHED_EXTENSIONS = (
    "hexhub-lesson",
    "@jupyterhub/jupyter-server-proxy",
    "jupyterlab_pygments",
)
"""Front ends that are on, whose files have a hash of themselves in their names or addresses."""

KERNEL_SHUTDOWN_S = 0.6
"""Seconds that kernels have to end; the stock 5 s would make every stop wait for a busy one."""

Config = dict[str, dict[str, object]]


def server_config(root: Path, preferred: Path, *, uid: int, base_url: str = "/") -> Config:
    """Give the configuration of the lesson's server, class by class as traitlets wants it.

    Args:
        root: Root of the file browser: the home folder, as the paths in a lesson's ``open`` are
            below it. It must exist, or the server ends.
        preferred: Where the file browser starts, at or below ``root``. It must exist too.
        uid: Numeric id the server runs as; 0 in lessons for root.
        base_url: Path of the server, with slashes around it.
    """
    return {
        "ServerApp": {
            "root_dir": str(root),
            "default_url": "/lab",
            "open_browser": False,
            "allow_root": uid == 0,
            "quit_button": False,
            "disable_check_xsrf": False,
            "terminado_settings": {"shell_command": ["/bin/bash", "-l"]},
            # JupyterLab has browsers ask for each of these again, at each opening of the page.
            "static_immutable_cache": [
                *(f"{base_url}lab/extensions/{name}/static/" for name in HASHED_EXTENSIONS),
                f"{base_url}static/favicons/",
            ],
            "kernel_spec_manager_class": "hexhub_lesson.kernels.SystemKernels",
            # hexhub_lesson also where its jupyter_server_config.d is not installed (pip -e);
            # "jupyterhub" is the single-user server itself: given by name, as this value takes the
            # place of the one that jupyter_server makes (ExtensionApp.initialize_server).
            "jpserver_extensions": {
                "hexhub_lesson": True,
                "jupyterhub": True,
                **dict.fromkeys(UNUSED_EXTENSIONS, False),
            },
        },
        "TerminalsExtensionApp": {
            "terminal_manager_class": "hexhub_lesson.terminals.WorkTerminals",
        },
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "ServerProxy": {"non_service_rewrite_response": rewrite_page},
        "FileContentsManager": {"preferred_dir": str(preferred)},
        "KernelManager": {"shutdown_wait_time": KERNEL_SHUTDOWN_S},
    }
