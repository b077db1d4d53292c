"""``lesson greet``: what a new terminal says, once (``shell/`` calls it)."""

import os

from hexhub_lesson import wire
from hexhub_lesson.socket_client import NoServer
from hexhub_lesson.terminal import PASSED
from hexhub_lesson.terminal.markdown import BOLD, CYAN, clean, render_markdown
from hexhub_lesson.terminal.session import Session
from hexhub_lesson.terminal.texts import LANGUAGES

GREETING_S = 0.3
"""Seconds that a new terminal's greeting may wait for the lesson."""

NARROW = 50
"""Columns of the narrowest terminal beside files and a lesson. A terminal gets its size only while
its shell is starting, so that a greeting cannot go by it."""


def greet(session: Session) -> int:
    """``lesson greet``: what a new terminal says; silent without a lesson, never in the way."""
    screen, lesson = session.screen, None
    try:
        reply = session.ask("GET", "lesson?remembered=1", timeout_s=GREETING_S)
        lesson = wire.parse_lesson(reply.data)
    except NoServer as exc:
        if not exc.is_late:
            return PASSED
    except (wire.Refusal, wire.AnswerInvalid):
        pass
    if lesson is None:
        screen.print(screen.say("greeting_unknown"))
    else:
        if not session.locale and lesson.locale[:2] in LANGUAGES:
            screen.locale = lesson.locale[:2]
        step = lesson.step(lesson.current_step)
        title = screen.style.paint(clean(lesson.title), BOLD)
        if lesson.is_finished or step is None:
            now = screen.say("greeting_finished")
        else:
            now = screen.say("greeting_step", title=step.title)
        screen.print(f"{title} {screen.sign('·', '-')} {now}")
    for word in ("task", "check", "hint"):
        command = screen.style.paint(f"{f'lesson {word}':<13}", CYAN)
        screen.print(f"{command} {screen.say(f'greeting_{word}')}")
    if os.environ.get("HEXHUB_RECORDS") == "command_text":
        text = screen.say("greeting_records")
        width = min(screen.width, NARROW)
        screen.print(render_markdown(text, width=width, style=screen.style))
    return PASSED
