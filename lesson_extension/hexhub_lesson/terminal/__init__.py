"""The ``lesson`` command: where am I, check, hint, next; in any POSIX terminal.

Runs on the system's bare Python (``-IS``) without any package, and starts in well under 100 ms;
what is imported here is chosen for that (no pathlib, argparse, http.client), and a test holds the
list. It talks to the lesson's server over a unix socket.

Exit codes: 0 done (or passed), 1 the check is not passed, 2 it could not be done, 130 interrupted.
"""

PASSED, NOT_PASSED, IMPOSSIBLE, INTERRUPTED = 0, 1, 2, 130


class Impossible(Exception):
    """The command cannot do what was asked; the message is for the student."""
