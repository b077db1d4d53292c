"""Used containers are removed in quiet moments, and none is forgotten."""

import threading

import pytest

from hexhub.checks.leavings import Leavings


class Scene:
    """Leavings with a clock of their own, and what they have removed."""

    def __init__(self, most: int = 3) -> None:
        self.now_s = 100.0
        self.removed: list[int] = []
        self.leavings = Leavings(
            self.removed.append, patience_s=5.0, most=most, clock=lambda: self.now_s
        )


def test_the_oldest_goes_first_in_a_quiet_moment() -> None:
    """Without a check that runs, one after the other is removed."""
    scene = Scene()
    for number in (1, 2):
        scene.leavings.add(number)
    assert scene.leavings.tend() == 0.0
    assert scene.removed == [1]
    scene.leavings.tend()
    assert scene.removed == [1, 2]
    assert scene.leavings.tend() is None


def test_nothing_is_removed_while_checks_run() -> None:
    """What is left waits for the end of all checks, and no longer than it may."""
    scene = Scene()
    with scene.leavings.busy(), scene.leavings.busy():
        scene.leavings.add(1)
        scene.now_s += 2
        assert scene.leavings.tend() == 3.0
        assert scene.removed == []
    scene.leavings.tend()
    assert scene.removed == [1]
    with scene.leavings.busy():
        scene.leavings.add(2)
        scene.now_s += 5
        scene.leavings.tend()
    assert scene.removed == [1, 2]


def test_only_so_many_are_left() -> None:
    """With more than that, the oldest is removed although checks run."""
    scene = Scene(most=2)
    with scene.leavings.busy():
        for number in range(4):
            scene.leavings.add(number)
        while scene.leavings.tend() == 0.0:
            pass
        assert scene.removed == [0, 1]


def test_busy_ends_however_the_block_ends() -> None:
    """A check that fails does not keep things from being removed."""
    scene = Scene()
    scene.leavings.add(1)
    with pytest.raises(RuntimeError), scene.leavings.busy():
        raise RuntimeError
    scene.leavings.tend()
    assert scene.removed == [1]


def test_all_of_it_is_removed_in_the_end() -> None:
    """Closing removes what is left, also while checks run, and passes over what cannot be."""
    removed: list[int] = []

    def remove(number: int) -> None:
        if number == 1:
            raise RuntimeError("It does not go.")
        removed.append(number)

    leavings = Leavings(remove, patience_s=600.0)
    leavings.start()
    with leavings.busy():
        for number in range(5):
            leavings.add(number)
        leavings.close(60.0)
    assert removed == [0, 2, 3, 4]


def test_the_thread_removes_what_is_added_later() -> None:
    """A thread that had nothing to do is woken."""
    gone = threading.Event()
    leavings = Leavings(lambda _: gone.set())
    leavings.start()
    with leavings.busy():
        leavings.add(1)
        assert not gone.wait(0.05)
    assert gone.wait(60)
    leavings.close(60.0)
