"""An outcome, test by test, as a terminal shows it."""

from hexhub_lesson import wire
from hexhub_lesson.terminal.markdown import BOLD, DIM, GREEN, RED, REVERSED, YELLOW, clean
from hexhub_lesson.terminal.screen import Screen

_VERDICT_COLOURS = {"passed": GREEN, "failed": RED, "error": RED, "cancelled": YELLOW}


def print_outcome(screen: Screen, outcome: wire.OutcomeView) -> None:
    """Print every test, what was wrong with it, and the verdict."""
    for test in outcome.tests:
        _print_test(screen, test)
    if outcome.tests:
        screen.print()
    if outcome.message:
        screen.print("\n".join(screen.lines(outcome.message)))
    passed = sum(test.outcome == "passed" for test in outcome.tests)
    verdict = outcome.outcome if outcome.outcome in _VERDICT_COLOURS else "ungradable"
    text = screen.say(verdict, passed=passed, total=len(outcome.tests))
    screen.print(screen.style.paint(text, BOLD, _VERDICT_COLOURS.get(verdict, YELLOW)))


def _print_test(screen: Screen, test: wire.ResultLine) -> None:
    style = screen.style
    if test.outcome == "passed":
        mark = style.paint(screen.sign("✔", "[ok]"), GREEN)
    elif test.outcome == "skipped":
        mark = style.paint(screen.sign("–", "[--]"), YELLOW)
    else:
        mark = style.paint(screen.sign("✘", "[no]"), RED)
    indent = 3 + len(screen.sign("✔", "[ok]"))
    name = screen.lines(test.name, indent)
    screen.print(f"  {mark} {name[0]}")
    for line in name[1:]:
        screen.print(f"{'':{indent}}{line}")
    if test.outcome == "passed":
        return
    for line in screen.lines(test.message, 6):
        if line:
            screen.print(f"      {line}")
    if test.expected is not None and test.actual is not None:
        _print_difference(screen, test.expected, test.actual)
    elif test.expected is not None:
        screen.block(screen.say("expected"), test.expected)
    elif test.actual is not None:
        screen.block(screen.say("actual"), test.actual)
    if test.output:
        screen.block(screen.say("output"), test.output)


def _print_difference(screen: Screen, expected: str, actual: str) -> None:
    """Print both sides under each other, or line by line where there are many, as the panel."""
    from hexhub_lesson.terminal import difference  # most runs of the command compare nothing

    style = screen.style
    only_spaces = difference.differs_only_in_spaces(expected, actual)

    def show(pieces: tuple[difference.Piece, ...], colour: str) -> str:
        parts = []
        for piece in pieces:
            text = piece.text
            if only_spaces and screen.has_signs:
                text = difference.with_visible_spaces(text)
            codes = (colour, REVERSED) if piece.differs else (colour,)
            parts.append(style.paint(clean(text), *codes) if colour else clean(text))
        return "".join(parts)

    if "\n" in expected or "\n" in actual:
        legend = (
            style.paint(f"- {screen.say('expected')}", GREEN),
            style.paint(f"+ {screen.say('actual')}", RED),
        )
        screen.print(f"      {'   '.join(legend)}")
        signs = {difference.EXPECTED: ("-", GREEN), difference.ACTUAL: ("+", RED)}
        for line in difference.compare_texts(expected, actual):
            sign, colour = signs.get(line.side, (" ", ""))
            painted = style.paint(sign, colour) if colour else sign
            screen.print(f"      {painted} {show(line.pieces, colour)}".rstrip())
    else:
        for label, own, other, colour in (
            ("expected", expected, actual, GREEN),
            ("actual", actual, expected, RED),
        ):
            name = style.paint(f"{screen.say(label):<9}", DIM)
            screen.print(f"      {name} {show(difference.mark_line(own, other), colour)}".rstrip())
    if only_spaces:
        screen.print(f"      {screen.say('only_spaces')}")
