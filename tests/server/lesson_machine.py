"""A student's machine without Docker: the real entrypoint, and a hub made of plain answers."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from hexhub.certificates import trusted_by
from tests.ports import free_port

REPOSITORY = Path(__file__).parents[2]
GOLDEN = REPOSITORY / "tests/contract"
LESSON_COMMAND = REPOSITORY / "lesson_extension/shell/lesson"

TOKEN = "the-token-of-this-server"
BROWSER_TOKEN = "the-token-of-the-browser"
PREFIX = "/user/ada/web-server/"
API = "/services/hexhub/api/"
SCOPE = "access:servers!server=ada/web-server"


def golden(name: str) -> dict[str, Any]:
    """Give a golden sample."""
    sample: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return sample


@dataclass(frozen=True)
class Seen:
    """A request that the API got."""

    method: str
    target: str
    authorization: str


@dataclass
class Reply:
    """What the API answers: a JSON value or raw bytes, after a pause."""

    body: Any
    status: int = 200
    pause_s: float = 0.0


class LessonHub:
    """Hub and API on loopback; ``replies`` and ``seen`` are for the tests.

    Attributes:
        replies: Method and path below the API → what is answered; a list is answered one by one,
            its last element for ever.
        seen: Requests to the API, in order.
        gone: Paths whose client went away before the answer.
        bodies: Targets and bodies of POST requests, in order.
    """

    def __init__(self) -> None:
        self.replies: dict[tuple[str, str], list[Reply]] = {}
        self.seen: list[Seen] = []
        self.gone: list[str] = []
        self.bodies: list[tuple[str, bytes]] = []
        self.is_stopping = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(self))
        self._server.daemon_threads = False  # server_close() then waits for all of them
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def answer(self, method: str, path: str, *replies: Reply) -> None:
        """Answer a path with these."""
        self.replies[method, path] = list(replies)

    def close(self) -> None:
        """Stop listening."""
        self.is_stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def reply_to(self, method: str, path: str) -> Reply:
        """Take the next answer."""
        replies = self.replies.get((method, path))
        if not replies:
            return Reply({"version": 1, "error": {"code": "lost", "message": path}}, status=404)
        return replies.pop(0) if len(replies) > 1 else replies[0]


def _make_handler(hub: LessonHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if url.path.startswith(API):
                self.api("GET", url.path.removeprefix(API))
            elif url.path == "/hub/api/user":
                self.identity()
            else:
                self.write(200, {"version": "6.1.1"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            hub.bodies.append((self.path.removeprefix(API), body))
            url = urlsplit(self.path)
            if url.path.startswith(API):
                self.api("POST", url.path.removeprefix(API))
            elif url.path == "/hub/api/oauth2/token":
                self.write(200, {"access_token": BROWSER_TOKEN, "token_type": "Bearer"})
            else:
                self.write(200, {})

        def api(self, method: str, path: str) -> None:
            token = self.headers.get("Authorization", "")
            hub.seen.append(Seen(method, self.path.removeprefix(API), token))
            reply = hub.reply_to(method, path)
            ends_at = time.monotonic() + reply.pause_s
            self.connection.setblocking(False)
            while time.monotonic() < ends_at and not hub.is_stopping.is_set():
                try:
                    is_gone = self.connection.recv(1) == b""
                except BlockingIOError:
                    time.sleep(0.02)
                    continue
                except OSError:
                    is_gone = True
                if is_gone:
                    hub.gone.append(path)
                    return
            self.connection.setblocking(True)
            self.write(reply.status, reply.body)

        def identity(self) -> None:
            token = self.headers.get("Authorization", "").split(" ")[-1]
            if token not in (TOKEN, BROWSER_TOKEN):
                self.write(403, {"message": "Forbidden"})
                return
            self.write(
                200,
                {
                    "kind": "user",
                    "name": "ada",
                    "admin": False,
                    "groups": [],
                    "scopes": [SCOPE],
                    "session_id": None,
                },
            )

        def write(self, status: int, body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-JupyterHub-Version", "6.1.1")
            if status == 503:
                self.send_header("Retry-After", "2")
            self.end_headers()
            with suppress(OSError):  # the other side may have had enough
                self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    return Handler


@dataclass
class Machine:
    """The entrypoint as a process of its own, in a home folder of its own."""

    home: Path
    hub_url: str
    own_env: dict[str, str] = field(default_factory=dict)
    cwd: Path | None = None

    def __post_init__(self) -> None:
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}{PREFIX}"
        self.socket = self.home.parent / "private/lesson.sock"
        self.log = self.home.parent / "machine.log"
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            **self.own_env,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-I", "-m", "hexhub_lesson.entrypoint"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.cwd or self.home,
            )

    @property
    def environment(self) -> dict[str, str]:
        """What a hub delivers for this machine."""
        return {
            "JUPYTERHUB_API_TOKEN": TOKEN,
            "JPY_API_TOKEN": TOKEN,
            "JUPYTERHUB_USER": "ada",
            "JUPYTERHUB_SERVER_NAME": "web-server",
            "JUPYTERHUB_API_URL": f"{self.hub_url}/hub/api",
            "JUPYTERHUB_ACTIVITY_URL": f"{self.hub_url}/hub/api/users/ada/activity",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{self.port}{PREFIX}",
            "JUPYTERHUB_CLIENT_ID": "jupyterhub-user-ada-web-server",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback",
            "JUPYTERHUB_OAUTH_SCOPES": json.dumps([SCOPE]),
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([SCOPE]),
            "HEXHUB_API_URL": f"{self.hub_url}{API}",
            "HEXHUB_COURSE": "real-machine",
            "HEXHUB_LESSON": "web-server",
            "HEXHUB_PUBLIC_PREFIX": "/services/hexhub/",
            "HEXHUB_LESSON_SOCKET": str(self.socket),
        }

    def send(self, data: bytes) -> None:
        """Write to the machine's standard input."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def start(self, **changes: str) -> None:
        """Deliver the environment and wait until the server answers."""
        message = {
            "version": 1,
            "env": self.environment | changes,
            "args": [],
            "cwd": str(self.home),
        }
        self.send(json.dumps(message).encode() + b"\n")
        self.wait_for(lambda: self.answers() and self.socket.exists(), "the server answers")

    def answers(self) -> bool:
        """Tell whether the server answers."""
        try:
            answer = httpx.get(f"{self.base}api", trust_env=False, verify=trusted_by(self.base))
            return answer.status_code == 200
        except httpx.TransportError:
            return False

    def wait_for_log(self, text: str, *, after: int = 0) -> None:
        """Wait until the machine has said something, after so many characters of its log."""
        self.wait_for(lambda: text in self.log.read_text(encoding="utf-8")[after:], text)

    def wait_for(self, is_true: Any, what: str) -> None:
        """Wait at most 90 s; a machine that has ended is shown with its log."""
        ends_at = time.monotonic() + 90
        while not is_true():
            log = self.log.read_text(encoding="utf-8")
            assert self.process.poll() is None, f"the machine ended before {what}:\n{log}"
            assert time.monotonic() < ends_at, f"not in 90 s: {what}\n{log}"
            time.sleep(0.01)

    def client(self, token: str = TOKEN) -> httpx.Client:
        """Give a client for the server, with a token."""
        headers = {"Authorization": f"token {token}"} if token else {}
        return httpx.Client(
            base_url=self.base,
            headers=headers,
            trust_env=False,
            timeout=60,
            verify=trusted_by(self.base),
        )

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """Give a client that has signed in by OAuth and holds its cookies, as a browser does."""
        with self.client(token="") as client:
            self.sign_in(client)
            yield client

    def sign_in(self, client: httpx.Client) -> None:
        """Go through OAuth as a browser does; the hub's own pages are left out."""
        page = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
        sent = client.get("lab", headers=page)
        assert sent.status_code == 302, sent.text
        query = httpx.URL(sent.headers["Location"]).params
        back = urlencode({"code": "the-code", "state": query["state"]})
        answer = client.get(
            f"http://127.0.0.1:{self.port}{PREFIX}oauth_callback?{back}", headers=page
        )
        assert answer.status_code == 302, answer.text
        assert client.get("lab", headers=page).status_code == 200

    def lesson(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the ``lesson`` command as the student does, in a shell without a terminal."""
        return subprocess.run(
            [str(LESSON_COMMAND), *words],
            env={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.home),
                "LANG": "C.UTF-8",
                "HEXHUB_LESSON_SOCKET": str(self.socket),
                **env,
            },
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def stop(self) -> None:
        """Send SIGTERM and wait until the process has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        assert self.process.stdin
        self.process.stdin.close()

    def status_of(self, name: str) -> str:
        """Give a file of ``/proc`` of the machine's process."""
        return os.fsdecode(Path(f"/proc/{self.process.pid}/{name}").read_bytes())
