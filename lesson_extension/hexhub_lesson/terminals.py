"""The IDE's terminals: they start in ``~/work``, and also when that folder is gone."""

import os
from pathlib import Path
from typing import Any

from jupyter_server_terminals.terminalmanager import TerminalManager


def can_enter(path: Path) -> bool:
    """Tell whether ``path`` is a folder that this process may list and work in."""
    return os.access(path, os.R_OK | os.X_OK) and path.is_dir()


class WorkTerminals(TerminalManager):
    """Terminals that start in ``~/work`` unless another existing folder was asked for."""

    def create(self, **kwargs: Any) -> dict[str, Any]:
        """Start a terminal and give its model.

        A folder that is gone (``rm -r ~/work`` is a thing that students try) would make the start
        of the shell fail, and with it the way to repair it.
        """
        home = Path.home()
        asked = Path(kwargs["cwd"]) if kwargs.get("cwd") else home / "work"
        folders = (folder for folder in (asked, home, Path("/")) if can_enter(folder))
        model: dict[str, Any] = super().create(**{**kwargs, "cwd": str(next(folders))})
        return model
