"""``hexhub worker``: runs checks and ships events."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from hexhub.archives import Archives
from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.containers import SandboxSpec
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import Sandbox
from hexhub.checks.warm import LEAVE_FREE_BYTES, WARM_CHECKS, expected_specs
from hexhub.errors import CourseError, HexHubError, SetupError
from hexhub.events.outbox import Outbox
from hexhub.events.sink import InfluxSink
from hexhub.machines import connect_docker, remove_expired
from hexhub.progress.reports import Reports
from hexhub.progress.snapshots import SnapshotLimits, Snapshots
from hexhub.progress.store import Store
from hexhub.progress.waking import make_waker
from hexhub.runtimes import read_runtimes
from hexhub.settings import Settings
from hexhub.usecases.archive_machines import archive_machines
from hexhub.usecases.run_check import make_grader
from hexhub.worker import CLEAN_UP_EVERY_S, SLOTS, Worker

log = logging.getLogger(__name__)

MB = 1024**2
RETIRE_EVERY_S = 3600.0
FORGET_EVERY_S = 3600.0
CLOSE_S = 2.0
"""For removing the check containers that wait, within what is left to a worker that must end."""


@click.command()
@click.option(
    "--slots",
    type=click.IntRange(1, 64),
    default=SLOTS,
    show_default=True,
    help="Checks at a time.",
)
@click.option(
    "--warm",
    type=click.IntRange(0, 64),
    default=WARM_CHECKS,
    show_default=True,
    envvar="HEXHUB_WARM_CHECKS",
    show_envvar=True,
    help="Check containers that wait ready, each for one check; 0: none.",
)
@click.option(
    "--warm-leave",
    type=click.IntRange(0),
    default=LEAVE_FREE_BYTES // MB,
    show_default=True,
    envvar="HEXHUB_WARM_LEAVE_MB",
    show_envvar=True,
    help="Megabytes of memory to leave free: with less available, none is made ahead.",
)
@click.option(
    "--clean-up-every",
    type=click.IntRange(1),
    default=int(CLEAN_UP_EVERY_S),
    show_default=True,
    envvar="HEXHUB_CLEAN_UP_EVERY_S",
    show_envvar=True,
    help="Seconds between two looks for check containers that nobody waits for any more.",
)
@click.option("--verbose", is_flag=True, help="Log where the time of each check goes.")
def worker(slots: int, warm: int, warm_leave: int, clean_up_every: int, verbose: bool) -> None:
    """Run checks and ship events; ``hexhub up`` starts this."""
    thread = " [%(threadName)s]" if verbose else ""
    logging.basicConfig(
        level=logging.INFO, format=f"%(asctime)s %(levelname)s %(name)s{thread}: %(message)s"
    )
    if verbose:
        logging.getLogger("hexhub").setLevel(logging.DEBUG)
    try:
        is_well = run_worker(
            Settings.from_environment(),
            slots,
            warm=warm,
            leave_free_bytes=warm_leave * MB,
            clean_up_every_s=clean_up_every,
        )
    except HexHubError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    # Not sys.exit: threads that hang in Docker or in a sink would be torn apart noisily.
    logging.shutdown()
    os._exit(0 if is_well else 1)


def run_worker(
    settings: Settings,
    slots: int,
    *,
    warm: int = WARM_CHECKS,
    leave_free_bytes: int = LEAVE_FREE_BYTES,
    clean_up_every_s: float = CLEAN_UP_EVERY_S,
) -> bool:
    """Work until SIGTERM or SIGINT; True where it was stopped so.

    Args:
        slots: Checks at one time.
        warm: Check containers that wait ready.
        leave_free_bytes: With less memory available, none is made ahead.
        clean_up_every_s: Seconds between two looks for leftovers of checks.

    Raises:
        SetupError: A setting is missing or wrong.
        StoreError: The tables cannot be made or updated.
    """
    if not settings.hub_id:
        raise SetupError(
            "HEXHUB_HUB_ID is not set, so that no student's machine can be found. "
            "'hexhub up' sets it; on another machine give the worker the same value."
        )
    outbox_sink = make_sink(settings)
    store = Store(settings.database_url)
    store.migrate()
    catalog = PublishedCatalog(settings.published)
    engine = Engine(settings.hub_id, runtimes=read_runtimes(settings.runtimes))
    sandbox = Sandbox(engine)
    snapshots = Snapshots(store, snapshot_limits(settings))
    waker = make_waker(settings.database_url)

    retire = make_retirement(settings)
    forget = make_forgetting(settings, Reports(store))

    def clean_up() -> None:
        # Docker being away must not keep the database from being cleaned.
        try:
            engine.remove_leftovers()
            retire()
        finally:
            snapshots.clean_up_hourly()
            forget()

    work = Worker(
        store,
        catalog,
        make_grader(sandbox, catalog, snapshots),
        clean_up=clean_up,
        outbox=None if outbox_sink is None else Outbox(store, outbox_sink),
        slots=slots,
        clean_up_every_s=clean_up_every_s,
        wait_for_news=waker.wait,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: work.stop())

    def close_docker() -> None:
        sandbox.close()
        engine.close()

    sandbox.work_ahead(warm, expect_checks(catalog), leave_free_bytes=leave_free_bytes)
    try:
        return work.run()
    finally:
        waker.close()
        # A Docker that hangs must not keep us here; what stays is removed when its time is over.
        closing = threading.Thread(target=close_docker, name="close", daemon=True)
        closing.start()
        closing.join(CLOSE_S)


def make_retirement(settings: Settings) -> Callable[[], None]:
    """Give what removes machines that are kept no longer, for a loop that comes by often.

    Machines put aside by a reset go when their time is over; once an hour, those that nobody has
    used for long go too, and their files are kept.
    """
    archives = Archives(settings.archives)
    next_s = 0.0

    def retire() -> None:
        nonlocal next_s
        client = connect_docker()
        now = datetime.now(UTC)
        remove_expired(client, settings.hub_id, now)
        if time.monotonic() < next_s or not settings.machine_days:
            return
        for done in archive_machines(
            client,
            settings.hub_id,
            archives,
            unused=timedelta(days=settings.machine_days),
            most_bytes=settings.archive_bytes,
            now=now,
        ):
            log.info("%s, not used for long: %s.", done.machine.name, done.fate.value)
        next_s = time.monotonic() + RETIRE_EVERY_S

    return retire


def make_forgetting(
    settings: Settings, reports: Reports, clock: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """Give what deletes old claims of students' machines, for a loop that comes by often.

    It does so once an hour. Where events go to InfluxDB, none goes before it is there.
    """
    next_s = clock()

    def forget() -> None:
        nonlocal next_s
        if clock() < next_s or not settings.reported_days:
            return
        gone = reports.forget_old(
            timedelta(days=settings.reported_days), only_shipped=bool(settings.influx_url)
        )
        if gone:
            log.info("%d events that machines had reported are gone.", gone)
        next_s = clock() + FORGET_EVERY_S

    return forget


def expect_checks(catalog: PublishedCatalog) -> list[SandboxSpec]:
    """Give the check containers that the published courses may need; none that cannot be read."""
    try:
        return expected_specs(catalog.courses())
    except CourseError as exc:
        log.warning("No check container is made ahead before the first check: %s", exc)
        return []


def snapshot_limits(settings: Settings) -> SnapshotLimits:
    """Give how much is kept of what students hand in."""
    return SnapshotLimits(
        attempt_bytes=settings.snapshot_attempt_bytes,
        student_bytes=settings.snapshot_student_bytes,
        days=settings.snapshot_days,
    )


def make_sink(settings: Settings) -> InfluxSink | None:
    """Give where events go; None where InfluxDB is not configured and they stay in the table.

    Raises:
        SetupError: InfluxDB is configured, but the key of the pseudonyms is missing or no hex.
    """
    if not settings.influx_url:
        return None
    try:
        key = bytes.fromhex(settings.pseudonym_key)
    except ValueError:
        key = b""
    if len(key) < 16:
        raise SetupError(
            "HEXHUB_INFLUX_URL is set, but HEXHUB_PSEUDONYM_KEY is not 32 or more hex digits; "
            "without it events would name students. Make one: openssl rand -hex 32"
        )
    return InfluxSink(
        settings.influx_url,
        token=settings.influx_token,
        org=settings.influx_org,
        bucket=settings.influx_bucket,
        pseudonym_key=key,
    )
