"""Whose attempt is next: everybody's first before anybody's second, and nobody waits for ever."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from hexhub.names import LessonName, StepName, UserName
from hexhub.progress.model import Claim
from hexhub.progress.queue import MAX_TRIES
from hexhub.progress.store import Store
from hexhub.progress.turns import SHARE_S

from .conftest import Clock
from .lessons import FAILED, LESSON, ONE, PLACE, V1


def submit(store: Store, user: str, step: str = "s0", lesson: str = "first") -> str:
    """Queue an attempt of a student at some step, and give its id."""
    place = replace(PLACE, user=UserName(user), lesson=LessonName(lesson))
    return store.submit(place, StepName(step), V1)[0].id


def take(store: Store) -> Claim:
    """Claim what must be there."""
    claim = store.claim("w", 30)
    assert claim is not None
    return claim


def finish(store: Store, claim: Claim) -> str:
    """End what was claimed, and give its student."""
    store.finish(claim.attempt.id, claim.lease, FAILED, LESSON)
    return claim.attempt.place.user


def test_a_hundred_presses_delay_nobody_else(store: Store, clock: Clock) -> None:
    """After the first of a hundred, whoever comes is next, though the ninety-nine are older."""
    for number in range(100):
        submit(store, "greedy", f"s{number % 10}", f"l{number // 10}")
    assert finish(store, take(store)) == "greedy"
    served = []
    for number in range(30):
        if number % 3 == 0:
            quick = submit(store, f"quick-{number}")
            assert store.queue_position(quick) == 1
        served.append(finish(store, take(store)))
        clock.pass_s(1)
    assert [user for user in served if user != "greedy"] == served[::3]


def test_a_student_who_comes_back_goes_before_the_greedy(store: Store, clock: Clock) -> None:
    """Two students press again and again: they take turns with each other, not with the hundred."""
    for number in range(50):
        submit(store, "greedy", f"s{number}")
    for _ in range(10):
        finish(store, take(store))
        clock.pass_s(1)
    served = []
    for _ in range(4):
        submit(store, "ada")
        submit(store, "grace")
        served += [finish(store, take(store)), finish(store, take(store))]
        clock.pass_s(1)
    assert served == ["ada", "grace"] * 4


def test_running_checks_count(store: Store, clock: Clock) -> None:
    """Who has long checks running comes after those who have none, however old those checks are."""
    submit(store, "ada", "s0")
    held = take(store)
    for _ in range(10):
        clock.pass_s(SHARE_S / 5)
        store.heartbeat(held.attempt.id, held.lease, 30)
    second = submit(store, "ada", "s1")
    other = submit(store, "grace", "s0")
    assert (store.queue_position(other), store.queue_position(second)) == (1, 2)
    assert take(store).attempt.id == other
    # Alone, a student may have all slots.
    assert take(store).attempt.id == second


def test_one_student_does_not_have_all_slots_of_a_worker(store: Store) -> None:
    """Of three slots one is left to others, however many lessons one student checks at once."""
    for number in range(5):
        submit(store, "greedy", lesson=f"l{number}")
    first = store.claim("w", 30, most_of_one=2)
    assert first is not None
    assert store.claim("w", 30, most_of_one=2) is not None
    assert store.claim("w", 30, most_of_one=2) is None
    # Another worker has its own slots.
    assert store.claim("w2", 30, most_of_one=1) is not None
    assert store.claim("w2", 30, most_of_one=1) is None
    other = submit(store, "ada")
    claim = store.claim("w", 30, most_of_one=2)
    assert claim is not None
    assert claim.attempt.id == other
    finish(store, first)
    again = store.claim("w", 30, most_of_one=2)
    assert again is not None
    assert again.attempt.place.user == "greedy"


def test_held_leases_are_told_from_lost_ones(store: Store) -> None:
    """A lease that was cancelled or ended holds nothing; one that runs does."""
    for user in ("ada", "grace", "linus"):
        submit(store, user)
    ada, grace, linus = take(store), take(store), take(store)
    leases = [claim.lease for claim in (ada, grace, linus)]
    assert store.held(leases) == set(leases)
    store.cancel(grace.attempt.id)
    finish(store, linus)
    assert store.held(leases) == {ada.lease}
    assert store.held([]) == set()


def test_a_minute_later_all_are_equal(store: Store, clock: Clock) -> None:
    """What began more than a minute ago does not count: the oldest is next."""
    for _ in range(5):
        submit(store, "ada")
        finish(store, take(store))
    late = submit(store, "ada")
    later = submit(store, "grace")
    assert (store.queue_position(later), store.queue_position(late)) == (1, 2)
    clock.pass_s(SHARE_S + 1)
    assert (store.queue_position(late), store.queue_position(later)) == (1, 2)
    assert take(store).attempt.id == late


def test_a_clock_that_steps_back_costs_no_turn(store: Store, clock: Clock) -> None:
    """Checks that seem to begin in the future do not count against anybody until that has come."""
    submit(store, "ada")
    finish(store, take(store))
    clock.pass_s(-7200)
    first = submit(store, "ada")
    submit(store, "grace")
    assert store.queue_position(first) == 1


def test_nobody_waits_for_ever(store: Store, clock: Clock) -> None:
    """While newcomers come faster than checks end, one who was served comes again in a minute."""
    submit(store, "ada", "s0")
    finish(store, take(store))
    asked_at = clock.now
    mine = [submit(store, "ada", f"s{number}") for number in range(3)]
    waited_s = []
    for number in range(50):
        for guest in range(2):
            submit(store, f"guest-{number}-{guest}")
        claim = take(store)
        if claim.attempt.id in mine:
            waited_s.append((clock.now - asked_at).total_seconds())
            asked_at = clock.now
        finish(store, claim)
        clock.pass_s(4)
    # A minute of newcomers, then those of them who are older than the attempt, who are none.
    assert len(waited_s) == 3
    assert all(waited <= SHARE_S + 8 for waited in waited_s), waited_s


@dataclass
class Model:
    """The rule as plain Python: who is queued, held, and when whose checks began."""

    clock: Clock
    queued: dict[str, tuple[str, int]] = field(default_factory=dict)
    held: dict[str, tuple[str, Claim]] = field(default_factory=dict)
    begun: list[tuple[str, datetime]] = field(default_factory=list)
    number: int = 0

    def order(self) -> list[str]:
        """Give the ids of what waits, as they are to be taken."""
        since = self.clock.now - timedelta(seconds=SHARE_S)
        turns = {}
        for attempt, (user, number) in self.queued.items():
            share = sum(owner == user for owner, _ in self.held.values())
            share += sum(owner == user and at > since for owner, at in self.begun)
            share += sum(o == user and n < number for o, n in self.queued.values())
            turns[attempt] = (share, number)
        return sorted(turns, key=turns.__getitem__)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_is_the_rule_and_positions_tell_it(store: Store, clock: Clock, seed: int) -> None:
    """Whatever happens, claim follows the rule and every position says the order of claim."""
    chance = random.Random(seed)
    model = Model(clock)

    def one_submits() -> None:
        user = f"u{min(chance.randrange(6), chance.randrange(6))}"
        attempt = submit(store, user, f"s{chance.randrange(8)}")
        if attempt not in model.queued and attempt not in model.held:
            model.queued[attempt] = (user, model.number)
            model.number += 1

    def one_is_taken() -> None:
        order = model.order()
        # Once nothing is added, ended or passes any more, all the places only move up.
        asked = order[:1] if is_emptied else order
        assert [store.queue_position(attempt) for attempt in asked] == [
            place + 1 for place in range(len(asked))
        ]
        claim = store.claim("w", 300)
        assert (claim is None) == (not order)
        if claim is not None:
            assert claim.attempt.id == order[0]
            user, _ = model.queued.pop(claim.attempt.id)
            model.held[claim.attempt.id] = (user, claim)
            taken_at[claim.attempt.id] = clock.now

    def one_ends() -> None:
        if model.held:
            attempt = chance.choice(sorted(model.held))
            user, claim = model.held.pop(attempt)
            store.finish(attempt, claim.lease, FAILED, LESSON)
            model.begun.append((user, taken_at[attempt]))

    def time_passes() -> None:
        clock.pass_s(chance.choice([0.5, 3, 20]))
        for attempt, (_, claim) in model.held.items():
            store.heartbeat(attempt, claim.lease, 300)

    is_emptied = False
    taken_at: dict[str, datetime] = {}
    steps: list[Callable[[], None]] = [one_submits, one_is_taken, one_ends, time_passes]
    for _ in range(160):
        chance.choices(steps, weights=[5, 3, 2, 2])[0]()
    one_is_taken()
    is_emptied = True
    while model.order():
        one_is_taken()
    assert model.number > 20


def test_a_pause_holds_up_nobody(store: Store, clock: Clock) -> None:
    """An attempt that pauses before its next try is not counted before those that can be taken."""
    paused = submit(store, "ada")
    claim = take(store)
    store.retry_later(paused, claim.lease, "Docker is away", 30)
    other = submit(store, "grace")
    assert (store.queue_position(paused), store.queue_position(other)) == (1, 1)
    assert take(store).attempt.id == other
    assert store.claim("w", 30) is None
    clock.pass_s(31)
    assert take(store).attempt.id == paused


def test_an_attempt_of_a_dead_worker_keeps_its_turn(store: Store, clock: Clock) -> None:
    """What a worker died with is taken again in its turn, and given up after three, not lost."""
    dead = submit(store, "ada")
    for _ in range(MAX_TRIES):
        assert take(store).attempt.id == dead
        clock.pass_s(31)
    other = submit(store, "grace")
    assert take(store).attempt.id == other
    assert store.attempt(dead).outcome is not None


@pytest.fixture
def live(database_url: str) -> Iterator[Store]:
    """Give a store on the real clock."""
    made = Store(database_url)
    yield made
    made.close()


def test_workers_at_once_are_fair_and_take_each_once(live: Store) -> None:
    """Eight workers that claim at once take every attempt once, everybody's first ones first."""
    firsts = {submit(live, f"u{number}", ONE) for number in range(8)}
    rest = {submit(live, "u0", f"s{number}") for number in range(32)}

    def take_first(_: int) -> str | None:
        claim = live.claim("w", 300)
        return None if claim is None else claim.attempt.id

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(take_first, range(8)))
        assert set(taken) <= firsts
        later = list(pool.map(take_first, range(60)))
    everything = [attempt for attempt in (*taken, *later) if attempt is not None]
    # With SKIP LOCKED a worker may see nothing while another is about to take the last ones.
    while (claim := live.claim("w", 300)) is not None:
        everything.append(claim.attempt.id)
    assert len(everything) == len(set(everything))
    assert set(everything) == firsts | rest
