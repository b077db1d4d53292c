"""The one process of a student's machine: loads JupyterLab, waits, becomes the lesson's server.

It runs in every container, new, pooled or resumed (``hexhub_lesson.entrypoint``). It imports what
is slow, reads one line of JSON from its standard input, and becomes ``jupyterhub-singleuser``::

    {"version": 1, "env": {"JUPYTERHUB_USER": "ada", ...}, "args": [], "cwd": "/home/student",
     "services": [{"name": "postgres", "start": "pg_ctl ... start", "is_first": false}]}

Design choices: most of the start of a single-user server is importing, so that it is done before
anybody waits for it. The environment (user, prefix, token) comes through the container's standard
input, which only Docker's API can write: it is in neither ``docker inspect`` nor any file, it is
new at each start, and there is no socket that another program in the container could reach first.
A fork server was weighed: one container is one server, so that there is nothing to fork.
"""

import gc
import json
import os
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hexhub_lesson.import_pack import NamedEntry
from hexhub_lesson.preloading import (
    AS_EXTENSION,
    hub_auth_config,
    preload,
    read_again,
    talk_to_hub_later,
)
from hexhub_lesson.private_folder import FolderUnsafe, make_private_folder, socket_path
from hexhub_lesson.server_config import server_config
from hexhub_lesson.services import Service, Services

MAX_LINE_BYTES = 256 * 1024
"""Longest line that is read; a hub's environment has about 3 kB."""

COOKIE_SECRET_BYTES = 32
"""Shortest key of the cookies that is believed; jupyter_server writes 32 random bytes in base64."""

STOP_S = 0.9
"""Seconds after a SIGTERM at which the process ends, whatever still holds it."""

SERVICES_STOP_S = 1.5
"""Seconds that the lesson's services have to end; the hub kills the machine 3 s after SIGTERM."""

OWN_PREFIXES = ("JUPYTERHUB_", "JPY_", "HEXHUB_")
"""Variables that only the hub may set; what the container has of them is thrown away."""

SECRETS = ("JUPYTERHUB_API_TOKEN", "JPY_API_TOKEN")
"""Variables that this process needs and that its children do not get."""


class StartInvalid(Exception):
    """The line on standard input cannot be used. The message never repeats what it held."""


@dataclass(frozen=True)
class Start:
    """What the hub tells a machine to become.

    Attributes:
        env: Variables to set; names that begin as :data:`OWN_PREFIXES` come from here alone.
        args: Command line of ``jupyterhub-singleuser``.
        cwd: Folder to work in; the home folder where it is empty or gone.
        services: Programs that run again when the machine is resumed.
    """

    env: dict[str, str]
    args: tuple[str, ...] = ()
    cwd: str = ""
    services: tuple[Service, ...] = ()


def parse_start(line: bytes) -> Start:
    """Read the line of JSON that the hub sends.

    Raises:
        StartInvalid: It is too long, not JSON, of another version, or of another shape.
    """
    if len(line) > MAX_LINE_BYTES:
        raise StartInvalid(f"The line is longer than {MAX_LINE_BYTES} bytes.")
    try:
        message = json.loads(line)
    except ValueError as exc:
        raise StartInvalid("The line is not JSON in UTF-8.") from exc
    if not isinstance(message, dict):
        raise StartInvalid("The line is JSON, but not an object.")
    if message.get("version") != 1:
        raise StartInvalid("The line's 'version' is not 1: the hub and this image do not match.")
    env, args, cwd = message.get("env"), message.get("args", []), message.get("cwd", "")
    if not isinstance(env, dict) or not all(_is_variable(k, v) for k, v in env.items()):
        raise StartInvalid("'env' must be an object of names and texts, without NUL or '='.")
    if not isinstance(args, list) or not all(isinstance(arg, str) for arg in args):
        raise StartInvalid("'args' must be a list of texts.")
    if not isinstance(cwd, str):
        raise StartInvalid("'cwd' must be a text.")
    services = _parse_services(message.get("services", []))
    return Start(env=env, args=tuple(args), cwd=cwd, services=services)


def _parse_services(given: object) -> tuple[Service, ...]:
    wrong = StartInvalid("'services' must be a list of objects with name, start and is_first.")
    if not isinstance(given, list):
        raise wrong
    services = []
    for service in given:
        if not isinstance(service, dict):
            raise wrong
        name, start, is_first = (service.get(key) for key in ("name", "start", "is_first"))
        is_text = isinstance(name, str) and isinstance(start, str) and "\0" not in start
        if not (is_text and isinstance(is_first, bool)):
            raise wrong
        services.append(Service(str(name), str(start), is_first))
    return tuple(services)


def _is_variable(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, str)
        and bool(name)
        and "=" not in name
        and "\0" not in name + value
    )


def read_line(fd: int) -> bytes:
    """Read up to and without the next newline, however long that takes.

    Args:
        fd: Read byte by block; what follows the newline in the same block is dropped, as one line
            is all that is ever sent.

    Returns:
        The line, at most ``MAX_LINE_BYTES + 1`` bytes of it.

    Raises:
        EOFError: The other side is closed, so that no line can ever come.
    """
    line = b""
    while True:
        block = os.read(fd, 65536)
        if not block:
            raise EOFError
        head, newline, _ = block.partition(b"\n")
        line = (line + head)[: MAX_LINE_BYTES + 1]
        if newline:
            return line


def wait_for_start(fd: int, say: Callable[[str], None]) -> Start:
    """Wait for a line that can be used and give what it says; one that cannot is told and dropped.

    Raises:
        EOFError: Standard input is closed.
    """
    while True:
        try:
            return parse_start(read_line(fd))
        except StartInvalid as exc:
            say(f"Cannot start from this line: {exc} Waiting for another one.")


def close_stdin() -> None:
    """Put ``/dev/null`` in the place of standard input, for this process and all its children."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null != 0:
        os.close(null)


def merge_environment(own: dict[str, str], start: Start) -> dict[str, str]:
    """Give the server's environment: the container's, without what only the hub may set, and its.

    Args:
        own: The environment the container was created with.
        start: What the hub sent.
    """
    kept = {k: v for k, v in own.items() if not k.startswith(OWN_PREFIXES)}
    return {
        **kept,
        **AS_EXTENSION,
        "JUPYTERHUB_DISABLE_USER_CONFIG": "1",  # the reason stands in server_config
        **start.env,
    }


def prepare_home(home: Path, say: Callable[[str], None]) -> None:
    """Make ``~/work``, and make home and work usable again where the student locked them.

    Students try ``chmod`` on what they have. Only folders of the same owner are touched, and a
    refusal is told and passed over: a machine that starts can be repaired from its terminal.
    """
    for folder in (home, home / "work"):
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
            mode = stat.S_IMODE(folder.stat().st_mode)
            if folder.stat().st_uid == os.getuid() and mode & stat.S_IRWXU != stat.S_IRWXU:
                folder.chmod(mode | stat.S_IRWXU)
        except OSError as exc:
            say(f"{folder} cannot be used: {exc.strerror}.")


def choose_jupyter_folders(home: Path, private: Path) -> dict[str, str]:
    """Give the variables that tell Jupyter where to keep its files.

    Run files go into the private folder. Settings and data stay in the home folder, so that they
    are there on return; where a file stands in their way or they are locked, they go into the
    private folder too, since Jupyter ends when it cannot write there.
    """
    wanted = {
        "JUPYTER_CONFIG_DIR": home / ".jupyter",
        "JUPYTER_DATA_DIR": home / ".local/share/jupyter",
        "JUPYTER_RUNTIME_DIR": private / "runtime",
    }
    return {
        name: str(folder if _is_usable(folder) else private / name.lower())
        for name, folder in wanted.items()
    }


def _is_usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def choose_folders(home: Path) -> tuple[Path, Path]:
    """Give the root of the file browser and where it starts: home and work, as far as there.

    Jupyter Server ends where one of them is no folder; a student may have put a file there.
    """
    from hexhub_lesson.terminals import can_enter  # loads JupyterLab's terminals

    root = home if can_enter(home) else Path("/")
    work = home / "work"
    is_inside = can_enter(work) and work.resolve().is_relative_to(root.resolve())
    return root, work if is_inside else root


def drop_cut_secret(runtime: Path) -> None:
    """Remove the key of the cookies where it was cut short, so that the server makes a new one.

    On a full disk Jupyter Server leaves an empty file behind, and at the next start would sign
    with an empty key, which everybody knows.
    """
    file = runtime / "jupyter_cookie_secret"
    with suppress(OSError):
        if file.stat().st_size < COOKIE_SECRET_BYTES:
            file.unlink()


def open_private_folder(uid: int, say: Callable[[str], None]) -> Path:
    """Give the folder of the user's socket, or a nameless one where its place is taken."""
    folder = Path(socket_path(uid)).parent
    try:
        make_private_folder(folder)
    except (FolderUnsafe, OSError) as exc:
        say(f"{exc} The 'lesson' command will not work.")
        return Path(tempfile.mkdtemp(prefix="hexhub-"))
    return folder


def become_server(start: Start, say: Callable[[str], None]) -> None:
    """Run the single-user server in this process until it is stopped.

    Args:
        start: What the hub sent.
        say: Takes sentences for the machine's log.
    """
    environment = merge_environment(dict(os.environ), start)
    os.environ.clear()
    os.environ.update(environment)
    home = Path.home()
    prepare_home(home, say)
    os.environ.update(choose_jupyter_folders(home, open_private_folder(os.getuid(), say)))
    drop_cut_secret(Path(os.environ["JUPYTER_RUNTIME_DIR"]))
    for folder in (start.cwd or home, home, "/"):
        try:
            os.chdir(folder)
            break
        except OSError:
            continue
    sys.argv = ["jupyterhub-singleuser", *start.args]

    from jupyterhub.singleuser.extension import JupyterHubSingleUser
    from traitlets.config import Config

    read_again(os.environ)
    talk_to_hub_later(JupyterHubSingleUser)
    root, preferred = choose_folders(home)
    base_url = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "/")
    config = Config(
        server_config(root, preferred, uid=os.getuid(), base_url=base_url)
        | hub_auth_config(os.environ)
    )
    server = JupyterHubSingleUser.initialize_server(argv=list(start.args), config=config)
    write_no_run_files(server)
    take_secrets(server)
    services = Services(start.services, home, say, proc=Path("/proc"))
    services.start()
    bound_stop(STOP_S, services)
    gc.freeze()
    gc.enable()
    server.start()
    services.wait_for_end(SERVICES_STOP_S)


def write_no_run_files(server: Any) -> None:
    """Keep the server from writing the files for ``jupyter server list`` and for its own browser.

    The token would stand in both, and a full disk would end the start. Neither can be configured.
    """
    server.write_server_info_file = lambda: None
    server.no_browser_open_file = True


def take_secrets(server: Any) -> None:
    """Take the token out of the environment, once everything that needs it has read it.

    A student's program that prints its environment (a debug page, a CGI script) would publish it.
    It is no secret from the student, whose own process this is.
    """
    apps = (app for apps in server.extension_manager.extension_apps.values() for app in apps)
    for holder in (server.identity_provider, *apps):
        if hasattr(holder, "hub_auth"):
            holder.hub_auth.api_token  # noqa: B018 - traitlets reads the environment at first use
    for name in SECRETS:
        os.environ.pop(name, None)


def bound_stop(seconds: float, services: Services) -> None:
    """End this process at the latest so many seconds after a SIGTERM, kernels or not.

    Services are asked to end at once, since a database that is killed has to be mended; where there
    are any, they have :data:`SERVICES_STOP_S` more.
    """
    stop = signal.getsignal(signal.SIGTERM)

    def handle(signum: int, frame: Any) -> None:
        more_s = SERVICES_STOP_S if services else 0.0
        timer = threading.Timer(seconds + more_s, os._exit, (0,))
        timer.daemon = True
        timer.start()
        if services:
            services.ask_to_end()
        if callable(stop):
            stop(signum, frame)

    signal.signal(signal.SIGTERM, handle)


def main(entries: Sequence[NamedEntry] | None) -> None:
    """Preload, wait for the hub's line, become the server. Ends with 2 when no line can come.

    Args:
        entries: The entry points of all packages, where they are known already.
    """

    def say(sentence: str) -> None:
        print(f"[hexhub] {sentence}", file=sys.stderr, flush=True)

    began = time.monotonic()
    gc.disable()  # nothing of a start is thrown away, and the student waits; until it serves
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        del os.environ[name]
    preload(entries)
    say(f"Ready after {time.monotonic() - began:.2f} s, waiting for a student.")
    try:
        start = wait_for_start(0, say)
    except EOFError:
        say("Standard input is closed, nobody can send a start. Run the container with '-i'.")
        sys.exit(2)
    close_stdin()
    become_server(start, say)
