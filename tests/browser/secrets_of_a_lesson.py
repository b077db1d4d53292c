"""What a student must not have yet: texts of an author's files, and where to look for them."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from playwright.sync_api import Error, Page, Response, WebSocket

_SHORTEST = 25
"""Characters of a line that stands in no two places by chance."""
_PLACES = ("/home", "/root", "/tmp", "/run", "/etc", "/opt", "/srv", "/var", "/usr/local")


def lines_of(paths: Iterable[Path]) -> set[str]:
    """Give the telling lines of text files and of all files below folders."""
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return {
        line.strip()
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
        for line in file.read_text(encoding="utf-8", errors="ignore").splitlines()
        if len(line.strip()) >= _SHORTEST
    }


def _plain(text: str) -> str:
    """Give the letters and digits, which no way of writing JSON, HTML or script changes."""
    with contextlib.suppress(ValueError):
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return re.sub(r"\\n|\W+", "", text)


class Received:
    """Everything that a page gets from now on, by HTTP and by web socket."""

    def __init__(self, page: Page) -> None:
        self._responses: list[Response] = []
        self._frames: list[str] = []
        page.on("response", lambda response: self._responses.append(response))
        page.on("websocket", self._listen)

    def _listen(self, socket: WebSocket) -> None:
        def keep(payload: str | bytes) -> None:
            self._frames.append(
                payload if isinstance(payload, str) else payload.decode("utf-8", "ignore")
            )

        socket.on("framereceived", keep)

    def find(self, lines: Sequence[str]) -> set[str]:
        """Give which of these lines came; the page must still be the one that got them."""
        wanted = {line: _plain(line) for line in lines}
        found: set[str] = set()
        for text in (*self._bodies(), *self._frames):
            plain = _plain(text)
            found |= {line for line, letters in wanted.items() if letters in plain}
        return found

    def _bodies(self) -> Iterable[str]:
        for response in self._responses:
            try:
                yield response.body().decode("utf-8", "ignore")
            except Error:  # a redirect has no body, and what was aborted never came
                continue


def find_in_machine(container: str, lines: Iterable[str]) -> list[str]:
    """Look for lines in all that a container holds beside programs and libraries, and in what its
    processes were started with; give the files that have some."""
    search = "grep -rlaF -f - --exclude-dir=site-packages --exclude-dir=lab"
    command = f"{search} {' '.join(_PLACES)} /proc/[0-9]*/environ /proc/[0-9]*/cmdline"
    done = subprocess.run(
        ["docker", "exec", "--interactive", "--user", "0", container, "sh", "-c", command],
        input="\n".join(sorted(lines)),
        check=False,
        capture_output=True,
        text=True,
    )
    # The search's own command line has none of them: they came through its standard input.
    return done.stdout.split()
