"""The program that is run inside a throw-away machine and tries every door.

It is read as text and handed to the machine's own Python, so that it uses nothing but the standard
library and imports nothing of HexHub. It takes JSON as its only argument and prints JSON: for each
door, whether it is open (null: could not be tried) and how that showed. Nothing it does would
change the host even where a door is open: files are opened for writing and not written, and what is
made is made in the machine, which is thrown away.
"""

import ctypes
import errno
import json
import os
import platform
import socket
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

Answer = tuple[bool | None, str]

_CONNECT_S = 5.0
_SOCKETS = (
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/var/run/crio/crio.sock",
)
_ORDINARY_MOUNTS = {
    *("proc", "tmpfs", "devpts", "sysfs", "mqueue", "cgroup", "cgroup2"),
}
_DOCKERS_FILES = {"/", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"}
"""The root, and the three files that Docker lays into every container."""
_ORDINARY_DEVICES = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)}
"""null, zero, full, random, urandom, tty, console, ptmx."""
_TERMINALS = range(136, 144)
_SETTINGS = ("/proc/sys", "/proc/irq", "/proc/bus", "/proc/fs", "/sys")
_TRIGGERS = ("/proc/sysrq-trigger", "/proc/kcore", "/proc/timer_list")
_NAMESPACES = {
    "user": 0x10000000,
    "mount": 0x00020000,
    "network": 0x40000000,
    "processes": 0x20000000,
    "names": 0x04000000,
    "ipc": 0x08000000,
    "cgroup": 0x02000000,
}
_MS_REMOUNT, _MS_BIND = 32, 4096
_PTRACE_ATTACH, _PTRACE_DETACH, _PTRACE_SEIZE = 16, 17, 0x4206
_READ_LOG = 3
_FINIT_MODULE = {"x86_64": 313, "aarch64": 273}
_FEW = 3

libc = ctypes.CDLL(None, use_errno=True)


def knock(door: Mapping[str, Any]) -> Answer:
    """Try one network door: it is open where somebody answers."""
    address = (str(door["host"]), int(door["port"]))
    try:
        if door["kind"] == "udp":
            family, _, _, _, target = socket.getaddrinfo(*address, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.settimeout(_CONNECT_S)
                probe.connect(target)
                probe.send(b"hexhub")
                probe.recv(16)
        else:
            socket.create_connection(address, timeout=_CONNECT_S).close()
    except OSError as exc:
        return False, _say(exc)
    return True, "it answers"


def docker_socket() -> Answer:
    """Look for the sockets of container engines."""
    return _open_ones(path for path in _SOCKETS if os.path.exists(path))


def host_files(paths: Iterable[str]) -> Answer:
    """Look for anything that is mounted from the host, and for files that are only there."""
    found = [path for path in paths if os.path.exists(path)]
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            before, _, after = line.partition(" - ")
            place, kind = before.split()[4], after.split()[0]
            if kind not in _ORDINARY_MOUNTS and place not in _DOCKERS_FILES:
                found.append(place)
    return _open_ones(found)


def mount() -> Answer:
    """Try to mount something new, something old, and to uncover what Docker covers."""
    attempts: dict[str, Callable[[], int]] = {
        "tmpfs": lambda: libc.mount(b"none", b"/mnt", b"tmpfs", 0, None),
        "proc": lambda: libc.mount(b"proc", b"/mnt", b"proc", 0, None),
        "bind": lambda: libc.mount(b"/", b"/mnt", None, _MS_BIND, None),
        "remount": lambda: libc.mount(None, b"/proc/sys", None, _MS_REMOUNT | _MS_BIND, None),
        "uncover": lambda: libc.umount2(b"/proc/kcore", 0),
    }
    return _open_ones(name for name, attempt in attempts.items() if attempt() == 0)


def unshare() -> Answer:
    """Try to make each kind of namespace, each in a process of its own."""
    return _open_ones(name for name, flag in _NAMESPACES.items() if _child_can_unshare(flag))


def _child_can_unshare(flag: int) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.unshare(flag) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def host_namespaces(of_host: Mapping[str, str]) -> Answer:
    """Compare the namespaces of this machine with those of the host's own processes."""
    return _open_ones(
        name for name, link in of_host.items() if os.readlink(f"/proc/self/ns/{name}") == link
    )


def ptrace(marker: str) -> Answer:
    """Try to get hold of a check's process, which is seen from here as from any machine."""
    victim = _process_with(marker)
    if victim is None:
        return None, "the check beside the machine is not seen"
    folder = f"/proc/{victim}"
    attempts: dict[str, Callable[[], object]] = {
        "ptrace attach": lambda: _trace(_PTRACE_ATTACH, victim),
        "ptrace seize": lambda: _trace(_PTRACE_SEIZE, victim),
        "environment": lambda: _read(f"{folder}/environ"),
        "memory": lambda: _read(f"{folder}/mem"),
        "open files": lambda: os.readlink(f"{folder}/fd/0"),
        "root folder": lambda: os.listdir(f"{folder}/root/"),
        "working folder": lambda: os.listdir(f"{folder}/cwd/"),
    }
    return _open_ones(name for name, attempt in attempts.items() if _works(attempt))


def _process_with(marker: str) -> int | None:
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/cmdline", "rb") as words:
                    if marker.encode() in words.read():
                        return int(name)
            except OSError:
                continue
    return None


def _trace(request: int, victim: int) -> None:
    _expect(libc.ptrace(ctypes.c_long(request), ctypes.c_long(victim), None, None))
    libc.ptrace(ctypes.c_long(_PTRACE_DETACH), ctypes.c_long(victim), None, None)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read(1)


def mknod() -> Answer:
    """Try to make the first disk, and the memory, as devices."""
    kinds = {"disk": (stat.S_IFBLK, 8, 0), "memory": (stat.S_IFCHR, 1, 1)}

    def make(name: str) -> None:
        kind, major, minor = kinds[name]
        os.mknod(f"/tmp/hexhub-{name}", kind | 0o600, os.makedev(major, minor))  # noqa: S108

    return _open_ones(name for name in kinds if _works(partial(make, name)))


def devices() -> Answer:
    """Look for devices beyond those that every container has."""
    found = []
    for name in os.listdir("/dev"):
        try:
            entry = os.stat(f"/dev/{name}")
        except OSError:
            continue
        number = (os.major(entry.st_rdev), os.minor(entry.st_rdev))
        is_ordinary = number in _ORDINARY_DEVICES or number[0] in _TERMINALS
        if stat.S_ISBLK(entry.st_mode) or (stat.S_ISCHR(entry.st_mode) and not is_ordinary):
            found.append(name)
    return _open_ones(found)


def raw_sockets() -> Answer:
    """Try to make sockets that send whatever they like."""
    kinds = {
        "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
        "IP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
        "ICMP": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    }

    def make(name: str) -> None:
        socket.socket(*kinds[name]).close()

    return _open_ones(name for name in kinds if _works(partial(make, name)))


def kernel_settings() -> Answer:
    """Try to open every setting of the kernel for writing; nothing is written."""
    found = [path for path in _TRIGGERS if os.path.exists(path) and _is_writable(path)]
    for top in _SETTINGS:
        for folder, _, names in os.walk(top):
            found.extend(path for name in names if _is_writable(path := os.path.join(folder, name)))
            if len(found) > _FEW:
                return _open_ones(found)
    return _open_ones(found)


def _is_writable(path: str) -> bool:
    try:
        found = os.stat(path)
        # What Docker covers is /dev/null to whoever opens it.
        if stat.S_ISCHR(found.st_mode) or os.path.islink(path):
            return False
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def kernel() -> Answer:
    """Try to load a module, without naming one, and to read the kernel's log."""
    found = []
    number = _FINIT_MODULE.get(platform.machine())
    if number is None:
        return None, f"the probe does not know the system calls of {platform.machine()}"
    libc.syscall(ctypes.c_long(number), ctypes.c_int(-1), b"", ctypes.c_int(0))
    if ctypes.get_errno() not in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        found.append("modules")
    if libc.klogctl(_READ_LOG, ctypes.create_string_buffer(64), 64) >= 0:
        found.append("log")
    return _open_ones(found)


def capabilities(wanted: Mapping[str, int]) -> Answer:
    """Compare the capabilities of this process and of the machine's first with the list."""
    found = []
    for process in ("self", "1"):
        status = _status(process)
        for key, mask in wanted.items():
            if int(status[key], 16) != mask:
                found.append(f"{key} of {process} is {status[key]}")
    return _open_ones(found)


def new_privileges() -> Answer:
    """Look whether programs with the setuid bit would give more rights."""
    return _open_ones(f"process {p}" for p in ("self", "1") if _status(p)["NoNewPrivs"] != "1")


def system_calls() -> Answer:
    """Look whether the kernel filters the system calls."""
    return _open_ones(f"process {p}" for p in ("self", "1") if _status(p)["Seccomp"] != "2")


def ipv6() -> Answer:
    """Look for an address of IPv6 on any interface but the loopback."""
    try:
        with open("/proc/net/if_inet6", encoding="ascii") as lines:
            return _open_ones(line.split()[0] for line in lines if line.split()[5] != "lo")
    except FileNotFoundError:
        return False, "no IPv6 in this kernel"


def _status(process: str) -> dict[str, str]:
    with open(f"/proc/{process}/status", encoding="utf-8") as lines:
        pairs = (line.split(":", 1) for line in lines)
        return {key: value.strip() for key, value in pairs}


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _expect(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), "refused")


def _open_ones(found: Iterable[str]) -> Answer:
    names = list(found)
    more = f" and {len(names) - _FEW} more" if len(names) > _FEW else ""
    return bool(names), ", ".join(names[:_FEW]) + more


def _say(exc: OSError) -> str:
    if isinstance(exc, TimeoutError):
        return "no answer"
    return errno.errorcode.get(exc.errno or 0, str(exc))


def main(task: Mapping[str, Any]) -> dict[str, Any]:
    """Try everything; network doors all at once, since those that are shut may take seconds."""
    with ThreadPoolExecutor(max(1, len(task["doors"]))) as threads:
        knocked = list(threads.map(knock, task["doors"]))
    return {
        "network": knocked,
        "local": {
            "docker_socket": docker_socket(),
            "host_files": host_files(task["host_paths"]),
            "mount": mount(),
            "unshare": unshare(),
            "host_namespaces": host_namespaces(task["host_namespaces"]),
            "ptrace": ptrace(task["marker"]),
            "mknod": mknod(),
            "devices": devices(),
            "raw_sockets": raw_sockets(),
            "kernel_settings": kernel_settings(),
            "kernel": kernel(),
            "capabilities": capabilities(task["capabilities"]),
            "new_privileges": new_privileges(),
            "system_calls": system_calls(),
            "ipv6": ipv6(),
        },
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
