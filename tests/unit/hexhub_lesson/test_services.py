import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from hexhub_lesson.services import FOLDER, Service, Services

SLEEPER = "a-long-sleeping-service"
"""Cut by Linux to ``a-long-sleeping``."""


@pytest.fixture
def home(tmp_path):
    """Give a home folder with a program of a name that no other process has."""
    (tmp_path / "work").mkdir()
    name = f"svc{os.getpid()}"[:15]
    (tmp_path / name).symlink_to("/bin/sleep")
    return tmp_path


def make(home: Path, *services: Service, proc: Path = Path("/proc")) -> tuple[Services, list[str]]:
    """Give services and what they say."""
    said: list[str] = []
    return Services(services, home, said.append, proc=proc), said


def sleeper(home: Path, *, is_first: bool = False) -> Service:
    """Give a service that sleeps, started in the background as a daemon is."""
    name = f"svc{os.getpid()}"[:15]
    return Service(name, f"{home}/{name} 60 & disown; pwd", is_first)


def until(claim) -> None:
    """Wait until a claim holds."""
    deadline = time.monotonic() + 60
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def note(home: Path) -> object:
    """Give what is noted as running."""
    return json.loads((home / FOLDER / "services.json").read_text())


def test_what_ran_runs_again(home):
    """A service that the student had started is noted, ended in order, and started next time."""
    service = sleeper(home)
    first, _ = make(home, service)
    first.start()
    by_student = subprocess.Popen([f"{home}/{service.name}", "60"])
    until(lambda: service.name in first._running().values())
    first.ask_to_end()
    by_student.wait(timeout=60)
    assert by_student.returncode == -signal.SIGTERM
    first.wait_for_end(60)
    assert note(home) == [service.name]

    second, said = make(home, service)
    second.start()
    until(second._running)
    assert said == [f"Service {service.name}: {service.start}"]
    second.ask_to_end()
    second.wait_for_end(60)
    assert not second._running()
    assert (home / FOLDER / "services.log").read_text() == f"{home}/work\n"


def test_what_was_stopped_stays_stopped(home):
    """A service that did not run when the machine was stopped is not started."""
    for _ in range(2):
        services, said = make(home, sleeper(home))
        services.start()
        services.ask_to_end()
        assert (said, note(home)) == ([], [])


def test_a_first_one_runs_in_a_new_machine(home):
    """``first: true`` starts a service where nothing was noted yet, and only there."""
    services, said = make(home, sleeper(home, is_first=True))
    services.start()
    until(services._running)
    services.ask_to_end()
    services.wait_for_end(60)
    assert len(said) == 1
    (home / FOLDER / "services.json").write_text("[]")
    services, said = make(home, sleeper(home, is_first=True))
    services.start()
    services.ask_to_end()
    assert said == []


def test_a_command_that_fails_is_told(home):
    """The log of the machine has the exit code, and where to read more."""
    services, said = make(home, Service("none-such", "echo trouble; exit 3", is_first=True))
    services.start()
    until(lambda: len(said) == 2)
    assert "exit code 3" in said[1]
    assert (home / FOLDER / "services.log").read_text() == "trouble\n"
    services.ask_to_end()


@pytest.mark.parametrize("text", ["", "{", "{}", "7", '[1, null, ["x"]]'])
def test_a_note_that_the_student_has_spoilt_names_nothing(home, text):
    """The note is their own file: it can name services of the author, and nothing else."""
    (home / FOLDER).mkdir(parents=True)
    (home / FOLDER / "services.json").write_text(text)
    services, said = make(home, sleeper(home, is_first=True))
    services.start()
    services.ask_to_end()
    assert said == []


def test_processes_are_known_by_names_as_linux_cuts_them(home, tmp_path):
    """Long names, names with brackets in them, and zombies, which run no more."""
    for pid, stat in {
        "7": "7 (a-long-sleeping) S 1 7",
        "8": "8 (other) S 1 8",
        "9": "9 (a-long-sleeping) Z 1 9",
        "10": "10 (odd) name) R 1",
        "self": "11 (a-long-sleeping) S",
    }.items():
        (tmp_path / "proc" / pid).mkdir(parents=True)
        (tmp_path / "proc" / pid / "stat").write_text(stat)
    services, _ = make(
        home, Service(SLEEPER, "true"), Service("odd) name", "true"), proc=tmp_path / "proc"
    )
    assert services._running() == {7: "a-long-sleeping", 10: "odd) name"}


def test_no_services_cost_nothing(home):
    """Without any, no thread is started and nothing is written."""
    services, _ = make(home)
    services.start()
    assert not services
    assert not (home / FOLDER).exists()
