"""An author tries answers on a computer without the runtime of a lesson: said, and without it."""

from collections.abc import Callable
from dataclasses import replace

from hexhub.catalog.model import Isolation, Lesson
from hexhub.checks.engine import Engine
from hexhub.errors import RuntimeMissing


def weaken_trial(engine: Engine, lesson: Lesson, say: Callable[[str], None]) -> Lesson:
    """Give the lesson as its answers can be tried here; what is weaker than asked for is said.

    Only for an author's own answers: students' machines are refused instead, by the spawner, and
    checks of what students hand in by the sandbox.

    Args:
        engine: Where containers are made.
        lesson: As its author wrote it.
        say: Takes one readable line.

    Raises:
        CheckError: Docker does not tell its runtimes.
    """
    try:
        engine.runtime_for(lesson.isolation)
    except RuntimeMissing as exc:
        say(
            f"Warning: {lesson.course}/{lesson.name}: its answers are tried in plain containers, "
            f"and students cannot open it here. {exc}"
        )
        return replace(lesson, isolation=Isolation.CONTAINER)
    return lesson
