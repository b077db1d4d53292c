"""``hexhub worker`` as a process of a test."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

COMMAND = [str(Path(sys.executable).with_name("hexhub")), "worker"]


@contextlib.contextmanager
def running_worker(
    state: Path, hub_id: str, docker_url: str = "", options: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker while the block lasts.

    Args:
        state: Folder of its HexHub.
        hub_id: In the labels of its containers.
        docker_url: Where it reaches Docker; empty: as everybody does.
        options: Of its command line.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HEXHUB_STATE": str(state),
        "HEXHUB_HUB_ID": hub_id,
        **({"DOCKER_HOST": docker_url} if docker_url else {}),
    }
    log_path = state / "worker.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen([*COMMAND, *options], env=environment, stdout=log, stderr=log)
        try:
            yield process
        except AssertionError as exc:
            exc.add_note(f"The worker said:\n{log_path.read_text()[-4000:]}")
            raise
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()
                process.wait(30)


def wait_for(is_so: Callable[[], bool], timeout_s: float = 200) -> None:
    """Return when something is so."""
    until_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until_s, "It did not come about in time."
        time.sleep(0.05)
