"""No cheat passes a check of files, or learns anything by it."""

import pytest

from .against_files import CHEATS
from .cheat import Cheat
from .honest_lessons import SUMS
from .trial import Trials


@pytest.mark.parametrize("cheat", CHEATS, ids=lambda cheat: cheat.name)
def test_no_cheat_passes(trials: Trials, cheat: Cheat) -> None:
    """Whatever is handed in instead of an answer fails, ends, and finds nothing that is hidden."""
    trials.cheat(SUMS, cheat).check_refused(cheat)
