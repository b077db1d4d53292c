"""The process that gives attempts their outcomes and ships events.

Design choices: threads, not an event loop: Docker, the database and influxdb-client all block.
The threads are daemons of our own and not a pool, since Python waits at exit for the threads of a
pool, and one hung check would keep the worker from ending. Each check has its own limits; a check
that still does not come back is not held any longer: its lease runs out, and it is tried again.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.phases import tell_phase
from hexhub.errors import CourseError, HexHubError, LeaseLost, StoreError
from hexhub.events.outbox import Outbox
from hexhub.progress.model import Attempt, Claim
from hexhub.progress.store import Store
from hexhub.usecases.grade_attempt import Grader, grade_attempt, put_back

log = logging.getLogger(__name__)

SLOTS = 3 * (os.cpu_count() or 1)
"""Of checks at one time, three to a core: a check waits for Docker, for processes that end and for
its tests' own pauses for much of its time, and of ten students who press Check at once on two cores
the last shall not wait for eight others to be through. Not more, for they share the cores: a check
that computes all the time runs at a third of its speed, against the same time limit."""
LEASE_S = 30.0
POLL_S = 0.1
IDLE_POLL_S = 0.5
"""Between two looks into the queue once there has been nothing for ``IDLE_AFTER_S``: each costs a
millisecond of processor, and what comes is told of in any case (``hexhub.progress.waking``)."""
IDLE_AFTER_S = 5.0
GRACE_S = 4.0
"""``hexhub up`` gives a program 8 s to end (``hexhub.supervisor``), JupyterHub 10 s; what does not
end by then is released, to be run again."""
LOOK_FOR_LOST_S = 1.0
"""Between two looks whether what runs is still ours: a cancelled check keeps its slot so long."""
CLEAN_UP_EVERY_S = 60.0
OVERTIME_S = 180.0
"""Seconds beyond the check's own limit (copying, starting and removing the container) after which
a check counts as hung."""
MOST_HUNG = 8
"""Hung checks after which the worker ends, so that whoever watches it starts a fresh one."""
_STORE_PAUSE_S = 1.0
_JOIN_S = 1.5


@dataclass
class _Job:
    """An attempt that is being graded, and its thread."""

    claim: Claim
    hung_at_s: float
    is_held: bool = True
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def id(self) -> str:
        return self.claim.attempt.id


class Worker:
    """Takes attempts from the queue, a few at a time, until it is stopped."""

    def __init__(
        self,
        store: Store,
        catalog: PublishedCatalog,
        grader: Grader,
        *,
        clean_up: Callable[[], None] | None = None,
        outbox: Outbox | None = None,
        slots: int = SLOTS,
        lease_s: float = LEASE_S,
        poll_s: float = POLL_S,
        grace_s: float = GRACE_S,
        overtime_s: float = OVERTIME_S,
        clean_up_every_s: float = CLEAN_UP_EVERY_S,
        wait_for_news: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; :meth:`run` does the work.

        Args:
            grader: Runs one check; called from several threads at once.
            clean_up: Removes what checks left behind; called at the start and again and again.
            outbox: Ships events; None leaves them in the table.
            slots: Checks at one time; of one student one less, so that a slot is left to others.
            lease_s: Seconds after which another worker may take a silent worker's attempt.
            poll_s: Seconds between two looks into the queue; more where nothing has come for long.
            grace_s: Seconds that running checks have when the worker is stopped.
            clean_up_every_s: Seconds between two calls of ``clean_up``.
            wait_for_news: Returns when something may have been put into the queue, at the latest
                after the seconds it is given (``hexhub.progress.waking``).
        """
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._store = store
        self._catalog = catalog
        self._grader = grader
        self._clean_up = clean_up
        self._outbox = outbox
        self._slots = slots
        self._most_of_one = max(1, slots - 1)
        self._lease_s = lease_s
        self._poll_s = poll_s
        self._grace_s = grace_s
        self._overtime_s = overtime_s
        self._clean_up_every_s = clean_up_every_s
        self._wait_for_news = wait_for_news
        self._is_stopped = False
        self._freed = threading.Event()
        self._end = threading.Event()
        self._jobs: list[_Job] = []
        self._lock = threading.Lock()
        self._hung = 0

    def stop(self) -> None:
        """Take nothing new, and let :meth:`run` return when what runs has ended.

        Safe in a signal handler, which an ``Event`` is not: its lock may be held by the very code
        that the signal interrupts.
        """
        self._is_stopped = True

    def run(self) -> bool:
        """Work until stopped.

        Returns:
            True where it was stopped; False where it ended because too many checks hung.
        """
        log.info("Worker %s takes attempts, %d at a time.", self.name, self._slots)
        beside = [threading.Thread(target=self._beat, name="heartbeat", daemon=True)]
        if self._clean_up is not None:
            beside.append(threading.Thread(target=self._sweep, name="clean-up", daemon=True))
        if self._outbox is not None:
            beside.append(
                threading.Thread(
                    target=self._outbox.run, args=(self._end,), name="outbox", daemon=True
                )
            )
        for thread in beside:
            thread.start()
        try:
            self._take_until_stopped()
            self._let_end()
        finally:
            self._end.set()
            # A sink or a Docker that hangs must not keep us here.
            until_s = time.monotonic() + _JOIN_S
            for thread in beside:
                thread.join(timeout=max(0.0, until_s - time.monotonic()))
        log.info("Worker %s ends.", self.name)
        return self._hung <= MOST_HUNG

    # --- the main thread --------------------------------------------------------------------------

    def _take_until_stopped(self) -> None:
        is_away = False
        idle_from_s = time.monotonic()
        while not self._is_stopped:
            self._forget_hung()
            if self._hung > MOST_HUNG:
                log.error("%d checks hang; ending, to be started anew.", self._hung)
                return
            self._freed.clear()
            if len(self._running()) >= self._slots:
                self._freed.wait(self._poll_s)
                continue
            try:
                claim = self._store.claim(self.name, self._lease_s, most_of_one=self._most_of_one)
            except StoreError as exc:
                if not is_away:
                    log.error("Attempts wait; trying on. %s", exc)
                is_away = True
                time.sleep(_STORE_PAUSE_S)
                continue
            if is_away:
                log.info("The database is back.")
                is_away = False
            if claim is not None:
                self._start(claim)
                idle_from_s = time.monotonic()
            elif time.monotonic() - idle_from_s < IDLE_AFTER_S:
                self._wait_for_news(self._poll_s)
            else:
                self._wait_for_news(max(self._poll_s, IDLE_POLL_S))

    def _start(self, claim: Claim) -> None:
        job = _Job(claim, time.monotonic() + self._limit_s(claim.attempt))
        with self._lock:
            self._jobs.append(job)
        name = f"attempt-{job.id[:8]}"
        threading.Thread(target=self._grade, args=(job,), name=name, daemon=True).start()

    def _limit_s(self, attempt: Attempt) -> float:
        place = attempt.place
        try:
            lesson = self._catalog.course(place.course, attempt.version).lesson(place.lesson)
            check = lesson.step(attempt.step).check
        except CourseError:
            # Grading will say so in its own words.
            return self._overtime_s
        return self._overtime_s + (check.timeout_s if check else 0.0)

    def _forget_hung(self) -> None:
        now_s = time.monotonic()
        with self._lock:
            hung = [job for job in self._jobs if now_s > job.hung_at_s and not job.done.is_set()]
            for job in hung:
                job.is_held = False
                self._jobs.remove(job)
        for job in hung:
            self._hung += 1
            log.error("The check of attempt %s does not come back; it is given free.", job.id)

    def _let_end(self) -> None:
        """Wait for running checks; release those that take too long, for the next worker."""
        until_s = time.monotonic() + self._grace_s
        for job in self._running():
            job.done.wait(max(0.0, until_s - time.monotonic()))
        for job in self._running():
            job.is_held = False
            try:
                self._store.release(job.id, job.claim.lease)
            except StoreError as exc:
                log.warning("Attempt %s is released when its lease is over: %s", job.id, exc)
            else:
                log.info("Attempt %s goes back into the queue.", job.id)
                _let_go(job)

    def _running(self) -> list[_Job]:
        with self._lock:
            self._jobs = [job for job in self._jobs if not job.done.is_set()]
            return list(self._jobs)

    # --- the other threads ------------------------------------------------------------------------

    def _grade(self, job: _Job) -> None:
        attempt, lease = job.claim.attempt, job.claim.lease
        tell_phase("queue", time.time() - attempt.requested_at.timestamp())
        try:
            result = grade_attempt(self._store, self._catalog, self._grader, job.claim)
            outcome = result.outcome
            what = outcome.kind.value if outcome else "queued again"
            log.info(
                "Attempt %s (%s/%s): %s, %.0f ms after it was asked for.",
                job.id,
                attempt.place.lesson,
                attempt.step,
                what,
                (time.time() - attempt.requested_at.timestamp()) * 1000,
            )
        except LeaseLost:
            log.warning("Attempt %s was cancelled or taken over; its check is dropped.", job.id)
        except StoreError as exc:
            log.error("The verdict on attempt %s is not stored; it runs again. %s", job.id, exc)
        except Exception as exc:  # outermost loop: a bug costs one try, not the worker
            log.exception("Grading attempt %s failed.", job.id)
            try:
                put_back(self._store, attempt, lease, f"{type(exc).__name__}: {exc}")
            except StoreError as store_exc:
                log.error("Attempt %s runs again when its lease is over: %s", job.id, store_exc)
        finally:
            job.done.set()
            self._freed.set()

    def _beat(self) -> None:
        """Hold what runs, at a third of the lease, and end what is not ours any more."""
        beat_s = self._lease_s / 3
        due_s = time.monotonic() + beat_s
        while not self._end.wait(min(LOOK_FOR_LOST_S, max(0.0, due_s - time.monotonic()))):
            jobs = [job for job in self._running() if job.is_held]
            if time.monotonic() < due_s:
                self._find_lost(jobs)
                continue
            for job in jobs:
                try:
                    self._store.heartbeat(job.id, job.claim.lease, self._lease_s)
                except LeaseLost:
                    # Either done in this moment, or taken over; the fence keeps a late verdict out.
                    _let_go(job)
                except StoreError as exc:
                    log.warning("No heartbeat for attempt %s: %s", job.id, exc)
            due_s = time.monotonic() + beat_s

    def _find_lost(self, jobs: Sequence[_Job]) -> None:
        """Let go of what its student has cancelled, so that its check ends and its slot is free."""
        if not jobs:
            return
        try:
            held = self._store.held([job.claim.lease for job in jobs])
        except StoreError:
            return  # the heartbeat says so
        for job in jobs:
            if job.claim.lease not in held:
                _let_go(job)

    def _sweep(self) -> None:
        assert self._clean_up is not None  # noqa: S101 - started only then
        while True:
            try:
                self._clean_up()
            except HexHubError as exc:
                log.warning("Leftovers of checks stay for now: %s", exc)
            except Exception:  # outermost loop: leftovers must not end the worker
                log.exception("Removing leftovers of checks failed.")
            if self._end.wait(self._clean_up_every_s):
                return


def _let_go(job: _Job) -> None:
    """Have the check of an attempt end that is not ours any more."""
    job.is_held = False
    job.claim.lost.set()
