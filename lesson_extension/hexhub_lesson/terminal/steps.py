"""``lesson``, ``steps``, ``task``, ``next``, ``done``: where one is, and what there is to do."""

from hexhub_lesson import wire
from hexhub_lesson.terminal import PASSED, Impossible
from hexhub_lesson.terminal.markdown import BOLD, CYAN, DIM, GREEN, clean
from hexhub_lesson.terminal.screen import Screen
from hexhub_lesson.terminal.session import Session


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
    print_after_pass(session)
    return PASSED


def print_after_pass(session: Session) -> None:
    """Say how to go on after a step is passed."""
    lesson = session.read_lesson()
    if lesson.is_finished:
        session.show_next_lesson(lesson, session.reply.origin)
    else:
        session.screen.print(session.screen.say("then_next"))
