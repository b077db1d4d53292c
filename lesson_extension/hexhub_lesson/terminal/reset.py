"""``lesson reset``: a file, or the whole machine, as at the beginning; ``--undo`` takes it back."""

import os
import sys

from hexhub_lesson import wire
from hexhub_lesson.terminal import PASSED, Impossible
from hexhub_lesson.terminal.language import home
from hexhub_lesson.terminal.session import Session


def reset(session: Session) -> int:
    """Reset what was named: a file, or without one the machine."""
    session.read_lesson()  # for its language
    if session.options.argument:
        return _reset_file(session, session.options.argument)
    return _reset_machine(session)


def _reset_file(session: Session, named: str) -> int:
    from urllib.parse import quote  # only who resets a file pays for it

    screen, is_undo = session.screen, session.options.is_undo
    path = path_below_work(named, os.getcwd(), f"{home()}/work")  # noqa: PTH109
    reply = session.ask(
        "POST", f"files/{'undo' if is_undo else 'reset'}?path={quote(path, safe='')}"
    )
    if session.options.is_json:
        session.print_json(reply)
        return PASSED
    files = wire.parse_files(reply.data)
    for file in files:
        screen.print(screen.say("file_undone" if is_undo else "file_reset", path=file))
    if not files:
        screen.print(screen.say("file_as_new", path=path))
    elif not is_undo:
        screen.print(screen.say("file_undo_with", path=named))
    return PASSED


def path_below_work(named: str, folder: str, work: str) -> str:
    """Give a file's path below ``~/work``, as the lesson names it; pure.

    Args:
        named: As the student typed it, seen from where they are.
        folder: Where they are.
        work: ``~/work``.
    """
    whole = os.path.normpath(os.path.join(folder, named))  # noqa: PTH118
    if whole.startswith(f"{work}/"):
        return whole[len(work) + 1 :]
    # Outside of it the name can only be meant as the lesson's own.
    return os.path.normpath(named).removeprefix("work/")


def _reset_machine(session: Session) -> int:
    screen, options = session.screen, session.options
    if not options.is_sure:
        if not (sys.stdin.isatty() and screen.is_tty):
            raise Impossible(screen.say("reset_unsure"))
        screen.print(screen.say("undo_warning" if options.is_undo else "reset_warning"))
        screen.out.write(screen.say("reset_question"))
        screen.out.flush()
        if sys.stdin.readline().strip().lower() != screen.say("reset_yes"):
            screen.print(screen.say("reset_not_done"))
            return PASSED
    reply = session.ask("POST", "reset/undo" if options.is_undo else "reset")
    if options.is_json:
        session.print_json(reply)
    else:
        screen.print(screen.say("undo_begun" if options.is_undo else "reset_begun"))
    return PASSED
