"""Machines that nobody has used for long make room; their students' files stay."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from hexhub.archives import Archives
from hexhub.errors import ArchiveTooBig
from hexhub.old_machines import (
    OldMachine,
    Removal,
    find_stopped,
    opened_home,
    remove_if_unused,
)

log = logging.getLogger(__name__)


class Fate(StrEnum):
    """What became of an old machine."""

    WOULD_GO = "would go"
    ARCHIVED = "archived"
    TOO_BIG = "too big"
    IN_USE = "in use again"
    DELETED = "deleted meanwhile"
    FAILED = "failed"


_FATES = {
    Removal.REMOVED: Fate.ARCHIVED,
    Removal.IN_USE: Fate.IN_USE,
    Removal.GONE: Fate.DELETED,
}


@dataclass(frozen=True)
class Archived:
    """One old machine and what became of it.

    Attributes:
        size_bytes: Of its archive; 0 where none was made.
    """

    machine: OldMachine
    fate: Fate
    size_bytes: int = 0


def archive_machines(
    client: docker.APIClient,
    hub_id: str,
    archives: Archives,
    *,
    unused: timedelta,
    most_bytes: int,
    now: datetime,
    is_dry_run: bool = False,
) -> Iterator[Archived]:
    """Keep the files of machines that were not used for long, and remove the machines.

    A machine whose files cannot be kept stays as it is.

    Args:
        client: Of Docker.
        hub_id: Of the HexHub.
        archives: Where the files go.
        unused: For so long; since the machine was stopped.
        most_bytes: The biggest archive.
        now: Aware UTC.
        is_dry_run: Touch nothing, tell what would go.

    Yields:
        Each machine with its fate, when that is known.

    Raises:
        docker.errors.DockerException: Docker does not list its containers.
    """
    for machine in list(find_stopped(client, hub_id, before=now - unused)):
        if is_dry_run:
            yield Archived(machine, Fate.WOULD_GO)
            continue
        try:
            with opened_home(client, machine) as tar:
                archive = archives.keep(machine.name, tar, most_bytes)
            removal = remove_if_unused(client, machine)
            if removal is Removal.GONE:
                # The student or the server was deleted, and with it goes what is kept.
                archives.remove(machine.name)
        except ArchiveTooBig as exc:
            log.warning("%s stays: %s", machine.name, exc)
            yield Archived(machine, Fate.TOO_BIG)
        except (DockerException, RequestException, OSError) as exc:
            log.warning("%s stays: %s", machine.name, exc)
            yield Archived(machine, Fate.FAILED)
        else:
            yield Archived(machine, _FATES[removal], archive.size_bytes)
