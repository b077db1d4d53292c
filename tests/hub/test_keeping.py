"""The parts of ``hexhub up`` with real processes, sockets and files, without Docker."""

import asyncio
import contextlib
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hexhub.errors import SetupError
from hexhub.machine_gate import MachineGate, most_connections
from hexhub.state_folder import SECRETS, StateFolder
from hexhub.supervisor import Keeper, Program
from tests.ports import free_port


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """Give a new state folder."""
    state = StateFolder(tmp_path / "state")
    state.make()
    return state


def test_only_its_owner_sees_the_state(state):
    """Folders are 0700, secrets 0600 and long enough, and they stay when made again."""
    for folder in (state.path, state.secrets, state.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = {name: state.secret(name) for name in SECRETS}
    assert len(set(before.values())) == len(SECRETS)
    for name, value in before.items():
        assert stat.S_IMODE((state.secrets / name).stat().st_mode) == 0o600
        assert len(value) >= (12 if name == "hub-id" else 48)
    (state.secrets / "proxy-token").chmod(0o644)
    state.make()
    assert {name: state.secret(name) for name in SECRETS} == before
    assert stat.S_IMODE((state.secrets / "proxy-token").stat().st_mode) == 0o600


def test_a_secret_that_was_cut_off_is_made_again(state):
    """An empty file, as a full disk leaves it, is no secret."""
    (state.secrets / "proxy-token").write_text("")
    state.make()
    assert len(state.secret("proxy-token")) == 48


def test_a_state_folder_that_cannot_be_made(tmp_path):
    """The message names the folder and the option."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SetupError, match="--state"):
        StateFolder(tmp_path / "file" / "state").make()


def test_one_hexhub_per_folder(state):
    """A second start is refused with the first one's process id, until that has ended."""
    lock = state.lock()
    assert state.running_process() == os.getpid()
    with pytest.raises(SetupError, match=f"process {os.getpid()}"):
        state.lock()
    os.close(lock)
    assert state.running_process() is None
    os.close(state.lock())


def test_ports_are_kept(state):
    """The same ports come again, but for those that somebody else has taken meanwhile."""
    hosts = {"hub": ["127.0.0.1"], "web": ["127.0.0.1"]}
    first = state.keep_ports(hosts)
    assert first["hub"] != first["web"]
    assert state.keep_ports(hosts) == first
    with socket.create_server(("127.0.0.1", first["hub"])):
        second = state.keep_ports(hosts)
    assert second["hub"] != first["hub"]
    assert second["web"] == first["web"]
    assert state.keep_ports(hosts) == second


def test_spoilt_memory_of_ports(state):
    """A file that is no JSON is made anew."""
    (state.path / "ports.json").write_text("{")
    assert set(state.keep_ports({"hub": ["127.0.0.1"]})) == {"hub"}


def test_logs_are_moved_aside_at_a_start(state):
    """The last logs stay under numbers; older ones go."""
    for number in range(6):
        log = state.open_log("hub")
        os.write(log, f"run {number}".encode())
        os.close(log)
    texts = {path.name: path.read_text() for path in state.logs.iterdir()}
    assert texts == {
        "hub.log": "run 5",
        "hub.log.1": "run 4",
        "hub.log.2": "run 3",
        "hub.log.3": "run 2",
    }


def keeper(state: StateFolder, program: str, said: list[str], **options: float) -> Keeper:
    """Give a keeper of a small Python program."""
    trial = Program("trial", (sys.executable, "-c", program), os.environ)
    return Keeper(trial, state, said.append, **options)


async def until(claim, timeout_s: float = 60) -> None:
    """Wait until a claim holds."""
    deadline = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_program_that_ends_is_started_again(state):
    """It is started again with pauses that grow, each time said in one line."""
    said: list[str] = []
    kept = keeper(state, "print('hello', flush=True); raise SystemExit(3)", said)
    task = asyncio.create_task(kept.run())
    await until(lambda: kept.failures >= 3)
    await kept.end()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert all("exit code 3" in line and "trial.log" in line for line in said)
    assert kept.last_words().startswith("hello")


async def test_a_program_that_does_not_want_to_end(state):
    """A program that ignores SIGTERM is killed after a while."""
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    kept = keeper(state, program, [], term_s=0.5)
    task = asyncio.create_task(kept.run())
    await until(lambda: kept.process_id is not None and "ready" in kept.last_words())
    process_id = kept.process_id
    await kept.end()
    await task
    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


async def test_the_gate_passes_bytes_both_ways():
    """What a machine sends arrives at the proxy, and the answer comes back, until both end."""

    async def shout(reader, writer):
        writer.write((await reader.read()).upper())
        writer.close()

    proxy = await asyncio.start_server(shout, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    gate_port = free_port()
    async with proxy, MachineGate(["127.0.0.1"], gate_port, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", gate_port)
        writer.write(b"x" * 300_000)
        writer.write_eof()
        assert await reader.read() == b"X" * 300_000
        writer.close()
        await writer.wait_closed()


async def test_the_gate_without_a_proxy():
    """While the proxy is away, connections are closed and not left to hang."""
    gate_port = free_port()
    async with MachineGate(["127.0.0.1"], gate_port, free_port()):
        reader, writer = await asyncio.open_connection("127.0.0.1", gate_port)
        assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        await writer.wait_closed()


async def test_one_machine_does_not_shut_the_gate_for_others():
    """Where all places are taken, whoever holds most gives up the newest of theirs.

    Also where they never read what is on its way to them. Who holds few keeps all.
    """

    async def flood(_reader, writer):
        writer.write(bytes(10_000_000))  # more than the kernel takes in for who does not read
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    proxy = await asyncio.start_server(flood, "127.0.0.1", 0)
    gate_port = free_port()
    port = proxy.sockets[0].getsockname()[1]

    async def visit(source):
        return await asyncio.open_connection("127.0.0.1", gate_port, local_addr=(source, 0))

    async with proxy, MachineGate(["127.0.0.1"], gate_port, port, most=8):
        greedy = [await visit("127.0.0.2") for _ in range(20)]
        for reader, _ in greedy[8:]:
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
        others = [await visit(f"127.0.0.{source}") for source in (3, 3, 4)]
        for reader, _ in others:
            assert await reader.readexactly(10_000_000)
        for reader, _ in greedy[:5]:
            assert await reader.readexactly(10_000_000)
        for _, writer in greedy + others:
            writer.transport.abort()


def test_open_files_are_as_many_as_may_be():
    """A start from a terminal has 1024 files; HexHub takes what its administrator allows."""
    asked = (
        "import resource\n"
        "from hexhub.supervisor import open_many_files\n"
        "open_many_files()\n"
        "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    for limits, found in (("1024:4096", "4096 4096"), ("3000:3000", "3000 3000")):
        command = ["prlimit", f"--nofile={limits}", sys.executable, "-c", asked]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == found
    assert most_connections(1024) == 384
    assert most_connections(65_536) == 10_000


def run_hexhub(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line tool to its end."""
    hexhub = Path(sys.executable).with_name("hexhub")
    return subprocess.run(
        [hexhub, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_taken_port_is_said(tmp_path):
    """The message names the port and the option, nothing is started, the exit code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run_hexhub("up", "--port", port, "--state", str(tmp_path / "state"))
    assert done.returncode == 1
    assert f"Port {port} is taken" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_up_without_docker_is_said(tmp_path):
    """Without Docker, up ends at once with a sentence on how to start it."""
    done = run_hexhub(
        *("up", "--port", str(free_port()), "--state", str(tmp_path / "state")),
        DOCKER_HOST=f"unix://{tmp_path}/no.sock",
    )
    assert done.returncode == 1
    assert "Docker does not answer" in done.stderr
    assert "systemctl start docker" in done.stderr


def test_the_doctor_without_docker(tmp_path):
    """Doctor says that Docker is away and what to do, with exit code 1."""
    done = run_hexhub(
        *("doctor", "--port", str(free_port()), "--state", str(tmp_path / "state")),
        DOCKER_HOST=f"unix://{tmp_path}/no.sock",
    )
    assert done.returncode == 1
    assert "systemctl start docker" in done.stdout


def test_the_doctor_here(tmp_path):
    """On this computer, doctor finds a Docker that can run machines."""
    done = run_hexhub("doctor", "--port", str(free_port()), "--state", str(tmp_path / "state"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HexHub can run here" in done.stdout


def test_down_and_clean_where_nothing_is(tmp_path):
    """Both say that there is nothing to do, and make nothing."""
    state = tmp_path / "state"
    for command in (("down",), ("clean", "--yes")):
        done = run_hexhub(*command, "--state", str(state))
        assert done.returncode == 0, done.stderr
    assert not state.exists()
