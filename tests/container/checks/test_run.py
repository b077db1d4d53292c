"""A run in a check container ends, whatever is run in it, and is believed only with its nonce."""

import gc
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from hexhub.catalog.model import CheckKind, Lesson, MachineUser
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.containers import SandboxSpec
from hexhub.checks.engine import Engine
from hexhub.checks.sandbox import HarnessRun, Sandbox
from hexhub.checks.student_machine import find_machine
from hexhub.checks.trial_machine import trial_machine
from hexhub.errors import DockerUnavailable, ImageMissing, MachineNotRunning, ReportUnusable

from .conftest import MB, files_spec

READ = """
import json, sys
header = json.loads(sys.stdin.buffer.readline())
tar = sys.stdin.buffer.read(header["tar_bytes"])
def answer(output, nonce=header["nonce"]):
    sys.stdout.write(json.dumps({"version": 1, "nonce": nonce, "exit_code": 0, "timed_out": False,
        "output": output, "output_bytes": 0, "report": None, "report_too_big": False,
        "duration_s": 0.1}) + "\\n")
    sys.stdout.flush()
"""


def run(
    sandbox: Sandbox, program: str, *, grace_s: float = 20.0, work: bytes = b"", image: str = ""
) -> HarnessRun:
    """Run ``program`` in the harness's place."""
    spec = files_spec(timeout_s=1.0)
    return sandbox.run(
        SandboxSpec(
            image=image or "hexhub/base",
            kind=CheckKind.FILES,
            machine_id=None,
            memory_bytes=64 * MB,
            timeout_s=spec.timeout_s,
            processes=32,
            harness=("/opt/check/bin/python", "-I", "-c", program),
        ),
        spec,
        MachineUser.STUDENT,
        {"test_a.py": OverlayFile(b"checks")},
        {"answer.py": OverlayFile(work)},
        grace_s=grace_s,
    )


def test_what_the_harness_says_arrives(sandbox: Sandbox) -> None:
    """Header and tar go in whole, the answer comes out, complaints go beside."""
    program = READ + "print('hm', file=sys.stderr)\nanswer(f'{len(tar)} {header[\"tar_bytes\"]}')"
    heard = run(sandbox, program, work=b"x" * (8 * MB))
    assert heard.answer is not None
    got, wanted = heard.answer.output.split()
    assert got == wanted
    assert int(got) > 8 * MB
    assert (heard.exit_code, heard.is_out_of_memory, heard.stderr) == (0, False, "hm\n")


def test_a_forged_answer_is_refused(sandbox: Sandbox) -> None:
    """An answer with another nonce is not the harness's."""
    with pytest.raises(ReportUnusable, match="not from the harness"):
        run(sandbox, READ + "answer('passed', nonce='0' * 32)")


@pytest.mark.parametrize(
    ("program", "work"),
    [
        ("import time\ntime.sleep(600)", b""),
        ("import time\ntime.sleep(600)", b"x" * (4 * MB)),
        (READ + "import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(600)", b""),
        (READ + "while True: pass", b""),
        (READ + "import sys\nsys.stdout.write('half a line'); sys.stdout.flush()\ninput()", b""),
    ],
    ids=["silent", "does not read", "ignores signals", "spins", "half a line"],
)
def test_silence_is_ended(sandbox: Sandbox, program: str, work: bytes) -> None:
    """A harness that does not answer is ended at our own deadline."""
    began = time.monotonic()
    if "input()" in program:
        program = program.replace("input()", "__import__('time').sleep(600)")
    heard = run(sandbox, program, grace_s=2.0, work=work)
    assert heard.is_overdue
    assert heard.answer is None
    assert time.monotonic() - began < 60


def test_a_line_without_end_is_cut_off(sandbox: Sandbox) -> None:
    """A gigabyte on standard output is not read to its end."""
    heard = run(sandbox, READ + "while True: sys.stdout.write('x' * 65536)", grace_s=60.0)
    assert heard.is_too_long
    assert heard.answer is None


def test_an_end_without_answer_is_told(sandbox: Sandbox) -> None:
    """A harness that ends early gives its exit code and its last words."""
    heard = run(sandbox, "import sys; print('broken', file=sys.stderr); sys.exit(7)")
    assert (heard.answer, heard.exit_code, heard.stderr) == (None, 7, "broken\n")


def test_memory_is_limited(sandbox: Sandbox) -> None:
    """What takes more memory than it may is ended, and that is told."""
    heard = run(sandbox, READ + "x = bytearray(200 * 1024**2)\nanswer('big')")
    assert heard.answer is None
    assert heard.is_out_of_memory


def test_written_files_are_memory(sandbox: Sandbox) -> None:
    """A run cannot fill the host's disk: what may be written is small and counts as memory."""
    program = READ + (
        "import errno\n"
        "said = []\n"
        "for folder in ('/', '/root', '/home/student', '/etc', '/var/lib', '/opt'):\n"
        "    try: open(folder + '/probe', 'w'); said.append(folder)\n"
        "    except OSError as exc: assert exc.errno == errno.EROFS, exc\n"
        "try:\n"
        "    with open('/tmp/big', 'wb') as file:\n"
        "        for _ in range(300): file.write(b'x' * 1024**2)\n"
        "    said.append('no limit')\n"
        "except OSError as exc: assert exc.errno == errno.ENOSPC, exc\n"
        "answer(repr(said))\n"
    )
    heard = run(sandbox, program)
    assert heard.answer is not None
    assert heard.answer.output == "[]"


def test_processes_are_limited(sandbox: Sandbox) -> None:
    """Forking without end meets the limit, and all of it goes with the container."""
    program = READ + (
        "import os, time\n"
        "count = 0\n"
        "try:\n"
        "    while True:\n"
        "        if os.fork() == 0: time.sleep(600)\n"
        "        count += 1\n"
        "except OSError: answer(str(count))\n"
    )
    heard = run(sandbox, program)
    assert heard.answer is not None
    assert 20 <= int(heard.answer.output) < 32


def test_there_is_no_network_and_little_power(sandbox: Sandbox) -> None:
    """Only loopback, six capabilities, no new privileges, nothing of ours in the environment."""
    program = READ + (
        "import os\n"
        "names = sorted(os.listdir('/sys/class/net'))\n"
        "status = dict(l.split(':', 1) for l in open('/proc/self/status') if ':' in l)\n"
        "facts = [names, status['CapEff'].strip(), status['NoNewPrivs'].strip(),\n"
        "         sorted(k for k in os.environ if 'HEX' in k or 'TOKEN' in k)]\n"
        "answer(repr(facts))\n"
    )
    heard = run(sandbox, program)
    assert heard.answer is not None
    # CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7
    assert heard.answer.output == repr([["lo"], "00000000000000eb", "1", []])


def test_a_missing_image_is_named(sandbox: Sandbox) -> None:
    """Without the lesson's image the message says which, and how to get it."""
    with pytest.raises(ImageMissing, match=r"hexhub/no-such.*hexhub images build"):
        run(sandbox, READ, image="hexhub/no-such")


def test_an_image_without_harness_is_our_fault(sandbox: Sandbox) -> None:
    """An image that is none of ours cannot hold a check, and that is no verdict."""
    from hexhub.errors import CheckError

    with pytest.raises(CheckError, match="could not start the check"):
        run(sandbox, READ, image="debian:trixie-slim")


def test_a_stopped_machine_cannot_be_checked(
    sandbox: Sandbox, client: docker.APIClient, make_lesson: Callable[..., Lesson]
) -> None:
    """A machine check needs the machine running; when it is not, that is what is said."""
    spec = files_spec(kind=CheckKind.MACHINE, submit=())
    with trial_machine(sandbox.engine, make_lesson(), {}) as machine_id:
        client.kill(machine_id)
        client.wait(machine_id)
        assert not sandbox.engine.is_running(machine_id)
        with pytest.raises(MachineNotRunning):
            sandbox.run(
                SandboxSpec("hexhub/base", CheckKind.MACHINE, machine_id, 64 * MB, 1.0),
                spec,
                MachineUser.STUDENT,
                {},
                None,
            )
    assert not sandbox.engine.is_running(machine_id)


# docker-py leaves the socket open that it could not connect; it goes with the next collection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_docker_away_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Docker the message says so, and where to look."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(DockerUnavailable, match="hexhub doctor"):
        find_machine(Engine("test-away"), "ada", "shell-1")
    gc.collect()


def test_docker_that_hangs_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Docker that takes connections and says nothing counts as away after the time limit."""
    path = tmp_path / "silent.sock"
    held = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def accept() -> None:
            try:
                while True:
                    held.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
        began = time.monotonic()
        with pytest.raises(DockerUnavailable):
            Engine("test-silent", timeout_s=1).is_running("any")
        assert time.monotonic() - began < 60
        for connection in held:
            connection.close()


def test_runs_at_the_same_time_do_not_mix(sandbox: Sandbox) -> None:
    """Several threads may use one sandbox; each gets the answer of its own run."""
    heard: dict[int, str] = {}

    def one(number: int) -> None:
        answer = run(sandbox, READ + f"answer('{number}')").answer
        heard[number] = answer.output if answer else "none"

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {number: str(number) for number in range(6)}
