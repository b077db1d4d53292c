"""The rules of the pool of waiting check containers, on plain sockets in place of containers."""

import socket
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from hexhub.catalog.model import CheckKind
from hexhub.checks.containers import SandboxSpec
from hexhub.checks.warm import LOOK_S, REFUSED_PAUSE_S, Ready, WarmPool
from hexhub.errors import CheckError, ImageMissing
from hexhub.memory import read_available

FILES = SandboxSpec("hexhub/python", CheckKind.FILES, None, 256, 20.0)
BOOK = replace(FILES, image="hexhub/data", kind=CheckKind.NOTEBOOK)
MACHINE = replace(FILES, kind=CheckKind.MACHINE, machine_id="m1")


class Yard:
    """Makes and removes what waits, and keeps count; the clock stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.made: list[tuple[SandboxSpec, Ready]] = []
        self.removed: list[str] = []
        self.far_ends: dict[str, socket.socket] = {}
        self.refuses: CheckError | None = None
        self.has_room = True
        self.image_id = "sha256:one"

    def make(self, shape: SandboxSpec) -> Ready:
        if self.refuses is not None:
            raise self.refuses
        ours, theirs = socket.socketpair()
        name = f"c{len(self.made)}"
        self.far_ends[name] = theirs
        ready = Ready(name, ours, self.image_id, self.now_s)
        self.made.append((shape, ready))
        return ready

    def remove(self, ready: Ready) -> None:
        self.removed.append(ready.container)
        ready.attached.close()

    def pool(self, size: int, expected: Sequence[SandboxSpec] = ()) -> WarmPool:
        return WarmPool(
            self.make,
            self.remove,
            size=size,
            expected=expected,
            has_room=lambda: self.has_room,
            max_age_s=600.0,
            quiet_s=0.1,
            clock=lambda: self.now_s,
        )

    def close(self) -> None:
        for _, ready in self.made:
            ready.attached.close()
        for far_end in self.far_ends.values():
            far_end.close()


@pytest.fixture
def yard() -> Iterator[Yard]:
    """Give an empty yard."""
    made = Yard()
    yield made
    made.close()


def fill(yard: Yard, pool: WarmPool) -> Counter[str]:
    """Let the pool do all it wants to do now; give what was made, by image."""
    before = len(yard.made)
    yard.now_s += 1.0
    for _ in range(50):
        if pool.tend() > 0:
            break
    else:
        raise AssertionError("It never comes to rest.")
    return Counter(shape.image for shape, _ in yard.made[before:])


def test_what_is_expected_waits_first(yard: Yard) -> None:
    """Before the first check the published lessons share the places, the first getting most."""
    pool = yard.pool(3, [FILES, BOOK])
    assert fill(yard, pool) == {"hexhub/python": 2, "hexhub/data": 1}
    assert pool.count() == 3


def test_each_is_given_once(yard: Yard) -> None:
    """What was taken is never given again, and nothing comes back."""
    pool = yard.pool(3, [FILES])
    fill(yard, pool)
    taken = [pool.take(FILES, yard.image_id) for _ in range(5)]
    names = [ready.container for ready in taken if ready is not None]
    assert len(names) == len(set(names)) == 3
    assert taken[3:] == [None, None]
    fill(yard, pool)
    again = pool.take(FILES, yard.image_id)
    assert again is not None
    assert again.container not in names
    assert yard.removed == []


def test_the_time_of_a_check_shapes_nothing(yard: Yard) -> None:
    """Checks that differ in their time alone use the same containers; other limits do not."""
    pool = yard.pool(1, [FILES])
    fill(yard, pool)
    for other in (
        replace(FILES, memory_bytes=512),
        replace(FILES, processes=8),
        replace(FILES, cpus=0.5),
        replace(FILES, harness=("other",)),
        replace(FILES, kind=CheckKind.NOTEBOOK),
    ):
        assert pool.take(other, yard.image_id) is None
    assert pool.take(replace(FILES, timeout_s=99.0), yard.image_id) is not None


def test_machine_checks_take_none(yard: Yard) -> None:
    """No container waits in a student's machine, and none is made for one."""
    pool = yard.pool(2, [MACHINE])
    assert pool.take(MACHINE, yard.image_id) is None
    assert fill(yard, pool) == {}


def test_demand_moves_the_pool(yard: Yard) -> None:
    """After as many checks of a lesson as there are places, all places are for that lesson."""
    pool = yard.pool(3, [FILES])
    fill(yard, pool)
    for _ in range(3):
        pool.take(BOOK, yard.image_id)
        fill(yard, pool)
        assert pool.count() == 3
    assert Counter(shape.image for shape, _ in pool._waiting) == {"hexhub/data": 3}
    assert sorted(yard.removed) == ["c0", "c1", "c2"]


def test_nothing_is_done_while_checks_run(yard: Yard) -> None:
    """Neither during a check nor right after it is anything made or removed."""
    pool = yard.pool(1, [FILES])
    with pool.busy():
        yard.now_s += 10
        assert pool.tend() == LOOK_S
        with pool.busy():
            pass
        assert pool.tend() == LOOK_S
    assert pool.tend() == pytest.approx(0.1)
    assert yard.made == []
    yard.now_s += 0.2
    assert pool.tend() == 0.0
    assert len(yard.made) == 1


@pytest.mark.parametrize("last_words", [b"", b"x"], ids=["ended", "said something"])
def test_a_dead_one_is_not_given(yard: Yard, last_words: bytes) -> None:
    """What has ended, or says what nobody asked for, is passed over and removed."""
    pool = yard.pool(2, [FILES])
    fill(yard, pool)
    if last_words:
        yard.far_ends["c0"].sendall(last_words)
    else:
        yard.far_ends["c0"].close()
    taken = pool.take(FILES, yard.image_id)
    assert taken is not None
    assert taken.container == "c1"
    assert pool.take(FILES, yard.image_id) is None
    fill(yard, pool)
    assert yard.removed == ["c0"]
    assert pool.count() == 2


def test_a_dead_one_is_replaced_in_time(yard: Yard) -> None:
    """One that ends while it waits is noticed without any check."""
    pool = yard.pool(1, [FILES])
    fill(yard, pool)
    yard.far_ends["c0"].close()
    fill(yard, pool)
    assert yard.removed == ["c0"]
    ready = pool.take(FILES, yard.image_id)
    assert ready is not None
    assert ready.container == "c1"


def test_what_has_waited_long_is_replaced(yard: Yard) -> None:
    """An old one is not given, and a new one takes its place."""
    pool = yard.pool(1, [FILES])
    fill(yard, pool)
    yard.now_s += 600
    assert pool.take(FILES, yard.image_id) is None
    fill(yard, pool)
    assert yard.removed == ["c0"]
    assert pool.count() == 1


def test_another_image_under_the_name_is_seen(yard: Yard) -> None:
    """When the lesson's image was built anew, what waits of the old one is of no use."""
    pool = yard.pool(2, [FILES])
    fill(yard, pool)
    yard.image_id = "sha256:two"
    assert pool.take(FILES, yard.image_id) is None
    fill(yard, pool)
    assert sorted(yard.removed) == ["c0", "c1"]
    ready = pool.take(FILES, yard.image_id)
    assert ready is not None
    assert ready.image_id == "sha256:two"


def test_without_memory_nothing_is_made(yard: Yard) -> None:
    """A computer that is short of memory keeps it for what runs."""
    pool = yard.pool(2, [FILES])
    yard.has_room = False
    assert fill(yard, pool) == {}
    yard.has_room = True
    assert fill(yard, pool) == {"hexhub/python": 2}


def test_a_refusal_is_not_repeated_at_once(yard: Yard) -> None:
    """A shape that Docker refuses waits a while, and does not hold up others."""
    pool = yard.pool(2, [FILES, BOOK])
    yard.refuses = ImageMissing("gone")
    yard.now_s += 1
    with pytest.raises(ImageMissing):
        pool.tend()
    yard.refuses = None
    assert fill(yard, pool) == {"hexhub/data": 1}
    yard.now_s += REFUSED_PAUSE_S
    assert fill(yard, pool) == {"hexhub/python": 1}


def test_closing_removes_what_waits(yard: Yard) -> None:
    """Nothing waits after the end, and nothing is given or made any more."""
    pool = yard.pool(3, [FILES])
    fill(yard, pool)
    pool.close()
    assert sorted(yard.removed) == ["c0", "c1", "c2"]
    assert pool.take(FILES, yard.image_id) is None
    assert pool.tend() > 0
    assert len(yard.made) == 3


def test_what_is_made_while_closing_is_removed(yard: Yard) -> None:
    """A container that Docker still made when the end came does not stay."""
    pool: WarmPool

    def make(shape: SandboxSpec) -> Ready:
        pool.close()
        return yard.make(shape)

    pool = WarmPool(make, yard.remove, size=1, expected=[FILES], quiet_s=0.0)
    pool.tend()
    assert yard.removed == ["c0"]
    assert pool.count() == 0


def test_a_pool_of_none(yard: Yard) -> None:
    """Of size 0 it keeps nothing."""
    pool = yard.pool(0, [FILES])
    assert pool.take(FILES, yard.image_id) is None
    assert fill(yard, pool) == {}


def test_available_memory_is_read() -> None:
    """``/proc/meminfo`` counts in KiB; kernels that do not say it are taken as they are."""
    assert read_available("MemTotal: 9 kB\nMemAvailable:    2048 kB\n") == 2 * 1024**2
    assert read_available("MemTotal: 9 kB\n") is None
