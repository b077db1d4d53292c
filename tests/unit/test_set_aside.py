from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hexhub.names import machine_name
from hexhub.set_aside import KEPT, aside_name, is_aside, kept_until

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@given(st.text(min_size=1), st.datetimes(datetime(1970, 1, 2), datetime(2500, 1, 1)))
def test_when_it_was_put_aside_stands_in_the_name(user, moment):
    """The name alone tells until when a machine is kept, whoever the student is."""
    at = moment.replace(microsecond=0, tzinfo=UTC)
    name = aside_name(machine_name("0123456789ab", user, "lesson-01234567"), at)
    assert is_aside(name)
    assert is_aside(f"/{name}")
    assert kept_until(name) == at + KEPT


def test_other_names_are_not_aside():
    """A machine that is in use, and what only looks alike, was not put aside."""
    machine = machine_name("0123456789ab", "ada.before-1", "lesson-01234567")
    for name in (machine, f"{machine}.before-", f"{machine}.before-x", f"{machine}.before-1.more"):
        assert not is_aside(name)
        assert kept_until(name) is None
    assert timedelta(days=7) == KEPT
