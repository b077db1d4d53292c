"""The probe in a machine whose doors stand open: each must be found open, or it proves nothing."""

import json
import secrets
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hexhub.catalog.model import MachineUser
from hexhub.isolation.examination import IMAGE, expected_capabilities
from hexhub.isolation.model import LOCAL_DOORS

PROBE = Path(__file__).parents[2] / "hexhub" / "isolation" / "probe.py"
PYTHON = "/opt/hexhub/bin/python"


def docker(*arguments: str) -> str:
    """Give what a docker command prints."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def open_machine(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Give the id of a machine that may do everything, and the mark of a process in it."""
    name = f"hexhub-trial-{secrets.token_hex(4)}"
    marker = f"bystander-{secrets.token_hex(8)}"
    (tmp_path / "secret.txt").write_text("of the host")
    engine = socket.socket(socket.AF_UNIX)
    engine.bind(str(tmp_path / "docker.sock"))
    subnet = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}::/64"
    docker("network", "create", "--ipv6", "--subnet", subnet, name)
    try:
        machine = docker(
            *("run", "--detach", "--name", name, "--network", name, "--user", "root"),
            *("--cap-add", "SYS_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "SYSLOG"),
            *("--uts", "host", "--device", "/dev/kmsg"),
            *("--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
            *("--security-opt", "systempaths=unconfined"),
            *("--volume", f"{tmp_path}:/of-the-host"),
            *("--volume", f"{tmp_path / 'docker.sock'}:/run/docker.sock"),
            *("--entrypoint", PYTHON, IMAGE, "-c", "import signal; signal.pause()", marker),
        )
        yield machine, marker
    finally:
        subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
        subprocess.run(["docker", "network", "rm", name], capture_output=True, check=False)
        engine.close()


def test_doors_that_are_open_are_found_open(open_machine):
    """With every hardening taken away, every door of a machine is told as open."""
    machine, marker = open_machine
    task = {
        "doors": [{"host": "127.0.0.1", "port": 1, "kind": "tcp"}],
        "host_paths": ["/of-the-host/secret.txt"],
        "host_namespaces": {
            name: str(Path(f"/proc/self/ns/{name}").readlink()) for name in ("uts", "pid")
        },
        "marker": marker,
        "capabilities": expected_capabilities(MachineUser.ROOT),
    }
    answer = json.loads(
        docker("exec", machine, PYTHON, "-I", "-c", PROBE.read_text(), json.dumps(task))
    )
    assert answer["network"] == [[False, "ECONNREFUSED"]]
    assert set(answer["local"]) == set(LOCAL_DOORS)
    assert {word for word, (is_open, _) in answer["local"].items() if is_open is not True} == set()
    told = {word: detail for word, (_, detail) in answer["local"].items()}
    assert told["docker_socket"].split(", ")[0] in ("/var/run/docker.sock", "/run/docker.sock")
    assert "/of-the-host/secret.txt" in told["host_files"]
    assert told["host_namespaces"] == "uts"
    assert "tmpfs" in told["mount"]
    assert "ptrace attach" in told["ptrace"]
    assert told["devices"] == "kmsg"


def test_a_check_that_is_not_there_is_not_called_safe(open_machine):
    """Without the process that ptrace is tried on, the answer is that it could not be tried."""
    machine, _ = open_machine
    program = PROBE.read_text().replace('if __name__ == "__main__":', "if False:")
    asked = f"{program}\nprint(json.dumps(ptrace('nobody-' + 'has-this')))"
    assert json.loads(docker("exec", machine, PYTHON, "-I", "-c", asked))[0] is None
