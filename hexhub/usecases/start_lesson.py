"""A student opens a lesson."""

from hexhub.catalog.published import PublishedCatalog
from hexhub.progress.model import Place, Progress
from hexhub.progress.store import Store


def start_lesson(store: Store, catalog: PublishedCatalog, place: Place) -> Progress:
    """Give the student's progress in a lesson, making it the first time.

    Raises:
        CourseNotFound: No such course is published.
        LessonNotFound: The course has no such lesson.
        StoreError: The database refuses.
    """
    course = catalog.course(place.course)
    course.lesson(place.lesson)
    return store.start_lesson(place, course.version)
