"""Runs one command: reads its words, calls it, and says what went wrong."""

import io
import os
import sys
from collections.abc import Callable
from typing import TextIO

from hexhub_lesson import wire
from hexhub_lesson.private_folder import private_folder, socket_path
from hexhub_lesson.socket_client import NoServer, SocketClient
from hexhub_lesson.terminal import IMPOSSIBLE, INTERRUPTED, PASSED, Impossible
from hexhub_lesson.terminal.check import check_step
from hexhub_lesson.terminal.command_line import Options, read_options
from hexhub_lesson.terminal.greeting import greet
from hexhub_lesson.terminal.hints import take_hint
from hexhub_lesson.terminal.language import LOCALE_FILE, choose_locale, home, store_locale
from hexhub_lesson.terminal.markdown import clean
from hexhub_lesson.terminal.reset import reset
from hexhub_lesson.terminal.screen import Screen, clear_line
from hexhub_lesson.terminal.session import Session
from hexhub_lesson.terminal.solution import show_solution
from hexhub_lesson.terminal.steps import go_on, mark_done, show_status, show_steps, show_task
from hexhub_lesson.terminal.texts import LANGUAGES


def show_help(session: Session) -> int:
    """``lesson --help``."""
    session.screen.out.write(session.screen.say("usage"))
    return PASSED


def show_history(session: Session) -> int:
    """``lesson history``."""
    from hexhub_lesson.terminal import history  # it reads times, which most runs do not

    return history.show_history(session)


COMMANDS: dict[str, Callable[[Session], int]] = {
    "status": show_status,
    "steps": show_steps,
    "task": show_task,
    "check": check_step,
    "next": go_on,
    "hint": take_hint,
    "history": show_history,
    "done": mark_done,
    "solution": show_solution,
    "locale": store_locale,
    "reset": reset,
    "greet": greet,
    "help": show_help,
}


def _explain_no_server(screen: Screen) -> str:
    # In a shell of another user (`su postgres`) the socket is somebody else's: say whose.
    import pwd

    me = os.getuid()
    for name in os.listdir("/tmp"):  # noqa: S108, PTH208
        owner = name.removeprefix(".hexhub-")
        if not (name.startswith(".hexhub-") and owner.isdecimal() and int(owner) != me):
            continue
        try:
            if os.lstat(private_folder(int(owner))).st_uid == int(owner):
                names = [pwd.getpwuid(uid).pw_name for uid in (int(owner), me)]
                return screen.say("other_user", user=names[0], me=names[1])
        except (OSError, KeyError):
            continue
    return screen.say("no_server")


def main(words: list[str], out: TextIO | None = None) -> int:
    """Run the command and give its exit code."""
    if out is None and isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal without UTF-8 shows question marks, and no traceback.
        sys.stdout.reconfigure(errors="replace")
    stdout = sys.stdout if out is None else out
    system = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG", "")
    blank = Options()
    try:
        options = read_options(words)
    except Impossible as exc:
        screen = Screen(stdout, locale=choose_locale(blank, LOCALE_FILE, home()) or system[:2])
        _complain(screen, screen.say("unknown_command", command=exc))
        return IMPOSSIBLE
    locale = choose_locale(options, LOCALE_FILE, home())
    screen = Screen(stdout, locale=locale or system[:2])
    if options.locale and options.locale[:2] not in LANGUAGES:
        _complain(screen, screen.say("locale_unknown", locale=options.locale))
        return IMPOSSIBLE
    session = Session(SocketClient(socket_path(os.getuid())), options, screen, locale)
    try:
        code = COMMANDS[options.command](session)
        stdout.flush()
    except Impossible as exc:
        _complain(screen, str(exc))
    except wire.Refusal as exc:
        _complain(screen, str(exc))
    except wire.AnswerInvalid as exc:
        _complain(screen, screen.say("bad_answer", message=exc))
    except NoServer:
        _complain(screen, _explain_no_server(screen))
    except KeyboardInterrupt:
        clear_line(screen)
        return INTERRUPTED
    except BrokenPipeError:
        # `lesson task | head`: nobody reads any more; Python must not say so at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return PASSED
    else:
        return code
    return IMPOSSIBLE


def _complain(screen: Screen, sentence: str) -> None:
    screen.out.flush()
    print(clean(sentence), file=sys.stderr)
