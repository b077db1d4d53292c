"""A student asks for a hint."""

from dataclasses import dataclass

from hexhub.catalog.model import Hint
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import HintLocked
from hexhub.progress.model import Place, hint_refusal
from hexhub.progress.store import Store
from hexhub.usecases.submit_attempt import refuse_locked


@dataclass(frozen=True)
class HintTaken:
    """A hint that the student may read now.

    Attributes:
        taken: Hints of this step that the student has, this one included.
        total: Hints that the step has.
    """

    hint: Hint
    taken: int
    total: int


def take_hint(store: Store, catalog: PublishedCatalog, place: Place, step_name: str) -> HintTaken:
    """Give the next hint of a step, and store that the student has it.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        StepNotFound: The lesson has no such step.
        StepLocked: Other steps must be passed first.
        HintLocked: There is no further hint, or the next one's condition is not met yet.
        StoreError: The database refuses.
    """
    course = catalog.course(place.course)
    step = course.lesson(place.lesson).step(step_name)
    refuse_locked(store, place, step)
    progress = store.start_lesson(place, course.version)
    taken = progress.hints_taken.get(step.name, 0)
    if taken >= len(step.hints):
        has = f"all {len(step.hints)} are taken" if step.hints else "it has none"
        raise HintLocked(f"There is no further hint for step '{step.name}': {has}.")
    hint = step.hints[taken]
    reason = hint_refusal(
        hint,
        attempts=store.attempts(place, step.name),
        started_at=progress.started_at,
        now=store.now(),
    )
    if reason is not None:
        raise HintLocked(reason)
    # Two tabs that ask at once both get this hint: the number is the key of the row.
    store.take_hint(place, step.name, taken + 1, course.version)
    return HintTaken(hint, taken + 1, len(step.hints))
