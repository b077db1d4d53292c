"""The words after ``lesson``; pure."""

from hexhub_lesson.terminal import Impossible

ARGUMENTS = {
    "status": 0,
    "steps": 0,
    "task": 1,
    "check": 1,
    "next": 0,
    "hint": 1,
    "history": 1,
    "done": 1,
    "solution": 0,
    "locale": 1,
    "reset": 1,
    "greet": 0,
    "help": 1,
}
"""Command → how many words it takes at most."""

FLAGS = {"--names": "steps", "--watch": "check", "--undo": "reset", "--yes": "reset"}
"""Flag → the one command that has it; ``--json``, ``--locale`` and ``--help`` are everybody's."""


class Options:
    """The command line.

    Attributes:
        command: ``status`` where none is named.
        argument: Step, language (``locale``) or file (``reset``); empty where none is named.
        locale: Language asked for on the command line; empty where none is.
        is_json: Print what the server answers.
        is_names: ``steps`` prints names only, for completion.
        is_watching: ``check`` checks again whenever a file changes.
        is_undo: ``reset`` takes the last reset back.
        is_sure: ``reset`` does not ask.
    """

    def __init__(self) -> None:
        self.command = "status"
        self.argument = ""
        self.locale = ""
        self.is_json = False
        self.is_names = False
        self.is_watching = False
        self.is_undo = False
        self.is_sure = False


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
        elif word == "--watch":
            options.is_watching = True
        elif word == "--undo":
            options.is_undo = True
        elif word == "--yes":
            options.is_sure = True
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
    if len(plain) > 1 + ARGUMENTS.get(options.command, -1):
        raise Impossible(" ".join(plain))
    for flag in words:
        if flag in FLAGS and options.command not in (FLAGS[flag], "help"):
            raise Impossible(f"{options.command} {flag}")
    return options
