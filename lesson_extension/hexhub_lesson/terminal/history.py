"""``lesson history``: earlier attempts at a step, one line each."""

from datetime import datetime

from hexhub_lesson import wire
from hexhub_lesson.terminal import PASSED
from hexhub_lesson.terminal.markdown import DIM, GREEN, RED, YELLOW, clean
from hexhub_lesson.terminal.screen import Screen
from hexhub_lesson.terminal.session import Session

_SIGNS = {"passed": ("✔", "[ok]", GREEN), "failed": ("✘", "[no]", RED), "error": ("✘", "[no]", RED)}
_NO_VERDICT = ("–", "[--]", YELLOW)


def show_history(session: Session) -> int:
    """``lesson history``: the newest finished attempts at a step, the newest first."""
    _, step = session.read_step()
    reply = session.ask("GET", f"steps/{step.name}/history")
    attempts = wire.parse_attempts(reply.data)
    screen = session.screen
    if session.options.is_json:
        session.print_json(reply)
    elif not attempts:
        screen.print(screen.say("history_none"))
    else:
        for attempt in attempts:
            if attempt.outcome is not None:
                _print_attempt(screen, attempt, attempt.outcome)
    return PASSED


def _print_attempt(screen: Screen, attempt: wire.AttemptView, outcome: wire.OutcomeView) -> None:
    sign, plain, colour = _SIGNS.get(outcome.outcome, _NO_VERDICT)
    kind = outcome.outcome if outcome.outcome in (*_SIGNS, "cancelled") else "ungradable"
    words = [_time_here(attempt.finished_at or ""), screen.say(f"history_{kind}")]
    if outcome.tests:
        passed = sum(test.outcome == "passed" for test in outcome.tests)
        words.append(screen.say("history_tests", passed=passed, total=len(outcome.tests)))
    mark = screen.style.paint(screen.sign(sign, plain), colour)
    screen.print(f"  {mark} {'  '.join(words)}")
    if attempt.regraded_with:
        said = screen.say("regraded_with", version=attempt.regraded_with)
        screen.print(f"    {screen.style.paint(said, DIM)}")


def _time_here(iso: str) -> str:
    """Give a time of the API by this machine's clock and zone; what is none stays as it is."""
    try:
        return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M %Z")
    except ValueError:
        return clean(iso)
