"""Places where the hub can be made to die, so that tests see what a killed hub leaves behind.

The variable ``HEXHUB_CRASH_AT`` names a file. When the hub comes by a point whose name stands in
it, the file is removed and the hub kills itself as ``kill -9`` would. Without the variable, which
only tests set, nothing is read.
"""

import os
import signal
from pathlib import Path

_VARIABLE = "HEXHUB_CRASH_AT"


def pass_point(name: str) -> None:
    """Die here if a test wants it so."""
    path = os.environ.get(_VARIABLE)
    if not path:
        return
    try:
        wanted = Path(path).read_text(encoding="ascii").strip()
    except OSError:
        return
    if wanted == name:
        Path(path).unlink()
        os.kill(os.getpid(), signal.SIGKILL)
