"""Which limit a run has hit without being stopped, as its own words tell; pure.

Time, memory, report and answer are counted by us, and what is over is stopped and said so. A
process too many or a full disk is refused to the run by the kernel, and the run goes on: all that
comes out is the complaint of whatever wanted it, in a language that few students read. So that
complaint is looked for, and a sentence says what it means.

Design choices: the kernel's own counters (``pids.events``) lie in the host's cgroups, which a
worker need not see, and are gone with the container. The words are the student's to forge; who does
so is told of a limit, and nothing else changes.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from hexhub.catalog.model import CheckKind, CheckSpec
from hexhub.checks.containers import CHECK_PROCESSES
from hexhub.checks.model import Outcome, TestOutcome

_NO_PROCESS = re.compile(
    r"Errno 11\b|Resource temporarily unavailable|[Cc]annot fork|can't start new thread|"
    r"unable to create (?:new )?(?:native )?thread|\bEAGAIN\b"
)
_NO_DISK = re.compile(r"No space left on device|\bENOSPC\b")
_MB = 1024**2


def with_limit(outcome: Outcome, spec: CheckSpec) -> Outcome:
    """Give the outcome of a run, with a sentence about the limit that it seems to have hit.

    Checks of a machine say what they found there, where other limits hold: they are left alone, and
    so is a pass.
    """
    if outcome.is_pass or spec.kind is CheckKind.MACHINE:
        return outcome
    said = "\n".join(_texts(outcome))
    sentences = [outcome.message] if outcome.message else []
    if _NO_PROCESS.search(said):
        sentences.append(processes_message())
    if _NO_DISK.search(said):
        sentences.append(disk_message(spec))
    return replace(outcome, message=" ".join(sentences))


def processes_message() -> str:
    """Say that the processes were not enough, as far as that is known."""
    return (
        f"A check may have {CHECK_PROCESSES} processes and threads at a time; "
        "it looks as if this run wanted more."
    )


def disk_message(spec: CheckSpec) -> str:
    """Say that the disk was full. What may be written lies in memory (``checks.containers``)."""
    return (
        f"The disk of the check was full: {spec.memory_bytes // 4 // _MB} MB may be written to /tmp"
        f", and {spec.memory_bytes // 2 // _MB} MB beside the files."
    )


def _texts(outcome: Outcome) -> Iterator[str]:
    yield outcome.output
    for test in outcome.tests:
        if test.outcome in (TestOutcome.FAILED, TestOutcome.ERROR):
            yield test.message
            yield test.output
