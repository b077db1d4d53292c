"""When the pool may make a container; pure.

Design choices: making one takes two seconds of a processor, which whoever starts a machine in that
moment would have to share. So it waits for a quiet moment. But students who come one after the
other leave none, and would all start cold for ever, at the price of a container each; so it waits
for a stated time only, from when one began to lack, and then makes one beside the starts, and after
it the next one no sooner than so much later. Weighed: keeping up with demand whatever the load
(takes the processor from the starts, which then take longer, so that more lack), and never while
something starts (starves). What is made beside the starts has a small share of the processor
(``pool_plan.waiting_arguments``).
"""

from dataclasses import dataclass


@dataclass
class Refilling:
    """Tells when a container may be made; all times are seconds on one clock.

    Attributes:
        quiet_s: After the last start, a moment counts as quiet.
        patience_s: Without a quiet moment, so long one may lack until it is made all the same.
    """

    quiet_s: float
    patience_s: float
    _starts: int = 0
    _quiet_from_s: float = 0.0
    _lacks_from_s: float | None = None

    def begin_start(self) -> None:
        """Note that a machine is being started."""
        self._starts += 1

    def end_start(self, now_s: float) -> None:
        """Note that a start has ended."""
        self._starts -= 1
        self._quiet_from_s = now_s + self.quiet_s

    def note_taken(self, now_s: float) -> None:
        """Note that a container was taken, or would have been, had there been one."""
        if self._lacks_from_s is None:
            self._lacks_from_s = now_s

    def note_made(self, now_s: float) -> None:
        """Note that one was made; if more lack, they have waited since now."""
        self._lacks_from_s = now_s

    def note_full(self) -> None:
        """Note that none lacks."""
        self._lacks_from_s = None

    def pause_s(self, now_s: float, longest_s: float) -> float:
        """Give the seconds until one may be made; 0 means now.

        Args:
            now_s: Now.
            longest_s: Most that is given, where nothing is known that ends sooner.
        """
        quiet_in_s = longest_s if self._starts else self._quiet_from_s - now_s
        due_in_s = (
            longest_s
            if self._lacks_from_s is None
            else self._lacks_from_s + self.patience_s - now_s
        )
        return min(longest_s, max(0.0, min(quiet_in_s, due_in_s)))
