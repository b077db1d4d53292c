"""The set-up of the lesson's server is one value."""

from pathlib import Path

from hexhub_lesson.preview_pages import rewrite_page
from hexhub_lesson.server_config import UNUSED_EXTENSIONS, server_config


def test_the_whole_value() -> None:
    """Everything that is set, and nothing else."""
    config = server_config(
        Path("/home/student"), Path("/home/student/work"), uid=1000, base_url="/u/"
    )
    assert config == {
        "ServerApp": {
            "root_dir": "/home/student",
            "default_url": "/lab",
            "open_browser": False,
            "allow_root": False,
            "quit_button": False,
            "disable_check_xsrf": False,
            "terminado_settings": {"shell_command": ["/bin/bash", "-l"]},
            "static_immutable_cache": [
                "/u/lab/extensions/hexhub-lesson/static/",
                "/u/lab/extensions/@jupyterhub/jupyter-server-proxy/static/",
                "/u/lab/extensions/jupyterlab_pygments/static/",
                "/u/static/favicons/",
            ],
            "kernel_spec_manager_class": "hexhub_lesson.kernels.SystemKernels",
            "jpserver_extensions": {
                "hexhub_lesson": True,
                "jupyterhub": True,
                **dict.fromkeys(UNUSED_EXTENSIONS, False),
            },
        },
        "TerminalsExtensionApp": {
            "terminal_manager_class": "hexhub_lesson.terminals.WorkTerminals"
        },
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "ServerProxy": {"non_service_rewrite_response": rewrite_page},
        "FileContentsManager": {"preferred_dir": "/home/student/work"},
        "KernelManager": {"shutdown_wait_time": 0.6},
    }


def test_root_may_run_it_only_where_the_lesson_is_for_root() -> None:
    """Jupyter's own brake stays on for everybody else."""
    config = server_config(Path("/root"), Path("/root/work"), uid=0)
    assert config["ServerApp"]["allow_root"] is True
