"""Where the time of a check goes: one line in the log for each part of it, at level DEBUG.

``hexhub worker --verbose`` shows the lines, each with the name of the attempt's thread;
``make bench-checks`` adds them up.
"""

import contextlib
import logging
import time
from collections.abc import Iterator

log = logging.getLogger(__name__)


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Log how long the block took, however it ends.

    Args:
        name: Of the part, without a colon.
    """
    began_s = time.perf_counter()
    try:
        yield
    finally:
        tell_phase(name, time.perf_counter() - began_s)


def tell_phase(name: str, duration_s: float) -> None:
    """Log how long a part took that is no block of code, such as waiting in the queue."""
    log.debug("%s: %.1f ms", name, duration_s * 1000)
