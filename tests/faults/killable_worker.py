"""A worker process whose checks are a short sleep: what the test of ``kill -9`` kills.

Arguments: database URL, folder of the catalog.
"""

import random
import sys
import time
from pathlib import Path

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.model import Outcome, OutcomeKind, TestOutcome, TestResult
from hexhub.progress.store import Store
from hexhub.worker import Worker


def grade(*_: object) -> Outcome:
    """Pass after up to a third of a second, with enough tests to make the verdict a long write."""
    time.sleep(random.uniform(0.02, 0.3))
    tests = (TestResult(f"t::{n}", f"Test {n}", TestOutcome.PASSED) for n in range(20))
    return Outcome(OutcomeKind.PASSED, tests=tuple(tests))


if __name__ == "__main__":
    store = Store(sys.argv[1])
    catalog = PublishedCatalog(Path(sys.argv[2]))
    print("ready", flush=True)
    Worker(store, catalog, grade, lease_s=0.9, poll_s=0.02).run()
