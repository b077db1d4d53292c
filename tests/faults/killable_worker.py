"""Worker processes whose checks are a short sleep: what tests kill, and take the database from.

They are forked by multiprocessing's fork server, which has imported all of this once: a fresh
interpreter takes seconds to import it, and a test that kills many would do little else.
"""

import contextlib
import multiprocessing
import random
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.progress.store import Store
from hexhub.worker import Worker

TESTS = 20
"""Tests of a verdict: enough to make it a long write."""


def grade(*_: object) -> Outcome:
    """Pass after up to a third of a second."""
    time.sleep(random.uniform(0.02, 0.3))
    tests = (TestResult(f"t::{n}", f"Test {n}", TestOutcome.PASSED) for n in range(TESTS))
    return Outcome(OutcomeKind.PASSED, tests=tuple(tests))


def work(database_url: str, catalog: Path, lease_s: float) -> None:
    """Be a worker until killed."""
    Worker(
        Store(database_url), PublishedCatalog(catalog), grade, lease_s=lease_s, poll_s=0.02
    ).run()


class Workers:
    """Worker processes on one database."""

    def __init__(self, number: int, database_url: str, catalog: Path, lease_s: float) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__])
        self._arguments = (database_url, catalog, lease_s)
        self.processes: list[BaseProcess] = [self._start() for _ in range(number)]

    def _start(self) -> BaseProcess:
        process = self._context.Process(target=work, args=self._arguments, daemon=True)
        process.start()
        return process

    def kill(self, place: int) -> None:
        """End a worker with kill -9 and start another in its place."""
        _end(self.processes[place])
        self.processes[place] = self._start()

    def kill_all(self) -> None:
        """End all."""
        while self.processes:
            _end(self.processes.pop())


def _end(process: BaseProcess) -> None:
    process.kill()
    process.join(30)
    process.close()


@contextlib.contextmanager
def running_workers(
    number: int, database_url: str, catalog: Path, *, lease_s: float = 0.9
) -> Iterator[Workers]:
    """Run worker processes while the block lasts."""
    workers = Workers(number, database_url, catalog, lease_s)
    try:
        yield workers
    finally:
        workers.kill_all()
