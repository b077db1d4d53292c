"""What a student must not have yet: a line of each of an author's texts, and where to look for it.

A line is looked for by its letters and digits alone, for those stay the same however a text is
written: as JSON, as HTML, in the colours of a terminal, over lines of another width.
"""

import base64
import binascii
import contextlib
import html
import io
import json
import re
import subprocess
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Error, Page, Request, WebSocket

_SHORTEST = 16
"""Letters of a line that stands in no two places by chance."""
_HIDDEN = re.compile(
    r"^\s*### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)^\s*### END \1", re.MULTILINE | re.DOTALL
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")
_WITHOUT_BODY = {204, 301, 302, 303, 307, 308}
_SEARCH = "LC_ALL=C grep -rlaF -f - /home /opt /etc /tmp /root /srv /run /var /usr/local /dev/shm"
_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def letters_of(text: str) -> str:
    """Give what is left of a text in each way of writing it."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = re.sub(r"\\[nrt]|\x1b\[[0-9;?]*[A-Za-z]", " ", text)
    return re.sub(r"[\W_]+", "", html.unescape(text))


def _all_letters_of(data: bytes) -> str:
    """Give the letters of a text, and of the files that stand in it as base64."""
    text = data.decode("utf-8", "ignore")
    return " ".join([letters_of(text), *map(letters_of, _unpacked(text))])


def _unpacked(text: str) -> Iterator[str]:
    for packed in _BASE64.findall(text):
        try:
            yield base64.b64decode(packed[: len(packed) // 4 * 4]).decode("utf-8", "ignore")
        except binascii.Error:
            continue


def _without_strings(code: str) -> str:
    """Give the lines of a Python file that no string stands in: strings are what a test says."""
    lines = code.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in _STRINGS:
            for number in range(token.start[0], token.end[0] + 1):
                lines[number - 1] = ""
    return "\n".join(lines)


def _notebook(path: Path) -> tuple[str, str]:
    """Give what a student sees of an author's notebook, and what not."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) + "\n" for cell in cells]
    hidden = "\n".join(found[2] for source in sources for found in _HIDDEN.finditer(source))
    return "\n".join(_HIDDEN.sub("", source) for source in sources), hidden


def _files(folder: Path, pattern: str) -> list[Path]:
    found = (path for path in folder.glob(pattern) if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


class LockedTexts:
    """Lines of a lesson of which a student has seen the first step and its first hint.

    Attributes:
        lines: The author's file, relative to the lesson → its longest line that stands in nothing
            that the student may read by then.
        open_lines: The same of what the student has read in English: task and hint.
        second_hint: The file of the hint that comes next.
    """

    def __init__(self, lesson: Path, first_step: str, seen: str) -> None:
        """Read an author's lesson.

        Args:
            lesson: Its folder.
            first_step: The step that is open.
            seen: What else the student may read: what they wrote.
        """
        opened = {f"steps/{first_step}.md", f"hints/{first_step}-1.md"}
        self.second_hint = f"en/hints/{first_step}-2.md"
        readable = [*_files(lesson, "starter/**/*"), *_files(lesson, "??/README.md")]
        readable += [
            *_files(lesson.parents[1], "course.yml"),
            *_files(lesson.parents[1], "??/*.md"),
        ]
        hidden: dict[str, str] = {}
        for path in _files(lesson, "??/*/*.md"):
            if f"{path.parent.name}/{path.name}" in opened:
                readable.append(path)
            else:  # Titles of steps are shown before the steps are.
                text = path.read_text(encoding="utf-8")
                hidden[str(path.relative_to(lesson))] = re.sub(r"(?m)^#.*$", "", text)
        for part in ("checks", "solution", "wrong"):
            for path in _files(lesson, f"{part}/**/*"):
                if path.name != "expect.yml":  # it names tests, which the student sees
                    text = path.read_text(encoding="utf-8")
                    is_test = part == "checks" and path.suffix == ".py"
                    text = _without_strings(text) if is_test else text
                    hidden[str(path.relative_to(lesson))] = text
        texts = [path.read_text(encoding="utf-8") for path in readable]
        for path in _files(lesson, "*.ipynb"):
            shown, hidden[path.name] = _notebook(path)
            texts.append(shown)
        self._readable = " ".join(letters_of(text) for text in (*texts, seen))
        self.lines = {name: self._telling_line(name, text) for name, text in hidden.items()}
        self.open_lines = {
            name: self._longest_line(lesson / name)
            for name in (f"en/steps/{first_step}.md", f"en/hints/{first_step}-1.md")
        }

    def _telling_line(self, name: str, text: str) -> str:
        for line in sorted({line.strip() for line in text.splitlines()}, key=len, reverse=True):
            letters = letters_of(line)
            if len(letters) >= _SHORTEST and letters not in self._readable:
                return line
        raise AssertionError(f"no line of {name} tells it from what may be read")

    @staticmethod
    def _longest_line(path: Path) -> str:
        return max(path.read_text(encoding="utf-8").splitlines(), key=len)


class Received:
    """Everything that a page has got, by HTTP and by web socket, from now on.

    What a browser got is asked for as soon as it is there: it is gone with the next page.
    """

    def __init__(self, page: Page) -> None:
        self._page = page
        self._bodies: dict[str, set[bytes]] = {}
        self._letters: dict[bytes, str] = {}
        self._missed: set[str] = set()
        self._under_way = 0
        self._sockets: list[list[bytes]] = []
        page.on("requestfinished", self._take)
        page.on("websocket", self._listen)

    def _take(self, request: Request) -> None:
        path = urlsplit(request.url).path
        self._under_way += 1
        try:
            response = request.response()
            if response is not None and response.status not in _WITHOUT_BODY:
                self._bodies.setdefault(path, set()).add(response.body())
        except Error:  # It was gone with its page.
            self._missed.add(path)
        finally:
            self._under_way -= 1

    def _listen(self, socket: WebSocket) -> None:
        frames: list[bytes] = []
        self._sockets.append(frames)
        socket.on(
            "framereceived",
            lambda frame: frames.append(frame.encode() if isinstance(frame, str) else frame),
        )

    def stop(self) -> None:
        """Take nothing more: the student goes on, and may have the rest."""
        self._page.remove_listener("requestfinished", self._take)
        self._page.remove_listener("websocket", self._listen)

    def settle(self) -> None:
        """Wait until everything that has come is taken."""
        self._page.evaluate("'what came before this answer has been told'")
        while self._under_way:
            self._page.wait_for_timeout(50)

    @property
    def missed(self) -> set[str]:
        """Paths that no answer could be read of, but for files that are the same for everybody."""
        return {path for path in self._missed - self._bodies.keys() if "/static/" not in path}

    def find(self, lines: Mapping[str, str]) -> set[str]:
        """Give the names of the lines that came."""
        for body in set().union(*self._bodies.values()) - self._letters.keys():
            self._letters[body] = _all_letters_of(body)
        texts = set(self._letters.values())
        # What a terminal says comes in pieces.
        texts |= {_all_letters_of(_joined(frames)) for frames in self._sockets}
        wanted = {name: letters_of(line) for name, line in lines.items()}
        return {name for name, line in wanted.items() if any(line in text for text in texts)}


def _joined(frames: Iterable[bytes]) -> bytes:
    """Put the pieces of a terminal's output together; other frames stay as they are."""
    parts = []
    for frame in frames:
        found = re.fullmatch(rb'\["stdout", "(.*)"\]', frame, re.DOTALL)
        parts.append(found[1] if found else b" " + frame)
    return b"".join(parts)


def find_in_machine(container: str, lines: Iterable[str]) -> set[str]:
    """Look for lines, as they are and as JSON writes them, in what a container holds beside the
    system's own files, and in what its processes were started with; give where there is one."""
    lines = set(lines)
    written = lines | {
        json.dumps(line, ensure_ascii=is_ascii)[1:-1]
        for line in lines
        for is_ascii in (True, False)
    }
    done = subprocess.run(
        ["docker", "exec", "--interactive", "--user", "0", container, "sh", "-c", _SEARCH],
        input="\n".join(sorted(written)),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1, 2), done.stdout + done.stderr  # 2: a file went away meanwhile
    found = set(done.stdout.splitlines())
    wanted = [line.encode() for line in written]
    for process in _processes_of(container):
        for name in ("environ", "cmdline"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                given = Path(f"/proc/{process}/{name}").read_bytes()
                found |= {name for line in wanted if line in given}
    return found


def _processes_of(container: str) -> list[str]:
    """Give the ids that the processes have outside: root in the machine may not read all there."""
    command = ["docker", "top", container, "-eo", "pid"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    return [word for word in listed.stdout.split() if word.isdecimal()]
