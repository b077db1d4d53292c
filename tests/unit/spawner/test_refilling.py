"""When the pool makes its containers, also while students come without end."""

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spawner.pool_plan import Demand, next_missing, wanted_counts
from spawner.refilling import Refilling

LONGEST_S = 10.0
WARM_S, COLD_S, MAKING_S = 0.2, 2.0, 2.5


def test_a_quiet_moment_is_taken_at_once():
    """While nobody starts and nobody just did, one may be made."""
    refilling = Refilling(quiet_s=0.5, patience_s=3.0)
    assert refilling.pause_s(0.0, LONGEST_S) == 0.0
    refilling.begin_start()
    assert refilling.pause_s(1.0, LONGEST_S) == LONGEST_S
    refilling.end_start(1.2)
    assert refilling.pause_s(1.5, LONGEST_S) == pytest.approx(0.2)
    assert refilling.pause_s(1.7, LONGEST_S) == 0.0


def test_a_single_start_is_not_disturbed():
    """However long ago the pool was last looked at, a start that has just begun comes first."""
    refilling = Refilling(quiet_s=0.5, patience_s=3.0)
    refilling.begin_start()
    refilling.note_taken(1000.0)
    assert refilling.pause_s(1000.0, LONGEST_S) == 3.0


def test_patience_ends_and_begins_anew():
    """One is made beside starts after a while, the next one not before as long again."""
    refilling = Refilling(quiet_s=0.5, patience_s=3.0)
    refilling.begin_start()
    refilling.note_taken(0.0)
    refilling.note_taken(2.0)
    assert refilling.pause_s(2.9, LONGEST_S) == pytest.approx(0.1)
    assert refilling.pause_s(3.0, LONGEST_S) == 0.0
    refilling.note_made(5.5)
    assert refilling.pause_s(5.5, LONGEST_S) == 3.0
    refilling.note_full()
    assert refilling.pause_s(9.0, LONGEST_S) == LONGEST_S


@dataclass
class Day:
    """Students who come at given times to one kind of lesson, and the pool, on a clock of its own.

    A warm start takes 0.2 s, a cold one 2 s, making a container 2.5 s.
    """

    comes_at_s: list[float]
    refilling: Refilling = field(default_factory=lambda: Refilling(quiet_s=0.5, patience_s=3.0))
    warm: int = 0
    cold: int = 0
    made_at_s: list[float] = field(default_factory=list)
    beside_starts: int = 0

    def run(self) -> "Day":
        """Let it pass."""
        demand, waits, under_way = Demand(half_life_s=600.0), 1, 0
        events = [(at_s, "comes") for at_s in self.comes_at_s]
        heapq.heapify(events)
        making_until_s = 0.0
        ends_s = max(self.comes_at_s)
        heapq.heappush(events, (0.0, "look"))
        while events:
            now_s, what = heapq.heappop(events)
            if what == "comes":
                self.refilling.begin_start()
                self.refilling.note_taken(now_s)
                demand.add("a", now_s)
                under_way += 1
                is_warm = waits > 0
                waits -= is_warm
                self.warm += is_warm
                self.cold += not is_warm
                heapq.heappush(events, (now_s + (WARM_S if is_warm else COLD_S), "ends"))
            elif what == "ends":
                self.refilling.end_start(now_s)
                under_way -= 1
            elif what == "done":
                waits += 1
                self.refilling.note_made(now_s)
            if now_s > ends_s or now_s < making_until_s:
                continue
            pause_s = self.refilling.pause_s(now_s, LONGEST_S)
            if pause_s > 0:
                if what in ("look", "ends"):
                    again = "look" if what == "look" else "glance"
                    heapq.heappush(events, (now_s + pause_s, again))
                continue
            counts = {"a": demand.of("a", now_s) + 1e-6}
            wanted = wanted_counts(counts, least=1, most=8, room=16)
            if next_missing(wanted, {"a": waits}, counts) is None:
                self.refilling.note_full()
                if what == "look":
                    heapq.heappush(events, (now_s + LONGEST_S, "look"))
                continue
            self.made_at_s.append(now_s)
            self.beside_starts += under_way > 0
            making_until_s = now_s + MAKING_S
            heapq.heappush(events, (making_until_s, "done"))
            heapq.heappush(events, (making_until_s, "look"))
        return self


def test_students_without_end_do_not_starve_the_pool():
    """Ten minutes with a start in every moment: one is made each patience and making time."""
    day = Day([0.4 * number for number in range(1500)]).run()
    assert len(day.made_at_s) >= 600 / (3.0 + MAKING_S) - 2
    assert day.warm >= 100
    assert day.beside_starts > 50


def test_where_there_are_pauses_nothing_is_made_beside_a_start():
    """A student every six seconds: all of them start warm, and none shares the processor."""
    day = Day([6.0 * number for number in range(100)]).run()
    assert day.cold == 0
    assert day.beside_starts == 0


@settings(max_examples=50)
@given(st.lists(st.floats(0.0, 300.0), min_size=1, max_size=300))
def test_beside_starts_none_is_made_more_often_than_stated(comes_at_s):
    """However students come, what is made beside starts takes a bounded share of the computer."""
    day = Day(comes_at_s).run()
    assert day.warm + day.cold == len(comes_at_s)
    pauses = [b - a for a, b in zip(day.made_at_s, day.made_at_s[1:], strict=False)]
    assert all(pause_s > MAKING_S - 1e-6 for pause_s in pauses)
    spans = 300.0 / (3.0 + MAKING_S)
    assert day.beside_starts <= spans + 2
