"""Measures what the student waits for in a terminal: the start of ``lesson``, and each prompt.

Run on a quiet machine: ``.venv/bin/python tests/bench/terminal.py [-n 200] [--image hexhub/base]``.
Starts are those of a new process against a server that answers at once; prompts are timed inside
the shells of the image, around what ``hexhub.sh`` and ``hexhub.zsh`` add to them. Prints n, p50 and
p95 in milliseconds; the goals are 100 ms for a start and 5 ms for a prompt.
"""

import argparse
import contextlib
import os
import shlex
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import docker

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "lesson_extension/shell/lesson"
LESSON_JSON = (ROOT / "tests/contract/lesson.json").read_bytes()

BASH = r"""
for ((i = 0; i < COUNT; i++)); do
    a=${EPOCHREALTIME/[.,]/}
    : "${PS0@P}"
    false
    _hexhub_report
    b=${EPOCHREALTIME/[.,]/}
    echo "took $((b - a))"
done
"""
ZSH = r"""
for ((i = 0; i < COUNT; i++)); do
    a=$EPOCHREALTIME
    _hexhub_begin 'ls -l'
    false
    _hexhub_report
    b=$EPOCHREALTIME
    printf 'took %d\n' $(( (b - a) * 1000000 ))
done
"""


def say(what: str, times_ms: Sequence[float]) -> None:
    """Print one line."""
    cuts = statistics.quantiles(times_ms, n=20)
    print(f"{what:<44} n={len(times_ms):<5} p50={cuts[9]:8.2f} ms   p95={cuts[18]:8.2f} ms")


@contextlib.contextmanager
def answering_server(folder: Path) -> Iterator[Path]:
    """Serve the golden lesson on a unix socket."""
    path = folder / "lesson.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(16)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + LESSON_JSON)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield path
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def measure_starts(count: int) -> None:
    """Time whole runs of the command on this computer's own Python."""
    with tempfile.TemporaryDirectory() as folder, answering_server(Path(folder)) as path:
        env = {**os.environ, "HEXHUB_LESSON_SOCKET": str(path), "HOME": folder}
        for words in (["--help"], [], ["task"]):
            times = []
            for _ in range(count):
                began = time.perf_counter()
                subprocess.run([LESSON, *words], env=env, check=True, stdout=subprocess.DEVNULL)
                times.append((time.perf_counter() - began) * 1000)
            say(" ".join(["start: lesson", *words]), times)


def measure_prompts(image: str, count: int) -> None:
    """Time what our hooks add to each prompt, inside the shells of an image."""
    client = docker.from_env()
    for shell, program in (("bash -li", BASH), ("zsh -i", ZSH)):
        for records in ("", "command_text"):
            typed = program.replace("COUNT", str(count)) + "\nexit\n"
            command = f"printf %s {shlex.quote(typed)} | script -qec {shlex.quote(shell)} /dev/null"
            output = client.containers.run(
                image,
                entrypoint=["sh", "-c", command],
                environment={"HEXHUB_TERMINAL": "bench", "HEXHUB_RECORDS": records},
                remove=True,
                network_mode="none",
            )
            times = [
                float(line.split()[-1]) / 1000
                for line in output.decode("utf-8", "replace").splitlines()
                if line.rpartition("took ")[2].strip().isdigit() and "took " in line
            ]
            say(f"prompt: {shell.split()[0]}{' with the text' if records else ''}", times)


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=100, help="how often each is measured")
    parser.add_argument("--image", default="hexhub/base")
    options = parser.parse_args()
    measure_starts(options.n)
    measure_prompts(options.image, options.n)


if __name__ == "__main__":
    main()
