"""What a cheat is: an answer to a small lesson that is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hexhub.catalog.model import MachineUser

BOTH = frozenset(MachineUser)
ROOT = frozenset({MachineUser.ROOT})
STUDENT = frozenset({MachineUser.STUDENT})


@dataclass(frozen=True)
class Cheat:
    """One answer that must not pass.

    Attributes:
        name: Of the test.
        tries: What it tries, in one line.
        files: Path below ``~/work`` → text; laid over the starter.
        script: Bash, run in ``~/work`` after that, as the student; what it leaves goes on.
        met: Regular expression found in what the student reads of the outcome: the proof that the
            cheat came as far as it should, and met the guard that is meant for it.
        leaves: A file in the student's machine that is there afterwards: the proof that it ran.
        knows_the_word: It has the answer from a friend, so that only its guard is in the way.
        users: For whom it is tried; only machine lessons have both.
        stops_the_check: It stops the check, so that only our own deadline ends that, which is
            brought forward for it: half a minute proves no more than seconds.
        ends_machine: It ends its own machine while that is checked. Then there is nothing left to
            check, and the attempt is run again, up to three times, and ends ``ungradable``.
    """

    name: str
    tries: str
    files: Mapping[str, str] = field(default_factory=dict)
    script: str = ""
    met: str = ""
    leaves: str = ""
    knows_the_word: bool = False
    users: frozenset[MachineUser] = ROOT
    stops_the_check: bool = False
    ends_machine: bool = False
