"""No cheat passes a check of a machine, or learns anything by it, be the student root or not."""

import pytest

from hexhub.catalog.model import MachineUser
from hexhub.errors import MachineNotRunning

from .against_machine import CHEATS
from .cheat import Cheat
from .honest_lessons import PAGE, ROOT_PAGE
from .trial import Trials

CASES = [(cheat, user) for cheat in CHEATS for user in MachineUser if user in cheat.users]


@pytest.mark.parametrize(
    ("cheat", "user"), CASES, ids=[f"{cheat.name}-{user.value}" for cheat, user in CASES]
)
def test_no_cheat_passes(trials: Trials, cheat: Cheat, user: MachineUser) -> None:
    """Whatever runs in the machine instead of an answer fails, ends, and finds nothing hidden."""
    lesson = ROOT_PAGE if user is MachineUser.ROOT else PAGE
    try:
        seen = trials.cheat(lesson, cheat)
    except MachineNotRunning:
        assert cheat.ends_machine
    else:
        seen.check_refused(cheat)
