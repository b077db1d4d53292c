"""``hexhub worker``: runs checks and ships events."""

import logging
import os
import signal
import sys

import click

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.sandbox import Sandbox
from hexhub.errors import HexHubError, SetupError
from hexhub.events.outbox import Outbox
from hexhub.events.sink import InfluxSink
from hexhub.progress.snapshots import SnapshotLimits, Snapshots
from hexhub.progress.store import Store
from hexhub.settings import Settings
from hexhub.usecases.run_check import make_grader
from hexhub.worker import SLOTS, Worker


@click.command()
@click.option(
    "--slots",
    type=click.IntRange(1, 64),
    default=SLOTS,
    show_default=True,
    help="Checks at a time.",
)
def worker(slots: int) -> None:
    """Run checks and ship events; ``hexhub up`` starts this."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    try:
        is_well = run_worker(Settings.from_environment(), slots)
    except HexHubError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    # Not sys.exit: threads that hang in Docker or in a sink would be torn apart noisily.
    logging.shutdown()
    os._exit(0 if is_well else 1)


def run_worker(settings: Settings, slots: int) -> bool:
    """Work until SIGTERM or SIGINT; True where it was stopped so.

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
    sandbox = Sandbox(settings.hub_id)
    snapshots = Snapshots(store, snapshot_limits(settings))

    def clean_up() -> None:
        # Docker being away must not keep the database from being cleaned.
        try:
            sandbox.remove_leftovers()
        finally:
            snapshots.clean_up_hourly()

    work = Worker(
        store,
        catalog,
        make_grader(sandbox, catalog, snapshots),
        clean_up=clean_up,
        outbox=None if outbox_sink is None else Outbox(store, outbox_sink),
        slots=slots,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: work.stop())
    return work.run()


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
