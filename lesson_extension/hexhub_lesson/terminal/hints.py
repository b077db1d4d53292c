"""``lesson hint``: hints, one by one."""

from hexhub_lesson import wire
from hexhub_lesson.terminal import PASSED, Impossible
from hexhub_lesson.terminal.markdown import BOLD
from hexhub_lesson.terminal.screen import Screen
from hexhub_lesson.terminal.session import Session


def take_hint(session: Session) -> int:
    """``lesson hint``: the hints taken so far, and one more."""
    lesson, step = session.read_step()
    del lesson
    screen = session.screen
    if step.hints_total == 0 and not session.options.is_json:
        raise Impossible(screen.say("no_hints"))
    is_over = len(step.hints_taken) >= step.hints_total
    if is_over and not session.options.is_json:
        for number, hint in enumerate(step.hints_taken, 1):
            _print_hint(screen, hint, number, step.hints_total)
        screen.print(screen.say("hints_all_taken"))
        return PASSED
    reply = session.ask("POST", f"steps/{step.name}/hints")
    if session.options.is_json:
        session.print_json(reply)
        return PASSED
    view = wire.parse_hint(reply.data)
    _print_hint(screen, view.hint, view.taken, view.total)
    return PASSED


def _print_hint(screen: Screen, hint: str, number: int, total: int) -> None:
    screen.print(screen.style.paint(screen.say("hint_n", taken=number, total=total), BOLD))
    screen.print()
    screen.markdown(hint)
    screen.print()
