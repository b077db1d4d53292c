"""Names of machines that were put aside by a reset, and how long they are kept; pure.

Design choices: labels of a container cannot be changed, and renaming it is one step that either
happened or did not. So all that is to be known of a machine that was put aside stands in its name:
``<name of the machine>.before-<seconds since 1970>``. A machine's own name has no dot.
"""

import re
from datetime import UTC, datetime, timedelta

KEPT = timedelta(days=7)
"""How long a machine is kept after a reset, so that the reset can be undone (DESIGN §7)."""

_ASIDE = re.compile(r"(?P<machine>[^.]+)\.before-(?P<seconds>[0-9]{1,12})")


def aside_name(machine: str, at: datetime) -> str:
    """Give the name under which a machine is put aside.

    Args:
        machine: Name of its container until then.
        at: When, aware UTC.
    """
    return f"{machine}.before-{int(at.timestamp())}"


def is_aside(name: str) -> bool:
    """Tell whether a container of this name was put aside; Docker's leading slash may be there."""
    return _ASIDE.fullmatch(name.removeprefix("/")) is not None


def kept_until(name: str) -> datetime | None:
    """Tell until when a machine that was put aside is kept; None for other names."""
    found = _ASIDE.fullmatch(name.removeprefix("/"))
    if found is None:
        return None
    return datetime.fromtimestamp(int(found["seconds"]), UTC) + KEPT
