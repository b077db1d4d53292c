"""Check containers that are made ahead: started, attached, their harness waiting for its order.

Three quarters of a cold check's overhead are Docker making and starting a container and Python
starting in it. A container of this pool has all that behind it; a check only sends its order.

Design choices:

- Each container is used at most once, and knows nothing of any student before: it leaves the pool
  under the lock, and nothing ever comes back into it.
- The pool never delays anybody. Taking from it waits for nothing; what has to be made or removed
  is done by one thread, one container at a time, and making begins only in idle moments: while no
  check runs, and a little after the last one. An empty pool means a cold start.
- What is kept follows demand: of the last ``size`` checks each kept one of its shape waiting, so
  that a lesson that ten students are at gets ten, and one that nobody is at gets none. At first
  the published lessons stand for the demand.
- ``machine`` checks have no place here: their container is made in the namespaces of a student's
  machine, and a process that waits there could be looked at, stopped or killed by that student.
"""

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

from hexhub.catalog.model import CheckKind, Course
from hexhub.checks.attachment import is_quiet
from hexhub.checks.containers import SandboxSpec, make_spec
from hexhub.errors import CheckError

log = logging.getLogger(__name__)

WARM_CHECKS = 10
"""One that waits takes some 35 MB of memory where it has imported pytest, 14 MB where nothing, and
90 MB where it has nbgrader's rules and IPython: Python, and what Docker runs beside each one."""
LEAVE_FREE_BYTES = 1024**3
"""With less memory available on this computer, none is made."""
MAX_AGE_S = 600.0
QUIET_S = 0.1
"""After the end of a check, before something is made: the next student may be pressing already."""
LOOK_S = 5.0
"""Between two looks at what waits, while nothing happens."""
REFUSED_PAUSE_S = 30.0
"""Before another try where Docker could not make one."""
_CLOSE_S = 3.0


@dataclass(frozen=True)
class Ready:
    """A check container whose harness waits for its order.

    Attributes:
        container: Its id.
        attached: What docker-py's ``attach_socket`` gave.
        image_id: Of the image it was made of; the name may mean another one by now.
        made_at_s: On the monotonic clock.
    """

    container: str
    attached: Any
    image_id: str
    made_at_s: float


class WarmPool:
    """Check containers that wait; may be used by several threads."""

    def __init__(
        self,
        make: Callable[[SandboxSpec], Ready],
        discard: Callable[[Ready], None],
        *,
        size: int = WARM_CHECKS,
        expected: Sequence[SandboxSpec] = (),
        has_room: Callable[[], bool] = lambda: True,
        max_age_s: float = MAX_AGE_S,
        quiet_s: float = QUIET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is made before :meth:`start` or :meth:`tend`.

        Args:
            make: Makes one; called without the lock, from one thread at a time.
            discard: Removes one that is not used.
            size: How many wait at most.
            expected: What is asked for first, most likely ones in front; none for ``machine``.
            has_room: Tells whether the computer has memory for one more.
            max_age_s: Seconds after which one that was not used is replaced.
            quiet_s: Seconds without checks before one is made.
            clock: Monotonic.
        """
        self._make = make
        self._discard = discard
        self._size = size
        self._has_room = has_room
        self._max_age_s = max_age_s
        self._quiet_s = quiet_s
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: list[tuple[SandboxSpec, Ready]] = []
        self._unfit: list[Ready] = []
        shapes = [spec.shape for spec in expected if may_wait(spec)]
        # Newest last: the first of the expected shapes is the last to be forgotten.
        first = islice(cycle(dict.fromkeys(shapes)), size)
        self._demand = deque(reversed(list(first)), maxlen=size)
        self._refused_until_s: dict[SandboxSpec, float] = {}
        self._busy = 0
        self._quiet_from_s = clock() - quiet_s
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def take(self, spec: SandboxSpec, image_id: str) -> Ready | None:
        """Give a container that waits for such a run; None where there is none.

        It belongs to the caller from now on.

        Args:
            spec: The run.
            image_id: Of the image that the run's image name means now.
        """
        shape = spec.shape
        with self._changed:
            if self._is_closed or not self._size or not may_wait(spec):
                return None
            self._demand.append(shape)
            self._changed.notify_all()
            for entry in [entry for entry in self._waiting if entry[0] == shape]:
                self._waiting.remove(entry)
                if self._is_fit(entry[1]) and entry[1].image_id == image_id:
                    return entry[1]
                self._unfit.append(entry[1])
        return None

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Nothing is made while the block lasts, nor right after it."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._quiet_from_s = self._clock()
                self._changed.notify_all()

    def count(self) -> int:
        """Tell how many wait."""
        with self._changed:
            return len(self._waiting)

    # --- the thread that makes and removes --------------------------------------------------------

    def start(self) -> None:
        """Begin to make containers, in a thread."""
        self._thread = threading.Thread(target=self._tend_until_closed, name="warm", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Make no more, and remove what waits."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        until_s = time.monotonic() + _CLOSE_S
        if self._thread is not None:
            self._thread.join(_CLOSE_S)
        with self._changed:
            left = [*self._unfit, *(ready for _, ready in self._waiting)]
            self._unfit, self._waiting = [], []
        # Side by side: Docker takes a tenth of a second for each, and we are to end.
        ends = [threading.Thread(target=self._discard, args=(r,), daemon=True) for r in left]
        for thread in ends:
            thread.start()
        for thread in ends:
            thread.join(max(0.0, until_s - time.monotonic()))

    def tend(self) -> float:
        """Remove or make one container, if there is something to do.

        Returns:
            Seconds after which it is worth to look again, unless something happens before.

        Raises:
            CheckError: Docker refuses or is away.
        """
        with self._changed:
            pause_s = self._pause_s()
            if pause_s > 0:
                return pause_s
            self._sort_out()
            unfit = self._unfit.pop() if self._unfit else None
            shape = self._choose() if unfit is None else None
        if unfit is not None:
            self._discard(unfit)
        elif shape is not None:
            self._make_one(shape)
        else:
            return LOOK_S
        return 0.0

    def _tend_until_closed(self) -> None:
        is_refused = False
        while True:
            try:
                pause_s = self.tend()
                is_refused = False
            except CheckError as exc:
                if not is_refused:
                    log.warning("No check container is made ahead for now: %s", exc)
                is_refused, pause_s = True, LOOK_S
            except Exception:  # outermost loop: without this thread, checks start cold for ever
                log.exception("Making check containers ahead failed.")
                pause_s = REFUSED_PAUSE_S
            with self._changed:
                if not self._is_closed and pause_s > 0:
                    self._changed.wait(pause_s)
                if self._is_closed:
                    return

    def _is_fit(self, ready: Ready) -> bool:
        return self._clock() - ready.made_at_s < self._max_age_s and is_quiet(ready.attached)

    def _sort_out(self) -> None:
        """Set apart what is dead or too old, and one that is in the way of a shape in demand."""
        unfit = [entry for entry in self._waiting if not self._is_fit(entry[1])]
        if not unfit and len(self._waiting) >= self._size and self._missing():
            have, wanted = Counter(shape for shape, _ in self._waiting), Counter(self._demand)
            unfit = [entry for entry in self._waiting if have[entry[0]] > wanted[entry[0]]][:1]
        for entry in unfit:
            self._waiting.remove(entry)
            self._unfit.append(entry[1])

    def _missing(self) -> list[SandboxSpec]:
        """Give the shapes of which fewer wait than were asked for, newest demand first."""
        missing = Counter(self._demand) - Counter(shape for shape, _ in self._waiting)
        return [shape for shape in dict.fromkeys(reversed(self._demand)) if missing[shape] > 0]

    def _pause_s(self) -> float:
        """Give how long nothing may be done: while checks run, and a little after."""
        if self._busy or self._is_closed:
            return LOOK_S
        return self._quiet_from_s + self._quiet_s - self._clock()

    def _choose(self) -> SandboxSpec | None:
        """Give the shape of the container to make next."""
        if len(self._waiting) >= self._size:
            return None
        now_s = self._clock()
        missing = [s for s in self._missing() if self._refused_until_s.get(s, now_s) <= now_s]
        return missing[0] if missing and self._has_room() else None

    def _make_one(self, shape: SandboxSpec) -> None:
        try:
            ready = self._make(shape)
        except CheckError:
            with self._changed:
                self._refused_until_s[shape] = self._clock() + REFUSED_PAUSE_S
            raise
        with self._changed:
            self._refused_until_s.pop(shape, None)
            if not self._is_closed:
                self._waiting.append((shape, ready))
                as_wanted = Counter(self._demand) & Counter(shape for shape, _ in self._waiting)
                log.debug("%d of %d check containers wait.", as_wanted.total(), self._size)
                return
        self._discard(ready)


def may_wait(spec: SandboxSpec) -> bool:
    """Tell whether a container of this shape can be made before the student is known."""
    return spec.kind is not CheckKind.MACHINE


def expected_specs(courses: Sequence[Course]) -> list[SandboxSpec]:
    """Give the shapes of the published lessons' checks that can wait, those of most steps first."""
    specs = Counter(
        make_spec(lesson, step.check).shape
        for course in courses
        for lesson in course.lessons
        for step in lesson.steps
        if step.check is not None and step.check.kind is not CheckKind.MACHINE
    )
    return [spec for spec, _ in specs.most_common()]
