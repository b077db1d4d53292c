"""``lesson check``: runs the check of a step, once or whenever a file changes."""

import time

from hexhub_lesson import wire
from hexhub_lesson.socket_client import NoServer, Reply
from hexhub_lesson.terminal import IMPOSSIBLE, INTERRUPTED, NOT_PASSED, PASSED, Impossible
from hexhub_lesson.terminal.language import home
from hexhub_lesson.terminal.markdown import DIM
from hexhub_lesson.terminal.outcome import print_outcome
from hexhub_lesson.terminal.screen import Spinner, clear_line
from hexhub_lesson.terminal.session import Session
from hexhub_lesson.terminal.steps import print_after_pass

WAIT_S = 20
"""Seconds that one request for a running attempt waits."""
QUEUED_WAIT_S = 3
"""Seconds that one request for a queued attempt waits: so old may the place in the queue be."""
PAUSE_S = 0.2
"""Seconds between two requests for an attempt at least."""


def check_step(session: Session) -> int:
    """``lesson check``: run the check of a step and show it test by test."""
    _, step = session.read_step()
    if not step.has_check:
        raise Impossible(session.screen.say("no_check"))
    return _watch(session, step.name) if session.options.is_watching else _check(session, step.name)


def _check(session: Session, step: str) -> int:
    screen = session.screen
    reply = session.ask("POST", f"steps/{step}/attempts")
    attempt = wire.parse_attempt(reply.data)
    # What was just asked for is queued; what runs already was asked for before.
    was_running = attempt.state == wire.RUNNING
    try:
        reply, attempt = _await_attempt(session, reply, attempt)
    except KeyboardInterrupt:
        clear_line(screen)
        screen.print(screen.say("check_goes_on"))
        return INTERRUPTED
    outcome = attempt.outcome
    if session.options.is_json:
        session.print_json(reply)
    elif outcome is not None:
        print_outcome(screen, outcome)
        if outcome.outcome == "passed":
            print_after_pass(session)
        elif was_running:
            screen.print(screen.say("was_running"))
    if outcome is None or outcome.outcome in ("ungradable", "cancelled"):
        return IMPOSSIBLE
    return PASSED if outcome.outcome == "passed" else NOT_PASSED


def _watch(session: Session, step: str) -> int:
    """Check now and after every change below ``~/work`` until the step is passed.

    Ctrl-C ends it with what the last check ended with.
    """
    from hexhub_lesson.terminal.watching import Folder, await_enter  # only who watches pays for it

    screen, folder = session.screen, Folder(f"{home()}/work")
    code = IMPOSSIBLE
    is_first = True
    while True:
        before = folder.fingerprint()  # what changes while the check runs is checked again
        try:
            code = _check(session, step)
        except (wire.Refusal, NoServer) as exc:
            if is_first:
                raise
            screen.print(screen.say("watch_later", message=exc))
        if code in (PASSED, INTERRUPTED):
            return code
        is_first = False
        if not session.options.is_json:
            screen.print(screen.style.paint(screen.say("watching"), DIM))
        screen.out.flush()
        try:
            folder.await_change(before, await_enter)
        except KeyboardInterrupt:
            clear_line(screen)
            return code
        if not session.options.is_json:
            screen.print(screen.style.paint(time.strftime("--- %H:%M:%S"), DIM))


def _await_attempt(
    session: Session, reply: Reply, attempt: wire.AttemptView
) -> tuple[Reply, wire.AttemptView]:
    spinner = Spinner(session.screen)
    while attempt.state != wire.DONE:
        spinner.position = attempt.position
        asked_at = time.monotonic()
        wait_s = WAIT_S if attempt.state == wire.RUNNING else QUEUED_WAIT_S
        target = f"attempts/{attempt.id}?wait={wait_s}"
        reply = session.ask("GET", target, timeout_s=wait_s + 30.0, tick=spinner.turn)
        attempt = wire.parse_attempt(reply.data)
        if attempt.state != wire.DONE and time.monotonic() - asked_at < PAUSE_S:
            time.sleep(PAUSE_S)  # a server that does not wait is not to be flooded
    clear_line(session.screen)
    return reply, attempt
