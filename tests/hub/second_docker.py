"""A second Docker on this computer that is as far away as another computer.

Its folder is a btrfs in a mounted file, which can hold the disk of a machine at its lesson's limit
(docs/isolation.md). It runs in a network namespace of its own, so that its bridges, its firewall
rules and its networks are its own and the first Docker's stay as they are; and it is reached at an
address by TCP with TLS, where both sides show certificates of an authority that is made for it.
"""

import os
import secrets
import subprocess
import time
from pathlib import Path

HUB_ADDRESS = "198.18.77.1"
"""Of this computer, on the cable between both; RFC 2544 sets the range aside for tests."""
DOCKER_ADDRESS = "198.18.77.2"
MACHINES = "198.19.64.0/20"
"""Networks that the second Docker makes are taken out of this."""
PORT = 2376
START_S = 90.0
_DISK = "6G"
"""Of the mounted file, which holds no more than what is written into it."""


def run(*command: str, timeout_s: float = 120.0) -> str:
    """Run a command that must succeed, and give what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def make_certificates(folder: Path) -> None:
    """Make an authority, a certificate for the server at its address, and one for the client."""
    folder.mkdir(parents=True)
    names = {"server": f"subjectAltName=IP:{DOCKER_ADDRESS}", "client": "subjectAltName=DNS:hub"}
    new_key = ("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    run(
        *(*new_key, "-x509", "-days", "2", "-subj", "/CN=authority of a test"),
        *("-keyout", str(folder / "ca-key.pem"), "-out", str(folder / "ca.pem")),
    )
    for name, alternative in names.items():
        key = folder / ("key.pem" if name == "client" else "server-key.pem")
        certificate = folder / ("cert.pem" if name == "client" else "server-cert.pem")
        request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
        run(*new_key, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request))
        extensions.write_text(f"{alternative}\nextendedKeyUsage={name}Auth\n")
        run(
            *("openssl", "x509", "-req", "-days", "2", "-in", str(request), "-CAcreateserial"),
            *("-CA", str(folder / "ca.pem"), "-CAkey", str(folder / "ca-key.pem")),
            *("-extfile", str(extensions), "-out", str(certificate)),
        )


class SecondDocker:
    """``dockerd`` in a network namespace of its own."""

    def __init__(self, folder: Path, *, in_memory: bool = True) -> None:
        """Prepare; :meth:`start` makes it.

        Args:
            folder: For all that it keeps; there already.
            in_memory: Its disk is held in memory (about 1 GB), which is faster than a disk.
        """
        self._folder = folder
        self._in_memory = in_memory
        word = secrets.token_hex(3)
        self._namespace = f"hexhub-test-{word}"
        self._here, self._there = f"hxt{word}h", f"hxt{word}d"
        self._log = folder / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._disk, self._data = folder / "disk", folder / "data"
        self._socket = folder / "docker.sock"
        self.certificates = folder / "certificates"

    @property
    def environment(self) -> dict[str, str]:
        """What tells Docker's clients where it is, and how to speak to it."""
        return {
            "DOCKER_HOST": f"tcp://{DOCKER_ADDRESS}:{PORT}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self.certificates),
        }

    def start(self) -> None:
        """Lay the cable, start it, and let the hub's proxy reach machines."""
        make_certificates(self.certificates)
        self._mount_disk()
        run("ip", "netns", "add", self._namespace)
        run("ip", "link", "add", self._here, "type", "veth", "peer", "name", self._there)
        run("ip", "link", "set", self._there, "netns", self._namespace)
        run("ip", "address", "add", f"{HUB_ADDRESS}/30", "dev", self._here)
        run("ip", "link", "set", self._here, "up")
        self.inside("ip", "address", "add", f"{DOCKER_ADDRESS}/30", "dev", self._there)
        self.inside("ip", "link", "set", self._there, "up")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "route", "add", "default", "via", HUB_ADDRESS)
        run("ip", "route", "add", MACHINES, "via", DOCKER_ADDRESS)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    # Not "ip netns exec", which hides the cgroups with a /sys of its own.
                    *("nsenter", f"--net=/run/netns/{self._namespace}", "dockerd"),
                    *("--data-root", str(self._data), "--storage-driver", "btrfs"),
                    *("--exec-root", str(self._folder / "exec")),
                    *("--pidfile", str(self._folder / "dockerd.pid")),
                    # The socket is for images, which would take long through TLS.
                    *("--host", f"unix://{self._socket}"),
                    *("--host", f"tcp://{DOCKER_ADDRESS}:{PORT}", "--tlsverify"),
                    *("--tlscacert", str(self.certificates / "ca.pem")),
                    *("--tlscert", str(self.certificates / "server-cert.pem")),
                    *("--tlskey", str(self.certificates / "server-key.pem")),
                    *("--default-address-pool", f"base={MACHINES},size=24"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while (told := self._log.read_text()).count("API listen on") < 2:
            assert self._process.poll() is None, f"the second dockerd ended:\n{told}"
            assert time.monotonic() < deadline, f"the second dockerd does not start:\n{told}"
            time.sleep(0.05)
        # What an administrator sets there, too: Docker lets nobody in at machines' own addresses.
        self.inside(
            *("iptables", "-I", "DOCKER-USER", "-s", HUB_ADDRESS, "-p", "tcp"),
            *("--dport", "8888", "-j", "ACCEPT"),
        )

    def _mount_disk(self) -> None:
        self._disk.mkdir()
        if self._in_memory:
            run("mount", "-t", "tmpfs", "-o", f"size={_DISK}", "tmpfs", str(self._disk))
        file = self._disk / "docker.btrfs"
        run("truncate", "--size", _DISK, str(file))
        run("mkfs.btrfs", "--quiet", str(file))
        self._data.mkdir()
        run("mount", "-o", "loop,noatime", str(file), str(self._data))

    def inside(self, *command: str) -> str:
        """Run a command in its network namespace."""
        return run("ip", "netns", "exec", self._namespace, *command)

    def docker(self, *arguments: str) -> str:
        """Give what a docker command that speaks to it prints."""
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def take_image(self, image: str) -> None:
        """Copy an image from the first Docker, and have quotas held from then on.

        Their accounts are made at once for all that is there, which is faster than with each file.
        """
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
            subprocess.run(
                ["docker", "--host", f"unix://{self._socket}", "load", "--quiet"],
                stdin=saving.stdout,
                check=True,
                capture_output=True,
                timeout=240,
            )
        run("btrfs", "quota", "enable", str(self._data))
        run("btrfs", "quota", "rescan", "-w", str(self._data))

    def remove(self) -> None:
        """End it and take everything away that it made; whatever was not made is passed over."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(30)
        for command in (
            ("umount", "--recursive", str(self._data)),
            # Lazily: the loop device lets go of its file a moment after the data is unmounted.
            ("umount", "--lazy", str(self._disk)),
            ("ip", "link", "delete", self._here),
            ("ip", "netns", "delete", self._namespace),
        ):
            subprocess.run(command, capture_output=True, check=False)
