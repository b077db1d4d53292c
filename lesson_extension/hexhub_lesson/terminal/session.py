"""One run of the command: what was asked, of whom, and where the answer goes."""

import re
from collections.abc import Callable

from hexhub_lesson import wire
from hexhub_lesson.socket_client import Reply, SocketClient
from hexhub_lesson.terminal import Impossible
from hexhub_lesson.terminal.command_line import Options
from hexhub_lesson.terminal.markdown import GREEN, clean
from hexhub_lesson.terminal.screen import Screen
from hexhub_lesson.terminal.texts import LANGUAGES

_STEP = re.compile(r"[a-z][a-z0-9-]{0,39}")


class Session:
    """One run of the command: the server, the screen and what was asked for."""

    def __init__(self, client: SocketClient, options: Options, screen: Screen, locale: str) -> None:
        self.client = client
        self.options = options
        self.screen = screen
        self.locale = locale

    def ask(
        self,
        method: str,
        target: str,
        *,
        timeout_s: float = 60.0,
        tick: Callable[[], None] | None = None,
    ) -> Reply:
        """Send a request in the chosen language."""
        if self.locale:
            target += f"{'&' if '?' in target else '?'}locale={self.locale}"
        return self.client.request(method, target, timeout_s=timeout_s, tick=tick)

    def read_lesson(self) -> wire.LessonView:
        """Give the lesson; the screen takes its language where nobody chose one."""
        self.reply = self.ask("GET", "lesson")
        lesson = wire.parse_lesson(self.reply.data)
        if not self.locale and lesson.locale[:2] in LANGUAGES:
            self.screen.locale = lesson.locale[:2]
        return lesson

    def read_step(self) -> tuple[wire.LessonView, wire.StepView]:
        """Give the lesson and the step that was named, or the current one.

        Raises:
            Impossible: The lesson has no such step.
        """
        lesson = self.read_lesson()
        name = self.options.argument or lesson.current_step
        if not _STEP.fullmatch(name):
            raise Impossible(self.screen.say("bad_step", step=name))
        step = lesson.step(name)
        if step is None:
            names = ", ".join(step.name for step in lesson.steps)
            raise Impossible(self.screen.say("unknown_step", step=name, steps=names))
        return lesson, step

    def print_json(self, reply: Reply) -> None:
        """Print an answer as it is, but for what could steer a terminal."""
        self.screen.print(clean(reply.body.decode("utf-8", "replace")).strip())

    def show_next_lesson(self, lesson: wire.LessonView, origin: str) -> None:
        """Say that the lesson is finished, and where the next one is."""
        screen = self.screen
        screen.print(screen.style.paint(screen.say("lesson_finished", title=lesson.title), GREEN))
        if not lesson.solution_reason:
            screen.print(screen.say("solution_open"))
        if lesson.next_lesson is None:
            screen.print(screen.say("last_lesson"))
        else:
            screen.print(screen.say("next_lesson", title=lesson.next_lesson.title))
            url = lesson.next_lesson.url
            screen.print(f"  {clean(url if '://' in url else origin + url)}")
