import pytest

from hexhub.memory import read_available, read_held


def test_available_memory_is_read():
    """From ``/proc/meminfo``, in bytes; where the kernel does not say it, nobody knows."""
    assert read_available("MemTotal: 9 kB\nMemAvailable:    2048 kB\n") == 2 * 1024**2
    assert read_available("MemTotal: 9 kB\n") is None


@pytest.mark.parametrize(
    ("stats", "held"),
    [
        ({"memory_stats": {"usage": 100, "stats": {"total_inactive_file": 30}}}, 70),
        ({"memory_stats": {"usage": 100, "stats": {"inactive_file": 20}}}, 80),
        ({"memory_stats": {"usage": 100}}, 100),
        ({}, 0),
    ],
)
def test_memory_is_counted_without_what_is_cached(stats, held):
    """As ``docker stats`` does, with cgroups of both versions."""
    assert read_held(stats) == held
