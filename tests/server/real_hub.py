"""A real JupyterHub process with our sign-up and templates, reached without a proxy."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hexhub.certificates import trusted_by
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
START_S = 150.0
_CONFIG = """\
from jupyterhub.proxy import Proxy
from jupyterhub.spawner import SpawnException, Spawner


class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): ...
    async def delete_route(self, routespec): ...
    async def get_all_routes(self): return {{}}


class Refusing(Spawner):
    async def start(self):
        raise SpawnException("Docker is not running on this computer.", reason="t", status_code=503)
    async def stop(self, now=False): ...
    async def poll(self): return 0


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.spawner_class = Refusing
c.JupyterHub.allow_named_servers = True
c.JupyterHub.bind_url = c.JupyterHub.hub_bind_url = "http://127.0.0.1:{port}/"
c.JupyterHub.db_url = "sqlite:///{state}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{state}/cookie-secret"
c.JupyterHub.authenticator_class = "hexhub.signup.SignUpAuthenticator"
c.SignUpAuthenticator.open_signup = {open_signup}
c.Authenticator.admin_users = {{"teacher"}}
c.JupyterHub.template_paths = ["{templates}"]
c.JupyterHub.default_url = "/services/hexhub/"
c.JupyterHub.services = [{{"name": "tester", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "tester", "services": ["tester"], "scopes": ["admin:users", "admin:servers"]}}
]
"""

TOKEN = "token-of-the-tests"


class RealHub:
    """One JupyterHub as a child process."""

    def __init__(self, state: Path, *, open_signup: bool = True) -> None:
        state.mkdir(parents=True, exist_ok=True)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = state / "hub.log"
        config = state / "jupyterhub_config.py"
        config.write_text(
            _CONFIG.format(
                port=port,
                state=state,
                open_signup=open_signup,
                templates=ROOT / "config" / "templates",
                token=TOKEN,
            ),
            encoding="utf-8",
        )
        environment = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTERHUB_")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(config)],
                cwd=state,
                env={**environment, "HEXHUB_STATE": str(state)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"JupyterHub did not start:\n{self.log.read_text()}")
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            answer = httpx.get(
                f"{self.url}/hub/api/", timeout=2, trust_env=False, verify=trusted_by(self.url)
            )
            return answer.status_code == 200
        except httpx.HTTPError:
            return False

    def stop(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def visitor(self) -> "Visitor":
        """Give a browser that has not been here before."""
        return Visitor(self.url)

    def ask(self, method: str, path: str) -> httpx.Response:
        """Ask the REST API as an admin."""
        headers = {"Authorization": f"token {TOKEN}"}
        return httpx.request(
            method,
            f"{self.url}/hub/api/{path}",
            headers=headers,
            trust_env=False,
            timeout=20,
            verify=trusted_by(self.url),
        )


class Visitor:
    """A browser, as far as forms go."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(
            base_url=url,
            headers={"Sec-Fetch-Mode": "navigate", "User-Agent": "visitor"},
            trust_env=False,
            verify=trusted_by(url),
            timeout=30,
        )

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        return self.client.get(path)

    def send(self, page: str, query: str = "", **fields: str) -> httpx.Response:
        """Open the page of a form, fill it in and send it."""
        shown = self.client.get(f"/hub/{page}{query}")
        found = re.search(r'name="_xsrf" value="([^"]+)"', shown.text)
        action = re.search(r'<form action="([^"]+)"', shown.text)
        assert found is not None, shown.text
        assert action is not None
        target = action[1].replace("&amp;", "&")
        return self.client.post(target, data={"_xsrf": found[1], **fields})

    @property
    def is_logged_in(self) -> bool:
        """Tell whether JupyterHub knows this browser."""
        return self.client.get("/hub/home").status_code == 200

    def close(self) -> None:
        """Close all connections."""
        self.client.close()
