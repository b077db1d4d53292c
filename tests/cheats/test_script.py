"""No cheat passes a check without pytest that runs the program by ``as-student``."""

import pytest

from .against_script import CHEATS
from .cheat import Cheat
from .honest_lessons import SCRIPT
from .trial import Trials


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_no_cheat_passes(trials: Trials, cheat: Cheat) -> None:
    """Whatever is handed in instead of an answer fails, ends, and finds nothing that is hidden."""
    trials.cheat(SCRIPT, cheat).check_refused(cheat)
