"""``lesson solution``: the author's way."""

from hexhub_lesson import wire
from hexhub_lesson.terminal import PASSED
from hexhub_lesson.terminal.markdown import BOLD, clean
from hexhub_lesson.terminal.session import Session


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
