"""A student says that a step without a check is done."""

from hexhub.catalog.published import PublishedCatalog
from hexhub.errors import RequestInvalid
from hexhub.progress.model import Place, Progress
from hexhub.progress.store import Store
from hexhub.usecases.submit_attempt import refuse_locked


def pass_step(store: Store, catalog: PublishedCatalog, place: Place, step_name: str) -> Progress:
    """Store that a step is done, and give the progress after it; doing it twice is no fault.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        StepNotFound: The lesson has no such step.
        StepLocked: Other steps must be passed first.
        RequestInvalid: The step has a check; the student's word is not enough.
        StoreError: The database refuses.
    """
    course = catalog.course(place.course)
    lesson = course.lesson(place.lesson)
    step = lesson.step(step_name)
    refuse_locked(store, place, step)
    if step.check is not None:
        raise RequestInvalid(f"Step '{step.name}' has a check. Press Check, or run `lesson check`.")
    return store.pass_step(place, step.name, course.version, lesson)
