"""The ``lesson`` command: where am I, check, hint, next; in any POSIX terminal.

Runs on the system's bare Python (``-IS``) without any package, and starts in well under 100 ms;
what is imported here is chosen for that (no pathlib, argparse, http.client). It talks to the
lesson's server over a unix socket.

Exit codes: 0 done (or passed), 1 the check is not passed, 2 it could not be done, 130 interrupted.
"""

import io
import os
import re
import sys
import time
from collections.abc import Callable
from typing import TextIO

from hexhub_lesson import wire
from hexhub_lesson.private_folder import private_folder, socket_path
from hexhub_lesson.socket_client import NoServer, Reply, SocketClient
from hexhub_lesson.terminal_markdown import (
    BOLD,
    CYAN,
    DIM,
    GREEN,
    RED,
    YELLOW,
    Style,
    clean,
    render_markdown,
)
from hexhub_lesson.terminal_texts import LANGUAGES, TEXTS

PASSED, NOT_PASSED, IMPOSSIBLE, INTERRUPTED = 0, 1, 2, 130

WAIT_S = 20
"""Seconds that one request for a running attempt waits."""
QUEUED_WAIT_S = 3
"""Seconds that one request for a queued attempt waits: so old may the place in the queue be."""
POSITION_AFTER_S = 2.0
"""Seconds of waiting after which the place in the queue is shown; a shorter wait is none."""
PAUSE_S = 0.2
"""Seconds between two requests for an attempt at least."""
GREETING_S = 0.1
"""Seconds that a new terminal's greeting may wait for the lesson."""
MAX_WIDTH = 100
"""Columns of running text at most; longer lines are hard to read."""

_STEP = re.compile(r"[a-z][a-z0-9-]{0,39}")
_WITH_STEP = ("check", "done", "hint", "task")


class Impossible(Exception):
    """The command cannot do what was asked; the message is for the student."""


class Options:
    """The command line.

    Attributes:
        command: ``status`` where none is named.
        argument: The step, or the language of ``locale``; empty where none is named.
        locale: Language asked for on the command line; empty where none is.
    """

    def __init__(self) -> None:
        self.command = "status"
        self.argument = ""
        self.locale = ""
        self.is_json = False
        self.is_names = False


class Screen:
    """Where the words go: colours, width, signs and language of one terminal."""

    def __init__(self, out: TextIO, *, locale: str) -> None:
        self.out = out
        self.is_tty = out.isatty()
        has_colour = (
            self.is_tty and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
        self.style = Style(has_colour=has_colour)
        self.locale = locale if locale in LANGUAGES else LANGUAGES[0]
        self.has_signs = (out.encoding or "").lower().replace("-", "") == "utf8"
        try:
            columns = os.get_terminal_size(out.fileno()).columns if self.is_tty else 0
        except OSError:
            columns = 0
        self.width = max(20, min(columns or 80, MAX_WIDTH))

    def say(self, key: str, **values: object) -> str:
        """Give one of the command's own texts; values are cleaned."""
        known = {name: clean(str(value)) for name, value in values.items()}
        return TEXTS[self.locale][key].format(**known)

    def sign(self, sign: str, plain: str) -> str:
        """Give a sign, or plain characters where the terminal has no UTF-8."""
        return sign if self.has_signs else plain

    def print(self, text: str = "") -> None:
        """Print a line."""
        self.out.write(f"{text}\n")

    def markdown(self, text: str) -> None:
        """Print Markdown."""
        self.print(render_markdown(text, width=self.width, style=self.style))

    def block(self, label: str, text: str) -> None:
        """Print a labelled text below a test, each of its lines indented."""
        lines = clean(text).rstrip("\n").split("\n")
        self.print(f"      {self.style.paint(f'{label:<9}', DIM)} {lines[0]}")
        for line in lines[1:]:
            self.print(f"{'':16}{line}")


def read_options(words: list[str]) -> Options:
    """Read the command line.

    Raises:
        Impossible: A word has no place in it. The message is the word.
    """
    options = Options()
    plain: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-h", "--help"):
            plain.insert(0, "help")
        elif word == "--json":
            options.is_json = True
        elif word == "--names":
            options.is_names = True
        elif word == "--locale":
            options.locale = next(rest, "")
        elif word.startswith("--locale="):
            options.locale = word.partition("=")[2]
        elif word.startswith("-"):
            raise Impossible(word)
        else:
            plain.append(word)
    if plain:
        options.command = {"hints": "hint", "step": "task"}.get(plain[0], plain[0])
        options.argument = plain[1] if len(plain) > 1 else ""
    too_many = len(plain) > (2 if options.command in (*_WITH_STEP, "locale", "help") else 1)
    if options.command not in COMMANDS or too_many:
        raise Impossible(" ".join(plain))
    return options


def choose_locale(options: Options, remembered: str, home: str) -> str:
    """Give the language that the student chose, or empty.

    The order: the command line, ``HEXHUB_LOCALE``, what ``lesson locale`` stored. Where none of
    them says anything, the server answers in the language of the browser's panel.

    Args:
        remembered: Name of the file that ``lesson locale`` writes, below ``home``.
    """
    stored = ""
    try:
        with open(f"{home}/{remembered}", encoding="ascii", errors="replace") as file:  # noqa: PTH123
            stored = file.read(16).strip()
    except OSError:
        pass
    for choice in (options.locale, os.environ.get("HEXHUB_LOCALE", ""), stored):
        if choice[:2] in LANGUAGES:
            return choice[:2]
    return ""


LOCALE_FILE = ".config/hexhub/locale"


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
            screen.print(f"  {clean(origin + lesson.next_lesson.url)}")


def show_status(session: Session) -> int:
    """``lesson``: the lesson, its steps, the commands."""
    lesson = session.read_lesson()
    if session.options.is_json:
        session.print_json(session.reply)
        return PASSED
    screen, style = session.screen, session.screen.style
    passed = sum(step.state == wire.PASSED for step in lesson.steps)
    arrow = screen.sign("›", ">")
    screen.print(
        f"{style.paint(clean(lesson.course), DIM)} {arrow} {style.paint(clean(lesson.title), BOLD)}"
        f"  {style.paint(screen.say('progress', passed=passed, total=len(lesson.steps)), DIM)}"
    )
    screen.print()
    for step in lesson.steps:
        screen.print(f"  {_step_line(screen, lesson, step)}")
    screen.print()
    if lesson.is_finished:
        session.show_next_lesson(lesson, session.reply.origin)
    else:
        _print_commands(screen, lesson)
    return PASSED


def _step_line(screen: Screen, lesson: wire.LessonView, step: wire.StepView) -> str:
    style, title = screen.style, clean(step.title)
    if step.state == wire.PASSED:
        return f"{style.paint(screen.sign('✔', '[x]'), GREEN)} {title}"
    if step.state == wire.LOCKED:
        return style.paint(f"{screen.sign('·', '[-]')} {title} ({screen.say('locked')})", DIM)
    if step.name == lesson.current_step:
        return style.paint(f"{screen.sign('▸', '[>]')} {title}", BOLD)
    return f"{screen.sign('○', '[ ]')} {title}"


def _print_commands(screen: Screen, lesson: wire.LessonView) -> None:
    step = lesson.step(lesson.current_step)
    if step is None:
        return
    rows = [("task", screen.say("command_task"))]
    if step.has_check:
        rows.append(("check", screen.say("command_check")))
    else:
        rows.append(("done", screen.say("command_next")))
    if step.hints_total:
        taken = screen.say("hints_taken", taken=len(step.hints_taken), total=step.hints_total)
        rows.append(("hint", f"{screen.say('command_hint')} ({taken})"))
    for command, meaning in rows:
        screen.print(f"  {screen.style.paint(f'lesson {command:<6}', CYAN)} {meaning}")


def show_steps(session: Session) -> int:
    """``lesson steps``: all steps with their names; ``--names`` for completion."""
    lesson = session.read_lesson()
    if session.options.is_json:
        session.print_json(session.reply)
    elif session.options.is_names:
        session.screen.print(" ".join(clean(step.name) for step in lesson.steps))
    else:
        width = max(len(step.name) for step in lesson.steps)
        for step in lesson.steps:
            name = session.screen.style.paint(f"{clean(step.name):<{width}}", CYAN)
            session.screen.print(f"{name}  {_step_line(session.screen, lesson, step)}")
    return PASSED


def show_task(session: Session) -> int:
    """``lesson task``: the task of a step."""
    lesson, step = session.read_step()
    if session.options.is_json:
        session.print_json(session.reply)
        return PASSED
    _print_task(session, lesson, step)
    return PASSED


def _print_task(session: Session, lesson: wire.LessonView, step: wire.StepView) -> None:
    screen = session.screen
    if step.task is None:
        raise Impossible(screen.say("task_locked", title=step.title))
    number = [s.name for s in lesson.steps].index(step.name) + 1
    screen.print(screen.style.paint(f"{number}. {clean(step.title)}", BOLD))
    screen.print()
    screen.markdown(step.task)


def check_step(session: Session) -> int:
    """``lesson check``: run the check of a step and show it test by test."""
    _, step = session.read_step()
    screen = session.screen
    if not step.has_check:
        raise Impossible(screen.say("no_check"))
    reply = session.ask("POST", f"steps/{step.name}/attempts")
    attempt = wire.parse_attempt(reply.data)
    # What was just asked for is queued; what runs already was asked for before.
    was_running = attempt.state == wire.RUNNING
    try:
        reply, attempt = _await_attempt(session, reply, attempt)
    except KeyboardInterrupt:
        _clear_line(screen)
        screen.print(screen.say("check_goes_on"))
        return INTERRUPTED
    outcome = attempt.outcome
    if session.options.is_json:
        session.print_json(reply)
    elif outcome is not None:
        _print_outcome(screen, outcome)
        if outcome.outcome == "passed":
            _print_after_pass(session)
        elif was_running:
            screen.print(screen.say("was_running"))
    if outcome is None or outcome.outcome == "ungradable":
        return IMPOSSIBLE
    return PASSED if outcome.outcome == "passed" else NOT_PASSED


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
    _clear_line(session.screen)
    return reply, attempt


class Spinner:
    """Turns while a check runs; only on a terminal.

    Attributes:
        position: Place in the queue; 1 is the next to be taken; None: it does not wait.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._turns = 0
        self._began_at = time.monotonic()
        self.position: int | None = None

    def turn(self) -> None:
        """Draw the next picture."""
        screen = self._screen
        if not screen.is_tty:
            return
        pictures = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏" if screen.has_signs else "|/-\\"
        picture = pictures[self._turns % len(pictures)]
        self._turns += 1
        text = screen.say("checking")
        if self.position and time.monotonic() - self._began_at >= POSITION_AFTER_S:
            before = self.position - 1
            text = screen.say("queued", before=before) if before else screen.say("queued_next")
        screen.out.write(f"\r\x1b[K{picture} {text}{screen.sign('…', '...')}")
        screen.out.flush()


def _clear_line(screen: Screen) -> None:
    if screen.is_tty:
        screen.out.write("\r\x1b[K")


def _print_outcome(screen: Screen, outcome: wire.OutcomeView) -> None:
    style = screen.style
    for test in outcome.tests:
        if test.outcome == "passed":
            mark = style.paint(screen.sign("✔", "[ok]"), GREEN)
        elif test.outcome == "skipped":
            mark = style.paint(screen.sign("–", "[--]"), YELLOW)
        else:
            mark = style.paint(screen.sign("✘", "[no]"), RED)
        screen.print(f"  {mark} {clean(test.name)}")
        if test.outcome == "passed":
            continue
        for line in clean(test.message).rstrip("\n").split("\n"):
            if line:
                screen.print(f"      {line}")
        if test.expected is not None:
            screen.block(screen.say("expected"), test.expected)
        if test.actual is not None:
            screen.block(screen.say("actual"), test.actual)
        if test.output:
            screen.block(screen.say("output"), test.output)
    if outcome.tests:
        screen.print()
    if outcome.message:
        screen.print(clean(outcome.message))
    passed = sum(test.outcome == "passed" for test in outcome.tests)
    verdict = outcome.outcome if outcome.outcome in ("passed", "failed", "error") else "ungradable"
    text = screen.say(verdict, passed=passed, total=len(outcome.tests))
    colour = {"passed": GREEN, "failed": RED, "error": RED}.get(verdict, YELLOW)
    screen.print(style.paint(text, BOLD, colour))


def _print_after_pass(session: Session) -> None:
    lesson = session.read_lesson()
    if lesson.is_finished:
        session.show_next_lesson(lesson, session.reply.origin)
    else:
        session.screen.print(session.screen.say("then_next"))


def go_on(session: Session) -> int:
    """``lesson next``: the task of the next open step, or the next lesson."""
    lesson = session.read_lesson()
    if session.options.is_json:
        session.print_json(session.reply)
    elif lesson.is_finished:
        session.show_next_lesson(lesson, session.reply.origin)
    else:
        step = lesson.step(lesson.current_step)
        if step is not None:
            _print_task(session, lesson, step)
    return PASSED


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


def mark_done(session: Session) -> int:
    """``lesson done``: pass a step that has no check."""
    _, step = session.read_step()
    if step.has_check and step.state != wire.PASSED:
        raise Impossible(session.screen.say("not_passed"))
    reply = session.ask("POST", f"steps/{step.name}/done")
    if session.options.is_json:
        session.print_json(reply)
        return PASSED
    session.screen.print(session.screen.say("step_done", title=step.title))
    _print_after_pass(session)
    return PASSED


def show_solution(session: Session) -> int:
    """``lesson solution``: the author's files and commands."""
    if not session.locale:
        session.read_lesson()  # for its language
    reply = session.ask("GET", "solution")
    if session.options.is_json:
        session.print_json(reply)
        return PASSED
    screen = session.screen
    view = wire.parse_solution(reply.data)
    for file in view.files:
        screen.print(screen.style.paint(f"{screen.sign('──', '--')} {clean(file.path)}", BOLD))
        text = screen.say("binary") if file.text is None else clean(file.text).rstrip("\n")
        screen.print(text)
        screen.print()
    if view.script is not None:
        screen.print(screen.style.paint(screen.say("script"), BOLD))
        screen.print(clean(view.script).rstrip("\n"))
    return PASSED


def store_locale(session: Session) -> int:
    """``lesson locale ru``: speak this language from now on."""
    screen, wanted = session.screen, session.options.argument
    if wanted not in LANGUAGES:
        raise Impossible(screen.say("locale_unknown", locale=wanted))
    path = f"{_home()}/{LOCALE_FILE}"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        with open(path, "w", encoding="ascii") as file:  # noqa: PTH123
            file.write(f"{wanted}\n")
    except OSError as exc:
        raise Impossible(f"{path}: {exc.strerror}") from exc
    screen.locale = wanted
    screen.print(screen.say("locale_set"))
    return PASSED


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
    words = ("task", "check", "hint")
    parts = (
        f"{screen.style.paint(f'lesson {word}', CYAN)}: {screen.say(f'greeting_{word}')}"
        for word in words
    )
    screen.print("   ".join(parts))
    return PASSED


def show_help(session: Session) -> int:
    """``lesson --help``."""
    session.screen.out.write(session.screen.say("usage"))
    return PASSED


COMMANDS: dict[str, Callable[[Session], int]] = {
    "status": show_status,
    "steps": show_steps,
    "task": show_task,
    "check": check_step,
    "next": go_on,
    "hint": take_hint,
    "done": mark_done,
    "solution": show_solution,
    "locale": store_locale,
    "greet": greet,
    "help": show_help,
}


def _home() -> str:
    return os.environ.get("HOME") or "/"


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
        screen = Screen(stdout, locale=choose_locale(blank, LOCALE_FILE, _home()) or system[:2])
        _complain(screen, screen.say("unknown_command", command=exc))
        return IMPOSSIBLE
    locale = choose_locale(options, LOCALE_FILE, _home())
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
        _clear_line(screen)
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
