"""Settings are read from the environment, and what is no number is said."""

import pytest

from hexhub.errors import SetupError
from hexhub.settings import Settings


def test_limits_of_snapshots_are_read() -> None:
    """Each has its variable; one that is empty or missing has its default."""
    settings = Settings.from_environment(
        {
            "HEXHUB_SNAPSHOT_ATTEMPT_BYTES": "0",
            "HEXHUB_SNAPSHOT_STUDENT_BYTES": "1000",
            "HEXHUB_SNAPSHOT_DAYS": "",
        }
    )
    assert (settings.snapshot_attempt_bytes, settings.snapshot_student_bytes) == (0, 1000)
    assert settings.snapshot_days == Settings.snapshot_days


def test_old_machines_are_kept_as_long_as_is_said() -> None:
    """Ninety days unless said otherwise; 0 is for ever."""
    assert Settings.from_environment({}).machine_days == 90
    assert Settings.from_environment({"HEXHUB_MACHINE_DAYS": "0"}).machine_days == 0
    assert Settings.from_environment({"HEXHUB_ARCHIVE_BYTES": "5"}).archive_bytes == 5


def test_what_machines_report_is_kept_as_long_as_is_said() -> None:
    """Half a year unless said otherwise; 0 is for ever."""
    assert Settings.from_environment({}).reported_days == 180
    assert Settings.from_environment({"HEXHUB_REPORTED_DAYS": "30"}).reported_days == 30
    assert Settings.from_environment({"HEXHUB_REPORTED_DAYS": "0"}).reported_days == 0


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "8M", "٣", "9" * 30])
def test_what_is_no_number_is_said(text: str) -> None:
    """The variable and what it takes are named."""
    with pytest.raises(SetupError, match=r"HEXHUB_SNAPSHOT_DAYS is .* from 0 to 36500"):
        Settings.from_environment({"HEXHUB_SNAPSHOT_DAYS": text})
