import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from hexhub.errors import SetupError
from hexhub.machine_network import MachineNetwork
from hexhub.settings import Settings
from hexhub.subdomains import SubdomainHost
from hexhub.supervisor import Plan, make_programs, own_config, shared_environment

SECRETS = {
    name: f"<{name}>"
    for name in ("proxy-token", "service-token", "supervisor-token", "pseudonym-key")
}
STATE = SimpleNamespace(
    path=Path("/srv/state"),
    logs=Path("/srv/state/logs"),
    hub_id="0123456789ab",
    secret=SECRETS.__getitem__,
)
PLAN = Plan(
    state=STATE,
    port=8000,
    ports={"proxy-api": 20001, "hub": 20002, "web": 20003, "gate": 20004},
    internet=MachineNetwork("hexhub-012345", "hx012345", is_internal=False, gateway="172.18.0.1"),
    isolated=MachineNetwork("hexhub-x", "hx012345i", is_internal=True, gateway="172.19.0.1"),
    holds_quota=False,
    node=Path("/opt/node"),
    proxy=Path("/opt/proxy"),
)
OUTER = {
    "PATH": "/usr/bin",
    "DOCKER_HOST": "unix:///run/docker.sock",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CERT_PATH": "/root/docker",
    "JUPYTERHUB_API_TOKEN": "of another hub",
    "CONFIGPROXY_AUTH_TOKEN": "of another proxy",
}


def programs():
    """Give the four programs by name."""
    return {program.name: program for program in make_programs(PLAN, OUTER)}


def test_each_process_has_its_own_secrets_only():
    """No process gets a token that another one speaks with, apart from the hub, which knows all."""
    tokens = {
        name: {value for value in program.env.values() if value in SECRETS.values()}
        for name, program in programs().items()
    }
    assert tokens == {
        "proxy": {"<proxy-token>"},
        "hub": {"<proxy-token>", "<service-token>", "<supervisor-token>"},
        "web": {"<service-token>"},
        "worker": {"<pseudonym-key>"},
    }


def test_where_docker_is_elsewhere_machines_come_to_the_named_address():
    """One gate, at the address of this computer; machines without the internet have none."""
    plan = replace(PLAN, gate_address="192.0.2.7")
    env = next(p for p in make_programs(plan, OUTER) if p.name == "hub").env
    assert plan.gate_addresses == ("192.0.2.7",)
    assert env["HEXHUB_INTERNET_GATE"] == "http://192.0.2.7:20004"
    assert env["HEXHUB_ISOLATED_GATE"] == ""


def test_where_docker_is_here_machines_come_to_their_gateways():
    """Each network has its own."""
    assert PLAN.gate_addresses == ("172.18.0.1", "172.19.0.1")
    assert programs()["hub"].env["HEXHUB_ISOLATED_GATE"] == "http://172.19.0.1:20004"


def test_secrets_of_another_hub_are_not_passed_on():
    """What the caller's environment says of another JupyterHub reaches nobody."""
    for program in programs().values():
        assert not [value for value in program.env.values() if value.startswith("of another")]


def test_the_web_service_is_not_told_where_docker_is():
    """Only hub and worker drive Docker."""
    for variable in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        has_docker = {name for name, program in programs().items() if variable in program.env}
        assert {"hub", "worker"} <= has_docker
        assert "web" not in has_docker


def test_only_the_public_port_is_open():
    """The proxy listens on loopback, with its API too; students reach it by the gate alone."""
    argv = programs()["proxy"].argv
    assert argv[argv.index("--ip") + 1] == "127.0.0.1"
    assert argv[argv.index("--api-ip") + 1] == "127.0.0.1"
    assert programs()["hub"].env["HEXHUB_HUB_URL"] == "http://127.0.0.1:20002"


def test_no_secret_stands_on_a_command_line():
    """Command lines can be read by every user of the computer."""
    for program in programs().values():
        assert not any(
            secret in argument for argument in program.argv for secret in SECRETS.values()
        )


def test_all_agree_where_things_are():
    """The settings that web and worker read from their environment are the supervisor's."""
    settings = Settings.from_environment(programs()["web"].env)
    assert settings.state == Path("/srv/state")
    assert settings.service_url == "http://127.0.0.1:20003"
    assert settings.hub_api_url == "http://127.0.0.1:20002/hub/api"
    assert settings.api_token == "<service-token>"
    assert settings.hub_id == "0123456789ab"
    assert settings.docker_network == "hexhub-012345"
    assert settings.container_api_url == "http://172.18.0.1:20004/services/hexhub/api/"
    worker = Settings.from_environment(programs()["worker"].env)
    assert (worker.database_url, worker.hub_id) == (settings.database_url, settings.hub_id)
    assert worker.pseudonym_key == "<pseudonym-key>"


def test_another_database_can_be_named():
    """HEXHUB_DATABASE_URL of the caller wins over the file in the state folder."""
    url = "postgresql+psycopg://db/hexhub"
    assert shared_environment(PLAN, {"HEXHUB_DATABASE_URL": url})["HEXHUB_DATABASE_URL"] == url


def test_own_settings_that_are_missing_are_said():
    """A file that is named must be there; the one in the state folder may be missing."""
    assert own_config(STATE, {}) == Path("/srv/state/jupyterhub_config.py")
    with pytest.raises(SetupError, match="HEXHUB_CONFIG"):
        own_config(STATE, {"HEXHUB_CONFIG": "/nowhere/config.py"})


def test_subdomains_reach_every_process_that_must_know():
    """The proxy tells hosts apart, hub and web know the name, machines reach the API by address."""
    plan = replace(PLAN, subdomain_host=SubdomainHost.parse("https://learn.example.org"))
    assert (plan.public_url, plan.bind_url) == (
        "https://learn.example.org",
        "http://127.0.0.1:8000",
    )
    made = {program.name: program for program in make_programs(plan, OUTER)}
    assert "--host-routing" in made["proxy"].argv
    for name in ("hub", "web"):
        assert made[name].env["HEXHUB_SUBDOMAIN_HOST"] == "https://learn.example.org"
    assert json.loads(made["hub"].env["HEXHUB_PROXY_ROUTES"]) == {
        "172.18.0.1/services/hexhub/": "http://127.0.0.1:20003",
        "172.19.0.1/services/hexhub/": "http://127.0.0.1:20003",
    }


def test_without_subdomains_the_proxy_knows_no_hosts():
    """All is at one address, and no route needs a host."""
    assert "--host-routing" not in programs()["proxy"].argv
    assert programs()["hub"].env["HEXHUB_PROXY_ROUTES"] == "{}"
    assert programs()["hub"].env["HEXHUB_SUBDOMAIN_HOST"] == ""
    assert PLAN.public_url == PLAN.bind_url
