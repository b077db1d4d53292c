"""A student presses Check."""

from hexhub.catalog.model import Step
from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import RequestInvalid, StepLocked
from hexhub.names import StepName
from hexhub.progress.model import Attempt, Place, StepState, step_state
from hexhub.progress.store import Store


def submit_attempt(
    store: Store, catalog: PublishedCatalog, place: Place, step_name: str, key: str | None = None
) -> tuple[Attempt, bool]:
    """Queue an attempt at a step, or join the one that is queued or running there.

    A step that is passed may be checked again.

    Args:
        key: Of this one press: asked twice with it, there is one attempt.

    Returns:
        The attempt, and True where it is new.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        StepNotFound: The lesson has no such step.
        StepLocked: Other steps must be passed first.
        RequestInvalid: The step has no check.
        StoreError: The database refuses.
    """
    course = catalog.course(place.course)
    step = course.lesson(place.lesson).step(step_name)
    refuse_locked(store, place, step)
    if step.check is None:
        raise RequestInvalid(f"Step '{step.name}' has no check. Mark it as done instead.")
    return store.submit(place, step.name, course.version, key)


def refuse_locked(store: Store, place: Place, step: Step) -> None:
    """Do nothing where the step is open or passed.

    Raises:
        StepLocked: Other steps must be passed first; names them.
        StoreError: The database refuses.
    """
    progress = store.progress(place)
    passed: set[StepName] = set(progress.passed_at) if progress else set()
    if step_state(step, passed) is StepState.LOCKED:
        missing = ", ".join(name for name in step.needs if name not in passed)
        raise StepLocked(f"Step '{step.name}' opens when these are passed: {missing}.")
