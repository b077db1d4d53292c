"""The hub is killed at every point of start, claim and stop that there is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
TESTS = ("tests/faults/test_hub_killed.py", "tests/hub/test_pool.py")


def test_no_point_is_passed_over():
    """Each has a test by its name; a new one that has none is red here."""
    sources = "".join(path.read_text() for path in (ROOT / "spawner").glob("*.py"))
    points = set(re.findall(r'pass_point\("([a-z.]+)"\)', sources))
    assert len(points) >= 10
    tests = "".join((ROOT / path).read_text() for path in TESTS)
    assert {point for point in points if f'"{point}"' not in tests} == set()
