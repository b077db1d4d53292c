"""What a test tool writes about a test that did not pass → what a student reads; pure.

Tools put the reason into an attribute, between the tags or into the test's output; with file names,
stack traces and log marks around it. Only the reason is kept: the rest tells a student nothing, and
paths and sources of hidden tests are none of theirs.
"""

import re
from dataclasses import dataclass

from hexhub.checks.assertions import MAX_LOOKED_AT, read_comparison


@dataclass(frozen=True)
class Complaint:
    """Why a test did not pass.

    Attributes:
        message: The reason, in the author's words where there are some.
        expected, actual: Both sides of the assertion, where they could be read.
        output: What the test printed, as far as it is not the reason.
    """

    message: str = ""
    expected: str | None = None
    actual: str | None = None
    output: str = ""


_SAYS_NOTHING = ("", "Failed", "true")
"""gotestsum writes ``Failed`` into every message, node:test ``true`` into that of a skipped one."""
_ASSERTION = re.compile(
    r"\A(?:(?:[\w.]+\.)?Assertion(?:Failed)?Error(?: \[\w+\])?|Failed"
    r"|(?:[\w.]+\.)?(?:Student|Machine)Error)(?:: ?|\s*\Z)"
)
_ASSERT_LINE = re.compile(r"^\s*assert\b", re.MULTILINE)
_TRACE = re.compile(
    r"^(?:[ \t]+at \S|[ \t]*❯ \S|[ \t]*⎯{3}|[ \t]*\+ expected - actual\b"
    r"|[ ]{4,}(?:> )?[ ]*\d+ \| |.*\.java:\d+\)$)",
    re.MULTILINE,
)
"""First line of a stack trace of Java, Node and Vitest, of Jest's excerpt of a test's source, or
of what Mocha says once more."""
_NAMED_ERROR = re.compile(r"^\w*Error(?: \[\w+\])?: ", re.MULTILINE)
_PLACE = re.compile(r"\A(?:unknown file|[\w./\\-]+\.\w{1,4}:\d+)\n")
_BATS_PLACE = re.compile(r"\A\(.*in test file .*\)\n  `.*' failed.*\n?", re.MULTILINE)
_PHP_PLACE = re.compile(r"\n/\S+:\d+\Z")
_PHP_TEST = re.compile(r"\A\S+::[^\n]+\n")
_GO_MARK = re.compile(r"\s*(?:=== (?:RUN|PAUSE|CONT|NAME)|--- (?:FAIL|SKIP|PASS):)")
_GO_LOG = re.compile(r"\s+\S+\.go:\d+: ?(.*)")
_TESTIFY = re.compile(r"\s*([A-Z][A-Za-z ]{1,20}):\s*\t(.*)")
_RUST_PANIC = re.compile(r"^thread '[^'\n]*'(?: \(\d+\))? panicked at [^\n]*:\d+:\d+:\n", re.M)
_RUST_NOTE = re.compile(r"^(?:note: run with `RUST_BACKTRACE|stack backtrace:)", re.MULTILINE)


def read_complaint(message: str, text: str, output: str) -> Complaint:
    """Read the reason why a test did not pass.

    Args:
        message: The attribute of ``failure``, ``error`` or ``skipped``.
        text: What stands between its tags.
        output: What the test printed.
    """
    attribute, text = message.strip(), text.strip("\n")
    if _GO_MARK.match(text or attribute):
        return _read_go(text or attribute, output)
    said = attribute
    if attribute in _SAYS_NOTHING or _is_flattened(attribute, text):
        said = _said_once(text.strip())
    if not said and (panic := _RUST_PANIC.search(output)):
        said = output[panic.end() :]
        note = _RUST_NOTE.search(said)
        said, output = said[: note.start()] if note else said, output[: panic.start()]
    said = _without_places(said)
    message = author_message(said)
    candidates = dict.fromkeys((message, said, _said_once(text)))
    compared = next(filter(None, map(read_comparison, candidates)), None)
    return Complaint(
        message,
        compared.expected if compared else None,
        compared.actual if compared else None,
        output,
    )


def author_message(said: str) -> str:
    """Give what the author wrote behind the comma of an ``assert``, where that is in ``said``.

    pytest says ``AssertionError: <author's words>`` and then the comparison as it sees it; without
    words there is only the comparison, whose first line is kept.
    """
    text = _ASSERTION.sub("", said, count=1).strip()
    comparison = _ASSERT_LINE.search(text)
    if comparison is None:
        return text
    words = text[: comparison.start()].strip()
    return words or text.splitlines()[0].strip()


def _is_flattened(attribute: str, text: str) -> bool:
    """Tell whether a tool wrote line feeds into an attribute, where XML makes them blanks."""
    start = _NAMED_ERROR.sub("", text[:MAX_LOOKED_AT].lstrip(), count=1)
    return "  " in attribute and " ".join(start.split()).startswith(" ".join(attribute.split()))


def _said_once(text: str) -> str:
    """Cut where a tool says the error again, with its class before it."""
    text = text[:MAX_LOOKED_AT]
    first = text.lstrip().split("\n", 1)[0]
    for match in _NAMED_ERROR.finditer(text):
        if match.start() > 0 and text.startswith(first, match.end()):
            return text[: match.start()]
    return text


def without_bats_place(text: str) -> str:
    """Leave what a test of Bats printed, where it did: file and source line are the author's."""
    text = text[:MAX_LOOKED_AT]
    return _BATS_PLACE.sub("", text).strip("\n") or text


def _without_places(said: str) -> str:
    """Take files, lines and stack traces away, as far as something is left."""
    said = said[:MAX_LOOKED_AT]
    trace = _TRACE.search(said)
    if trace is not None and said[: trace.start()].strip():
        said = said[: trace.start()]
    said = said.rstrip()
    if _PHP_PLACE.search(said):
        said = _PHP_TEST.sub("", _PHP_PLACE.sub("", said), count=1)
    return without_bats_place(_PLACE.sub("", said, count=1).strip())


def _read_go(text: str, output: str) -> Complaint:
    """Read what ``go test`` prints of one test: its log lines are the reason, the rest is output.

    A log line is ``    file_test.go:18: words``, and goes on in lines that are indented further.
    """
    said: list[str] = []
    printed: list[str] = []
    is_log = False
    for line in text.split("\n"):
        if _GO_MARK.match(line):
            is_log = False
        elif line.startswith("goroutine "):
            break
        elif log := _GO_LOG.fullmatch(line):
            is_log = True
            said.append(log[1])
        elif is_log and (line.startswith("        ") or not line.strip()):
            said.append(line.removeprefix("        "))
        elif line.strip().startswith("panic: "):
            # Said twice, indented the second time, where the panic went through the test runner.
            is_log = False
            if not line[:1].isspace():
                said.append(line.removesuffix(" [recovered]"))
        else:
            is_log = False
            printed.append(line)
    message = "\n".join(said).strip("\n")
    words, error = _read_testify(message)
    compared = read_comparison(error)
    return Complaint(
        (words or error).strip(),
        compared.expected if compared else None,
        compared.actual if compared else None,
        "\n".join(part for part in ("\n".join(printed).strip("\n"), output) if part),
    )


def _read_testify(message: str) -> tuple[str, str]:
    """Give the author's words and the error of a testify assertion; of others, all is error."""
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in message.split("\n"):
        if match := _TESTIFY.fullmatch(line):
            current = fields.setdefault(match[1], [])
            current.append(match[2])
        elif current is not None:
            current.append(line.strip(" \t"))
    if "Error Trace" not in fields or "Error" not in fields:
        return "", message
    return "\n".join(fields.get("Messages", [])).strip(), "\n".join(fields["Error"]).strip()
