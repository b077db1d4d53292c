"""A limit that a run hit without being stopped is named, and nothing else is changed."""

from dataclasses import replace

import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, ReportFormat
from hexhub.checks.containers import SandboxSpec, make_check_container
from hexhub.checks.limits import disk_message, processes_message, with_limit
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult

MB = 1024**2
SPEC = CheckSpec(CheckKind.FILES, "pytest -q", ReportFormat.JUNIT, 20.0, memory_bytes=256 * MB)
FAILED = Outcome(
    OutcomeKind.FAILED,
    tests=(
        TestResult("t::a", "A", TestOutcome.FAILED, message="It is 3."),
        TestResult("t::b", "B", TestOutcome.PASSED),
    ),
    output="the end",
    duration_s=1.0,
)
PROCESSES, DISK = processes_message(), disk_message(SPEC)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("f() raised BlockingIOError: [Errno 11] Resource temporarily unavailable", PROCESSES),
        ("/bin/sh: 1: Cannot fork", PROCESSES),
        ("bash: fork: retry: Resource temporarily unavailable", PROCESSES),
        ("RuntimeError: can't start new thread", PROCESSES),
        ("java.lang.OutOfMemoryError: unable to create native thread", PROCESSES),
        ("Error: spawn EAGAIN", PROCESSES),
        ("OSError: [Errno 28] No space left on device", DISK),
        ("Error: ENOSPC: no space left on device, write", DISK),
        ("[Errno 110] Connection timed out", ""),
        ("AssertionError: 3 != 4", ""),
        ("", ""),
    ],
)
def test_the_kernels_words_are_explained(words: str, sentence: str) -> None:
    """Wherever the complaint stands, the outcome has our sentence, and is otherwise the same."""
    failing, passing = FAILED.tests
    for outcome in (
        replace(FAILED, output=words),
        replace(FAILED, tests=(replace(failing, message=words), passing)),
        replace(FAILED, tests=(replace(failing, output=words), passing)),
    ):
        assert with_limit(outcome, SPEC) == replace(outcome, message=sentence)


def test_what_is_said_already_stays() -> None:
    """The sentence comes after what stopped the run."""
    late = replace(FAILED, kind=OutcomeKind.ERROR, message="Too late.", output="Cannot fork ENOSPC")
    assert with_limit(late, SPEC).message == f"Too late. {PROCESSES} {DISK}"


def test_a_pass_a_passed_test_and_a_machine_are_left_alone() -> None:
    """A pass says nothing of limits; a machine has its own, and its check reports what it sees."""
    words = "No space left on device"
    done = replace(FAILED, kind=OutcomeKind.PASSED, output=words)
    assert with_limit(done, SPEC) == done
    failing, passing = FAILED.tests
    printed = replace(FAILED, tests=(failing, replace(passing, output=words)))
    assert with_limit(printed, SPEC) == printed
    machine = replace(FAILED, output=words)
    assert with_limit(machine, replace(SPEC, kind=CheckKind.MACHINE)) == machine


def test_the_numbers_are_those_of_the_container() -> None:
    """What is said is what Docker was told."""
    container = make_check_container(
        SandboxSpec("image", CheckKind.FILES, None, SPEC.memory_bytes, SPEC.timeout_s),
        hub_id="hub",
        expires_at_s=0.0,
    )
    disks, processes = container["host_config"]["Tmpfs"], container["host_config"]["PidsLimit"]
    assert disks["/tmp"].endswith(f"size={64 * MB}")
    assert disks["/check"].endswith(f"size={128 * MB}")
    assert "64 MB may be written to /tmp, and 128 MB beside the files" in DISK
    assert f"{processes} processes and threads" in PROCESSES
