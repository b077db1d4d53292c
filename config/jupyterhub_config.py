"""JupyterHub as HexHub runs it: values only.

What differs from one computer to the next comes from the environment, which ``hexhub up`` fills
(``hexhub.supervisor.hub_environment``).

Your own settings do not belong here: write them into a file of the same form, named
``jupyterhub_config.py``, in the state folder, or wherever ``HEXHUB_CONFIG`` points. It is read last
and wins. To let people in by the accounts of this computer instead of by sign-up, it has one line::

    c.JupyterHub.authenticator_class = "pam"
"""

import json
import os
from pathlib import Path

from hexhub.runtimes import read_runtimes
from hexhub.subdomains import place_pages
from spawner.machine_api import MACHINE_HANDLERS

c = get_config()  # noqa: F821 - JupyterHub gives it to the files it reads
env = os.environ
state = Path(env["HEXHUB_STATE"])
config = Path(__file__).parent

# Where everything listens. The proxy is a process of its own, so that students notice nothing of a
# hub that restarts; hub and proxy API are on loopback.
c.JupyterHub.bind_url = env["HEXHUB_BIND_URL"]
c.JupyterHub.hub_bind_url = env["HEXHUB_HUB_URL"]
c.JupyterHub.proxy_class = "spawner.machine_proxy.MachineProxy"
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = env["HEXHUB_PROXY_API_URL"]
c.ConfigurableHTTPProxy.auth_token = env["HEXHUB_PROXY_TOKEN"]
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = False
c.JupyterHub.last_activity_interval = 60

# Names of their own for students' machines (hexhub up --subdomain-host). The proxy is told to tell
# hosts apart by `hexhub up`, so that setting only this value here would not be enough.
c.JupyterHub.subdomain_host = env["HEXHUB_SUBDOMAIN_HOST"]
c.JupyterHub.subdomain_hook = place_pages
c.JupyterHub.cookie_host_prefix_enabled = env["HEXHUB_SUBDOMAIN_HOST"].startswith("https://")
c.Proxy.extra_routes = json.loads(env["HEXHUB_PROXY_ROUTES"])

# What stays.
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.upgrade_db = True
c.JupyterHub.cookie_secret_file = str(state / "secrets" / "cookie-secret")

# People. Sign-up is open: the default address is reached from this computer only.
c.JupyterHub.authenticator_class = "hexhub.signup.SignUpAuthenticator"
c.SignUpAuthenticator.open_signup = True
c.Authenticator.allow_all = True
c.JupyterHub.template_paths = [str(config / "templates")]
c.JupyterHub.default_url = "/services/hexhub/"
c.JupyterHub.redirect_to_server = False

# Servers: one for each student and lesson, started by HexHub's pages, never without a lesson.
c.JupyterHub.spawner_class = "hexhub"
c.JupyterHub.extra_handlers = list(MACHINE_HANDLERS)  # facts of a machine, its reset and undo
c.JupyterHub.allow_named_servers = True
c.JupyterHub.named_server_limit_per_user = 0
c.JupyterHub.concurrent_spawn_limit = 64
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 30
c.Spawner.poll_interval = 30
c.LessonSpawner.hub_id = env["HEXHUB_HUB_ID"]
c.LessonSpawner.catalog_folder = str(state / "catalog")
c.LessonSpawner.archive_folder = str(state / "archives")
c.LessonSpawner.internet_network = env["HEXHUB_DOCKER_NETWORK"]
c.LessonSpawner.internet_gate = env["HEXHUB_INTERNET_GATE"]
c.LessonSpawner.isolated_network = env["HEXHUB_ISOLATED_NETWORK"]
c.LessonSpawner.isolated_gate = env["HEXHUB_ISOLATED_GATE"]
c.LessonSpawner.runtimes = read_runtimes(env.get("HEXHUB_RUNTIMES", ""))
c.LessonSpawner.holds_quota = env["HEXHUB_HOLDS_QUOTA"] == "1"
c.LessonSpawner.counts_image = env["HEXHUB_COUNTS_IMAGE"] == "1"
c.LessonSpawner.report_url = c.SignUpAuthenticator.report_url = (
    env["HEXHUB_SERVICE_URL"] + "/services/hexhub/hub/"
)
c.LessonSpawner.report_token = c.SignUpAuthenticator.report_token = env["HEXHUB_SERVICE_TOKEN"]

# Containers that wait for a student, so that a lesson opens at once: the most memory that they hold
# together (0: none are made), and how many wait for each kind of lesson, at least and at most; for
# lessons of one image: c.MachinePool.least_of = {"hexhub/web": 3}
c.MachinePool.memory = "1G"
c.MachinePool.least = 1
c.MachinePool.most = 8

# What a machine's token may do: tell that it is used, be opened by its student, and speak to
# HexHub's API, for this one lesson only.
c.Spawner.server_token_scopes = [
    "users:activity!user",
    "access:servers!server",
    "access:services!service=hexhub",
]
c.JupyterHub.extra_user_scopes = {"access:services!service=hexhub"}

# HexHub's pages and API, and the supervisor, which tells the hub that the proxy is a new one.
c.JupyterHub.services = [
    {
        "name": "hexhub",
        "display": False,
        "url": env["HEXHUB_SERVICE_URL"],
        "api_token": env["HEXHUB_SERVICE_TOKEN"],
        "oauth_client_id": "service-hexhub",
        "oauth_redirect_uri": "/services/hexhub/oauth_callback",
        "oauth_no_confirm": True,
    },
    {"name": "hexhub-supervisor", "api_token": env["HEXHUB_SUPERVISOR_TOKEN"]},
]
c.JupyterHub.load_roles = [
    {
        "name": "hexhub",
        "description": "HexHub's pages: see who somebody is, start and stop their machines",
        "services": ["hexhub"],
        "scopes": ["read:users", "read:servers", "start:servers", "delete:servers"],
    },
    {
        "name": "hexhub-supervisor",
        "description": "Give a new proxy its routes",
        "services": ["hexhub-supervisor"],
        "scopes": ["proxy"],
    },
]

load_subconfig(env["HEXHUB_CONFIG"])  # noqa: F821 - JupyterHub gives it; may be missing
