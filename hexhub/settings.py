"""Where things are and how the processes find each other: one value, read from the environment.

``hexhub up`` fills the environment of the hub, the web service and the worker from the same
:class:`Settings`, so that all of them agree.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hexhub.errors import SetupError

_MOST_BYTES = 2**40
_MOST_DAYS = 36_500


@dataclass(frozen=True)
class Settings:
    """The set-up of one HexHub.

    Attributes:
        state: Folder of everything that must stay: databases, secrets, published courses.
        database_url: SQLAlchemy URL of our tables.
        service_url: Where the web process listens for the proxy, without path.
        service_prefix: URL path of the web process, with both slashes.
        container_listen: ``host:port`` where the web process also listens for the API requests of
            the students' containers; empty: nowhere.
        hub_api_url: JupyterHub's REST API, as seen by web and worker.
        api_token: The service's token at JupyterHub; empty outside the running system.
        hub_id: Of this HexHub; in the labels of all its containers.
        subdomain_host: Origin of our pages where machines have names of their own, such as
            ``https://learn.example.org``; empty where all share one address.
        runtimes: Docker's runtimes for ``isolation`` of lessons, as ``hexhub.runtimes`` reads them.
        docker_network: Name of the Docker network of the students' containers.
        container_api_url: Our API as a student's container reaches it.
        pseudonym_key: Hex; makes pseudonyms of user names in events.
        snapshot_attempt_bytes: The most that is kept of what one attempt hands in; 0 keeps nothing.
        snapshot_student_bytes: The most that is kept of one student, over all courses.
        snapshot_days: How long it is kept.
        reported_days: How long events that students' machines reported are kept; 0: for ever.
        start_next_lesson: The next lesson's machine starts when a lesson is finished
            (``HEXHUB_START_NEXT_LESSON=1``); it costs a machine for students who go no further.
        machine_days: Machines that were stopped so long ago are removed, and their files kept; 0:
            never.
        archive_bytes: The biggest archive of a machine's files; a machine with more stays.
        influx_url, influx_token, influx_org, influx_bucket: Where events go; empty URL: nowhere.
    """

    state: Path
    database_url: str
    service_url: str = "http://127.0.0.1:10101"
    service_prefix: str = "/services/hexhub/"
    container_listen: str = ""
    hub_api_url: str = "http://127.0.0.1:8081/hub/api"
    api_token: str = ""
    hub_id: str = ""
    subdomain_host: str = ""
    runtimes: str = ""
    docker_network: str = "hexhub"
    container_api_url: str = ""
    pseudonym_key: str = ""
    snapshot_attempt_bytes: int = 8 * 1024**2
    snapshot_student_bytes: int = 64 * 1024**2
    snapshot_days: int = 180
    reported_days: int = 180
    start_next_lesson: bool = False
    machine_days: int = 90
    archive_bytes: int = 512 * 1024**2
    influx_url: str = ""
    influx_token: str = ""
    influx_org: str = "hexhub"
    influx_bucket: str = "hexhub"

    @property
    def published(self) -> Path:
        """Folder of the published catalog."""
        return self.state / "catalog"

    @property
    def archives(self) -> Path:
        """Folder of the files of old machines."""
        return self.state / "archives"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Read ``HEXHUB_*`` variables; what is not there has its default.

        Raises:
            SetupError: A variable that is a number holds none.
        """
        env = os.environ if environment is None else environment
        state = Path(env.get("HEXHUB_STATE", ".hexhub")).absolute()
        return cls(
            state=state,
            database_url=env.get("HEXHUB_DATABASE_URL", f"sqlite:///{state / 'hexhub.sqlite'}"),
            service_url=env.get("HEXHUB_SERVICE_URL", cls.service_url),
            service_prefix=env.get("JUPYTERHUB_SERVICE_PREFIX", cls.service_prefix),
            container_listen=env.get("HEXHUB_CONTAINER_LISTEN", cls.container_listen),
            hub_api_url=env.get("JUPYTERHUB_API_URL", cls.hub_api_url),
            api_token=env.get("JUPYTERHUB_API_TOKEN", cls.api_token),
            hub_id=env.get("HEXHUB_HUB_ID", cls.hub_id),
            subdomain_host=env.get("HEXHUB_SUBDOMAIN_HOST", cls.subdomain_host),
            runtimes=env.get("HEXHUB_RUNTIMES", cls.runtimes),
            docker_network=env.get("HEXHUB_DOCKER_NETWORK", cls.docker_network),
            container_api_url=env.get("HEXHUB_CONTAINER_API_URL", cls.container_api_url),
            pseudonym_key=env.get("HEXHUB_PSEUDONYM_KEY", cls.pseudonym_key),
            snapshot_attempt_bytes=_whole_number(
                env, "HEXHUB_SNAPSHOT_ATTEMPT_BYTES", cls.snapshot_attempt_bytes, _MOST_BYTES
            ),
            snapshot_student_bytes=_whole_number(
                env, "HEXHUB_SNAPSHOT_STUDENT_BYTES", cls.snapshot_student_bytes, _MOST_BYTES
            ),
            snapshot_days=_whole_number(env, "HEXHUB_SNAPSHOT_DAYS", cls.snapshot_days, _MOST_DAYS),
            reported_days=_whole_number(env, "HEXHUB_REPORTED_DAYS", cls.reported_days, _MOST_DAYS),
            start_next_lesson=env.get("HEXHUB_START_NEXT_LESSON", "") == "1",
            machine_days=_whole_number(env, "HEXHUB_MACHINE_DAYS", cls.machine_days, _MOST_DAYS),
            archive_bytes=_whole_number(
                env, "HEXHUB_ARCHIVE_BYTES", cls.archive_bytes, _MOST_BYTES
            ),
            influx_url=env.get("HEXHUB_INFLUX_URL", cls.influx_url),
            influx_token=env.get("HEXHUB_INFLUX_TOKEN", cls.influx_token),
            influx_org=env.get("HEXHUB_INFLUX_ORG", cls.influx_org),
            influx_bucket=env.get("HEXHUB_INFLUX_BUCKET", cls.influx_bucket),
        )


def _whole_number(env: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= 20
    if not is_number or int(text) > most:
        raise SetupError(f"{name} is {text!r}; it takes a whole number from 0 to {most}.")
    return int(text)
