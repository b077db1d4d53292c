"""A few machines start at a time; nobody waits for one that hangs."""

import asyncio

import pytest

from spawner.starting_places import StartingPlaces


def nobody_waits() -> None:
    raise AssertionError("there is a place free")


async def test_places_are_given_in_turn() -> None:
    """Two at a time here; who comes later waits, is told so, and is served in order."""
    places = StartingPlaces(2)
    done: list[int] = []
    waited: list[int] = []
    now = most = 0

    async def start(number: int) -> None:
        nonlocal now, most
        async with places.place(f"student-{number}", lambda: waited.append(number)):
            now += 1
            most = max(most, now)
            await asyncio.sleep(0)
            now -= 1
            done.append(number)

    await asyncio.gather(*(start(number) for number in range(7)))
    assert most == 2
    assert done == list(range(7))
    assert waited == [2, 3, 4, 5, 6]


async def test_one_that_hangs_holds_nobody_up() -> None:
    """Its place is the next one's after a time, and is not given twice when it ends after all."""
    places = StartingPlaces(1, longest_s=0.0)
    hangs = asyncio.Event()

    async def hang() -> None:
        async with places.place("ada", nobody_waits):
            await hangs.wait()

    hanging = asyncio.create_task(hang())
    await asyncio.sleep(0)
    places.longest_s = 60.0
    waited: list[str] = []
    async with places.place("bob", lambda: waited.append("once")):
        hangs.set()
        await hanging
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0), places.place("eve", lambda: waited.append("twice")):
                raise AssertionError("there is one place only")
    assert waited == ["once", "twice"]
    async with places.place("ada", nobody_waits):
        pass


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_a_start_that_fails_gives_its_place_back(error: type[BaseException]) -> None:
    """Also one that is cancelled."""
    places = StartingPlaces(1)
    with pytest.raises(error):
        async with places.place("ada", nobody_waits):
            raise error
    async with places.place("ada", nobody_waits):
        pass


async def test_who_gives_up_waiting_takes_no_place() -> None:
    """A student who presses Stop while they wait leaves the queue."""
    places = StartingPlaces(1)

    async def wait() -> None:
        async with places.place("bob", lambda: None):
            raise AssertionError("it had no turn")

    async with places.place("ada", nobody_waits):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with places.place("ada", nobody_waits):
        pass


async def test_one_student_has_one_place_at_a_time() -> None:
    """Their second start waits for the first, or for as long as a place is held; others do not."""
    places = StartingPlaces(3, longest_s=60.0)
    waited: list[str] = []
    is_second_in = asyncio.Event()

    async def second() -> None:
        async with places.place("ada", lambda: waited.append("ada")):
            is_second_in.set()

    async with places.place("ada", nobody_waits):
        waiting = asyncio.create_task(second())
        for _ in range(5):
            await asyncio.sleep(0)
        async with places.place("bob", nobody_waits):
            assert not is_second_in.is_set()
    await waiting
    assert waited == ["ada"]

    places.longest_s = 0.0
    async with (
        places.place("ada", nobody_waits),
        places.place("ada", lambda: waited.append("again")),
    ):
        pass
    assert waited == ["ada", "again"]
