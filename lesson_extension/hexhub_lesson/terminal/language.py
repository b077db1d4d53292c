"""The language that the command speaks: chosen, stored."""

import os

from hexhub_lesson.terminal import PASSED, Impossible
from hexhub_lesson.terminal.command_line import Options
from hexhub_lesson.terminal.session import Session
from hexhub_lesson.terminal.texts import LANGUAGES

LOCALE_FILE = ".config/hexhub/locale"


def choose_locale(options: Options, remembered: str, folder: str) -> str:
    """Give the language that the student chose, or empty.

    The order: the command line, ``HEXHUB_LOCALE``, what ``lesson locale`` stored. Where none of
    them says anything, the server answers in the language of the browser's panel.

    Args:
        remembered: Name of the file that ``lesson locale`` writes, below ``folder``.
    """
    stored = ""
    try:
        with open(f"{folder}/{remembered}", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            stored = file.read(16).strip()
    except OSError:
        pass
    for choice in (options.locale, os.environ.get("HEXHUB_LOCALE", ""), stored):
        if choice[:2] in LANGUAGES:
            return choice[:2]
    return ""


def store_locale(session: Session) -> int:
    """``lesson locale ru``: speak this language from now on."""
    screen, wanted = session.screen, session.options.argument
    if wanted not in LANGUAGES:
        raise Impossible(screen.say("locale_unknown", locale=wanted))
    path = f"{home()}/{LOCALE_FILE}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(f"{wanted}\n")
    except OSError as exc:
        raise Impossible(f"{path}: {exc.strerror}") from exc
    screen.locale = wanted
    screen.print(screen.say("locale_set"))
    return PASSED


def home() -> str:
    """Name the home folder."""
    return os.environ.get("HOME") or "/"
