"""What others can read of a process's command line.

Any user of the same process namespace may read ``/proc/PID/cmdline``: the student's program in a
check of files, the whole machine in a check beside it. Docker mounts ``/proc`` without ``hidepid``,
and mounting it anew needs a capability that a check does not have. So the author's command is given
to the shell as a file, and pytest, which is told the names of the tests, forgets its own arguments.
"""

import ctypes
from pathlib import Path

_ARG_START, _ARG_END = 48, 49
"""Fields of ``/proc/self/stat``, counted from 1 (proc_pid_stat(5))."""


def hide_arguments() -> None:
    """Wipe this process's command line; Python has long copied what it needs of it."""
    # The name of the program, field 2, may have anything in it, also brackets.
    rest = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(rest[_ARG_START - 3]), int(rest[_ARG_END - 3])
    if 0 < start < end:
        ctypes.memset(start, 0, end - start)
