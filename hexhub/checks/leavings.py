"""Used check containers, ended and removed when there is time for it.

Design choices: ending and removing a container costs Docker several processes and mounts, and where
ten students press Check at once on two cores, the first ones' containers would be cleared away in
the time of the last ones' checks. So the harness stays when it has answered, with nothing running
any more, and its container is ended in the next quiet moment. Not for ever: what waits holds
memory, so that there is a limit to its time and to its number. A container whose worker dies ends
by itself, since its standard input ends, and is removed with the other leftovers.
"""

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

PATIENCE_S = 5.0
"""How long something may be left while checks run all the time."""
MOST_LEFT = 12
"""How many are left at most, before they are removed even while checks run."""

_T = TypeVar("_T")


class Leavings(Generic[_T]):
    """What is to be removed in a quiet moment; may be used by several threads."""

    def __init__(
        self,
        remove: Callable[[_T], None],
        *,
        patience_s: float = PATIENCE_S,
        most: int = MOST_LEFT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is removed before :meth:`start` or :meth:`tend`.

        Args:
            remove: Removes one; called without the lock, from one thread at a time.
            patience_s: Seconds after which one is removed, quiet or not.
            most: With more of them, the oldest is removed, quiet or not.
            clock: Monotonic.
        """
        self._remove = remove
        self._patience_s = patience_s
        self._most = most
        self._clock = clock
        self._changed = threading.Condition()
        self._left: deque[tuple[float, _T]] = deque()
        self._busy = 0
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def add(self, thing: _T) -> None:
        """Leave something to be removed."""
        with self._changed:
            self._left.append((self._clock(), thing))
            self._changed.notify_all()

    @contextlib.contextmanager
    def busy(self) -> Iterator[None]:
        """Nothing is removed while the block lasts, unless it has to be."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def tend(self) -> float | None:
        """Remove the oldest, if it is time for that.

        Returns:
            Seconds after which it is worth to look again, unless something happens before; None:
            nothing is left.
        """
        with self._changed:
            if not self._left:
                return None
            pause_s = self._left[0][0] + self._patience_s - self._clock()
            may_wait = self._busy and not self._is_closed and len(self._left) <= self._most
            if may_wait and pause_s > 0:
                return pause_s
            _, thing = self._left.popleft()
        self._remove(thing)
        return 0.0

    # --- the thread that removes ------------------------------------------------------------------

    def start(self) -> None:
        """Begin to remove, in a thread."""
        self._thread = threading.Thread(target=self._tend_until_closed, name="remover", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Remove what is left, in ``timeout_s`` as far as possible."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _tend_until_closed(self) -> None:
        while True:
            try:
                pause_s = self.tend()
            except Exception:  # outermost loop: a container that stays has its label's end
                log.exception("A used check container stays for now.")
                continue
            with self._changed:
                if self._is_closed and not self._left:
                    return
                if pause_s is None and not self._left:
                    self._changed.wait()
                elif pause_s:
                    self._changed.wait(pause_s)
