"""The IDE's terminals: where they start, and what their shells tell of finished commands."""

import os
import secrets
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from jupyter_events import EventLogger
from jupyter_server_terminals.terminalmanager import TerminalManager

from hexhub_lesson.event_bus import emit_event
from hexhub_lesson.finished_commands import CommandReader

NONCE_VARIABLE = "HEXHUB_TERMINAL"
"""Tells a shell that its terminal listens, and by which word it is believed."""
RECORDS_VARIABLE = "HEXHUB_RECORDS"
"""What the lesson records beyond the usual: ``command_text`` or nothing; set by the hub."""


def can_enter(path: Path) -> bool:
    """Tell whether ``path`` is a folder that this process may list and work in."""
    return os.access(path, os.R_OK | os.X_OK) and path.is_dir()


def tell_terminals(settings: MutableMapping[str, Any], sentence: str) -> None:
    """Show a line in every terminal that somebody has open; that does not count as its use.

    Args:
        settings: Of the server's web application.
        sentence: What is said.
    """
    manager = settings.get("terminal_manager")
    if manager is None:
        return
    before = settings.get("terminal_last_activity")
    line = f"\r\n\x1b[7m {sentence} \x1b[0m\r\n"
    for terminal in manager.terminals.values():
        used_at = getattr(terminal, "last_activity", None)
        for client in terminal.clients:
            client.on_pty_read(line)
        if terminal.clients:
            terminal.read_buffer.append(line)
        if used_at is not None:
            terminal.last_activity = used_at
    if before is not None:
        settings["terminal_last_activity"] = before


class WorkTerminals(TerminalManager):
    """Terminals that start in ``~/work`` and tell the event bus of commands that have ended."""

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

    def new_terminal(self, **kwargs: Any) -> Any:
        """Start a shell whose output is looked through for what it tells us."""
        nonce = secrets.token_hex(8)
        own = {**(kwargs.get("extra_env") or {}), NONCE_VARIABLE: nonce}
        terminal = super().new_terminal(**{**kwargs, "extra_env": own})
        reader = CommandReader(nonce)
        read = terminal.ptyproc.read
        has_text = os.environ.get(RECORDS_VARIABLE) == "command_text"
        logger: EventLogger = self.parent.event_logger  # type: ignore[union-attr] # the server

        def read_and_look(size: int = 1024) -> str:
            piece: str = read(size)
            for command in reader.feed(piece):
                emit_event(
                    logger,
                    "terminal_command_finished",
                    {
                        "exit_status": command.exit_status,
                        "duration_ms": command.duration_ms,
                        "text": command.text if has_text else "",
                    },
                )
            return piece

        terminal.ptyproc.read = read_and_look
        return terminal
