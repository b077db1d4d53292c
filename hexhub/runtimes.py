"""Which of Docker's runtimes keeps a lesson's machine, from what the lesson asks for; pure.

A lesson says how strong the wall must be (``isolation: container | gvisor | vm``), the
administrator which of Docker's runtimes is that wall here (``HEXHUB_RUNTIMES``). What is asked for
and not there is refused: a weaker wall is never put in its place unsaid.
"""

import re
from collections.abc import Collection, Mapping

from hexhub.catalog.model import Isolation
from hexhub.errors import RuntimeMissing, SetupError

USUAL_RUNTIMES: Mapping[Isolation, str] = {Isolation.GVISOR: "runsc", Isolation.VM: "kata"}
"""Names under which gVisor and Kata Containers tell Docker of themselves."""

_ENTRY = re.compile(r"(?P<isolation>[a-z]+)=(?P<runtime>[A-Za-z0-9][A-Za-z0-9_.-]*)")


def read_runtimes(text: str) -> dict[Isolation, str]:
    """Read ``gvisor=runsc,vm=kata``; what it does not name has its usual runtime.

    Raises:
        SetupError: It is something else.
    """
    runtimes = dict(USUAL_RUNTIMES)
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = _ENTRY.fullmatch(entry)
        if match is None or match["isolation"] not in runtimes:
            raise SetupError(
                f"HEXHUB_RUNTIMES has {entry!r}; it takes names of Docker's runtimes, such as "
                "gvisor=runsc,vm=kata"
            )
        runtimes[Isolation(match["isolation"])] = match["runtime"]
    return runtimes


def choose_runtime(
    isolation: Isolation, runtimes: Mapping[Isolation, str], there: Collection[str]
) -> str:
    """Give the name of the runtime for a machine; empty is Docker's own choice.

    Args:
        isolation: That the lesson asks for.
        runtimes: As :func:`read_runtimes` gives them.
        there: Names in ``Runtimes`` of Docker's ``/info``.

    Raises:
        RuntimeMissing: Docker has no such runtime.
    """
    if isolation is Isolation.CONTAINER:
        return ""
    runtime = runtimes[isolation]
    if runtime not in there:
        raise RuntimeMissing(isolation.value, runtime, there)
    return runtime
