"""What a person is told of a build: a line for each step, and the end of the log where it fails."""

import re
import time
from collections.abc import Callable, Sequence

Progress = Callable[[str], None]
"""Takes one readable line."""

LOG_LINES_IN_ERROR = 40
NOTABLE_S = 0.5
"""Build steps quicker than this get no line of their own."""
_STEP_LINE = re.compile(r"Step (\d+)/(\d+) : (.*)")


def end_of_log(lines: Sequence[str]) -> str:
    """Give the last lines of a log, indented, for an error's message."""
    return "\n".join(f"  {line}" for line in lines[-LOG_LINES_IN_ERROR:])


class StepClock:
    """Turns the builder's log into one line for each step that takes time, with its seconds.

    A RUN step is also told of when it begins, since it may take minutes.
    """

    def __init__(self, tag: str, progress: Progress) -> None:
        self._tag = tag
        self._progress = progress
        self._step = ""
        self._started = 0.0
        self._is_cached = False

    def notice(self, text: str) -> None:
        """Read what the builder printed; the step before may end with it."""
        found = _STEP_LINE.match(text)
        if found:
            self.finish()
            number, count, command = found.groups()
            words = " ".join(command.split())
            self._step = f"step {number}/{count} {words[:60]}{'…' if len(words) > 60 else ''}"
            self._started = time.monotonic()
            self._is_cached = False
        elif "Using cache" in text:
            self._is_cached = True
        elif "Running in" in text and " RUN " in self._step:
            self._progress(f"{self._tag}: {self._step} ...")

    def finish(self) -> None:
        """Tell of the step that has ended, if it took long."""
        seconds = time.monotonic() - self._started
        if self._step and not self._is_cached and seconds >= NOTABLE_S:
            self._progress(f"{self._tag}: {self._step}  {seconds:.1f} s")
        self._step = ""
