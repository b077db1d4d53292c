"""The table of API v1."""

from hexhub.service.attempt_handlers import (
    AttemptHandler,
    AttemptsHandler,
    CancelHandler,
    HistoryHandler,
)
from hexhub.service.handlers import (
    ApiHandler,
    CoursesHandler,
    DoneHandler,
    EventsHandler,
    HintsHandler,
    ImageHandler,
    LessonHandler,
    MachineHandler,
    OpenHandler,
    ResetHandler,
    ServerHandler,
    SolutionHandler,
    StarterFileHandler,
    StarterHandler,
    StopHandler,
    UndoHandler,
)

API_ROUTES: tuple[tuple[str, str, type[ApiHandler]], ...] = (
    ("get", "courses", CoursesHandler),
    ("get", "lessons/{course}/{lesson}", LessonHandler),
    ("post", "lessons/{course}/{lesson}/open", OpenHandler),
    ("get", "lessons/{course}/{lesson}/server", ServerHandler),
    ("post", "lessons/{course}/{lesson}/stop", StopHandler),
    ("get", "lessons/{course}/{lesson}/machine", MachineHandler),
    ("post", "lessons/{course}/{lesson}/reset", ResetHandler),
    ("post", "lessons/{course}/{lesson}/reset/undo", UndoHandler),
    ("get", "lessons/{course}/{lesson}/starter", StarterHandler),
    ("get", "lessons/{course}/{lesson}/starter/file", StarterFileHandler),
    ("post", "lessons/{course}/{lesson}/steps/{step}/attempts", AttemptsHandler),
    ("get", "attempts/{id}", AttemptHandler),
    ("post", "attempts/{id}/cancel", CancelHandler),
    ("get", "lessons/{course}/{lesson}/steps/{step}/history", HistoryHandler),
    ("get", "lessons/{course}/{lesson}/images/{image}", ImageHandler),
    ("post", "lessons/{course}/{lesson}/steps/{step}/hints", HintsHandler),
    ("post", "lessons/{course}/{lesson}/steps/{step}/done", DoneHandler),
    ("get", "lessons/{course}/{lesson}/solution", SolutionHandler),
    ("post", "lessons/{course}/{lesson}/events", EventsHandler),
)
"""Method, path below ``api/`` and handler of all of API v1."""
