"""The entrypoint as a process of its own: it waits, takes one line, becomes the server, stops."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hexhub_lesson.machine_process import COOKIE_SECRET_BYTES

from .lesson_machine import TOKEN, LessonHub, Machine

MakeMachine = Callable[..., Machine]


@pytest.fixture(scope="module")
def hub() -> Iterator[LessonHub]:
    hub = LessonHub()
    yield hub
    hub.close()


@pytest.fixture
def make_machine(hub: LessonHub, tmp_path: Path) -> Iterator[MakeMachine]:
    machines: list[Machine] = []
    home = tmp_path / "home"
    home.mkdir()

    def make(**own_env: str) -> Machine:
        machines.append(Machine(home, hub.url, own_env))
        return machines[-1]

    yield make
    for machine in machines:
        machine.stop()


def test_what_is_slow_is_done_before_the_line_comes(make_machine: MakeMachine) -> None:
    """What the server's modules bring along is in memory while it still waits for its line."""
    machine = make_machine()
    machine.wait_for_log("waiting for a student")
    loaded = machine.status_of("maps")
    for library in ("zmq", "rpds", "_ssl"):
        assert library in loaded
    machine.start()


def test_the_hubs_own_modules_are_not_in_memory(make_machine: MakeMachine) -> None:
    """JupyterLab with a terminal, opened by OAuth, loads nothing of what only a hub uses."""
    machine = make_machine()
    machine.start()
    with machine.browser() as browser:
        for path in ("lab", "lab/api/settings", "api/contents", "api/kernelspecs", "api/me"):
            assert browser.get(path).status_code == 200, path
    with machine.client() as client:
        assert client.post("api/terminals").status_code == 200
    loaded = machine.status_of("maps")
    assert "zmq" in loaded
    for library in ("sqlalchemy/engine", "cryptography", "charset_normalizer", "pycares"):
        assert library not in loaded


def test_a_stop_ends_everything(make_machine: MakeMachine) -> None:
    """Also a terminal whose programs do not want to end; and the socket goes with it."""
    machine = make_machine()
    machine.start()
    with machine.client() as client:
        client.post("api/terminals")
    machine.stop()
    assert machine.process.returncode == 0
    assert not machine.socket.exists()


def test_it_stops_at_once_while_it_waits(make_machine: MakeMachine) -> None:
    """A container that nobody needs ends when it is told to."""
    machine = make_machine()
    machine.wait_for_log("Ready after")
    machine.stop()


def test_the_environment_is_nowhere_but_in_the_process(make_machine: MakeMachine) -> None:
    """No file, no argument and not the process's own first environment hold the token."""
    machine = make_machine()
    machine.start()
    for name in ("environ", "cmdline"):
        assert TOKEN not in machine.status_of(name)
    found = subprocess.run(
        ["grep", "-rl", TOKEN, str(machine.home.parent)], capture_output=True, check=False
    )
    assert found.stdout == b""
    assert (machine.socket.parent / "runtime").is_dir()


def test_standard_input_is_closed_for_it_and_its_children(make_machine: MakeMachine) -> None:
    """No program of the student's can read or hold the channel that the hub writes to."""
    machine = make_machine()
    machine.start()
    assert Path(f"/proc/{machine.process.pid}/fd/0").readlink() == Path(os.devnull)


def test_lines_that_cannot_be_used_are_told_and_the_next_is_taken(
    make_machine: MakeMachine,
) -> None:
    """A broken line does not end the machine, and what it held is not repeated in the log."""
    machine = make_machine()
    machine.wait_for_log("Ready after")
    for line, why in (
        (b"not json at all, with s3cr3t\n", "not JSON"),
        (b'"s3cr3t \xff\xfe"\n', "not JSON"),
        (b'["s3cr3t"]\n', "not an object"),
        (b'{"version": 2, "env": {}}\n', "'version'"),
        (b'{"version": 1, "env": {"A": 1}}\n', "'env'"),
        (b'{"version": 1, "env": {}, "args": "s3cr3t"}\n', "'args'"),
        (b'{"version": 1, "env": {}, "cwd": 7}\n', "'cwd'"),
        (b'"' + b"s3cr3t" * 100_000 + b'"\n', "longer than"),
    ):
        before = len(machine.log.read_text(encoding="utf-8"))
        machine.send(line)
        machine.wait_for_log("Waiting for another one.", after=before)
        said = machine.log.read_text(encoding="utf-8")[before:]
        assert said.startswith("[hexhub] Cannot start from this line: ")
        assert why in said
        assert "s3cr3t" not in said
    machine.start()


def test_a_line_may_come_in_pieces_and_late(make_machine: MakeMachine) -> None:
    """The hub's writes are not the line's ends, and waiting has no limit."""
    machine = make_machine()
    machine.wait_for_log("Ready after")
    message = json.dumps({"version": 1, "env": machine.environment}).encode() + b"\n"
    for start in range(0, len(message), 200):
        machine.send(message[start : start + 200])
        time.sleep(0.01)
    machine.wait_for(machine.answers, "the server answers")


def test_without_a_channel_it_says_so_and_ends(tmp_path: Path) -> None:
    """``docker run`` without ``-i`` cannot work: a sentence, not a silent machine."""
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "hexhub_lesson.entrypoint"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "Standard input is closed" in ended.stderr


def test_a_students_files_are_not_imported(make_machine: MakeMachine, tmp_path: Path) -> None:
    """``json.py`` in the working folder, on PYTHONPATH or in the user's site is not ours."""
    home = tmp_path / "home"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = home / f".local/lib/{version}/site-packages"
    for folder in (home, home / "work", site):
        folder.mkdir(parents=True, exist_ok=True)
        for module in ("json", "jupyterhub", "tornado", "usercustomize", "sitecustomize"):
            (folder / f"{module}.py").write_text("raise SystemExit('imported a student file')\n")
    machine = make_machine(PYTHONPATH=str(home), PYTHONSTARTUP=str(home / "json.py"))
    machine.start(PYTHONPATH=str(home))
    assert "imported a student file" not in machine.log.read_text(encoding="utf-8")


def break_by_syntax(home: Path) -> None:
    for name in ("jupyter_server_config", "jupyter_config", "jupyter_lab_config"):
        (home / ".jupyter").mkdir(exist_ok=True)
        (home / f".jupyter/{name}.py").write_text("c.ServerApp.port = = 1\n")
        (home / f".jupyter/{name}.json").write_text('{"ServerApp": ')


def break_by_settings(home: Path) -> None:
    (home / ".jupyter/jupyter_server_config.d").mkdir(parents=True)
    (home / ".jupyter/jupyter_server_config.d/x.json").write_text(
        '{"ServerApp": {"jpserver_extensions": {"hexhub_lesson": false, "no_such": true}}}'
    )
    (home / ".jupyter/jupyter_server_config.py").write_text(
        "c.ServerApp.port = 1\nc.ServerApp.ip = '203.0.113.1'\nimport os; os._exit(1)\n"
    )


def break_by_files(home: Path) -> None:
    for name in (".jupyter", ".local", ".ipython", ".cache", "work"):
        (home / name).write_text("a file, where a folder is expected\n")


def break_by_locks(home: Path) -> None:
    for name in (".jupyter", ".local/share/jupyter", "work"):
        (home / name).mkdir(parents=True)
        (home / name).chmod(0)
    home.chmod(0o500)


def break_by_links(home: Path) -> None:
    (home / ".jupyter").symlink_to("/nonexistent/folder")
    (home / ".local").symlink_to(home / ".local")
    (home / "work").symlink_to(home / "work")


@pytest.mark.parametrize(
    "spoil", [break_by_syntax, break_by_settings, break_by_files, break_by_locks, break_by_links]
)
def test_what_a_student_does_to_the_home_folder_does_not_lock_them_out(
    make_machine: MakeMachine, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """The IDE comes up whatever stands in ``~``: its terminal is the way to repair it."""
    spoil(tmp_path / "home")
    machine = make_machine()
    machine.start()
    with machine.client() as client:
        assert client.post("api/terminals").status_code == 200
        assert client.get("hexhub/lesson").status_code == 404  # the stub's; the extension is there
    machine.stop()
    (tmp_path / "home").chmod(0o755)


def test_what_the_container_was_created_with_cannot_speak_for_the_hub(
    make_machine: MakeMachine,
) -> None:
    """Variables of the hub's names in the image or the container are thrown away."""
    machine = make_machine(
        JUPYTERHUB_SERVICE_PREFIX="/user/mallory/", HEXHUB_COURSE="stale", JUPYTERHUB_USER="mallory"
    )
    machine.start()
    with machine.client() as client:
        assert client.get("api/me").json()["identity"]["username"] == "ada"


def test_a_resumed_machine_takes_the_place_of_its_stale_socket(make_machine: MakeMachine) -> None:
    """After a kill the socket's file is still there; the next start listens on it all the same."""
    first = make_machine()
    first.start()
    first.process.kill()
    first.process.wait()
    assert first.socket.exists()
    second = make_machine()
    second.start()
    second.wait_for(lambda: second.lesson().returncode == 2, "the hub's refusal arrives")


def test_a_foreign_thing_at_the_sockets_place_is_not_trusted(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    """A link in /tmp that somebody else has put there gets no socket; the IDE starts without."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "private").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tmp").mkdir()
    machine = make_machine(TMPDIR=str(tmp_path / "tmp"))
    message = {"version": 1, "env": machine.environment}
    machine.send(json.dumps(message).encode() + b"\n")
    machine.wait_for(machine.answers, "the server answers")
    machine.wait_for_log("The 'lesson' command will not work")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_cookie_key_that_a_full_disk_cut_short_is_not_used(
    make_machine: MakeMachine, tmp_path: Path
) -> None:
    """An empty key file would make every signature forgeable: a new key takes its place."""
    runtime = tmp_path / "private/runtime"
    runtime.mkdir(parents=True)
    key = runtime / "jupyter_cookie_secret"
    key.write_bytes(b"")
    machine = make_machine()
    machine.start()
    first = key.read_bytes()
    assert len(first) >= COOKIE_SECRET_BYTES
    machine.stop()
    make_machine().start()
    assert key.read_bytes() == first, "a good key stays, so that open tabs stay signed in"
