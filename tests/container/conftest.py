"""Runs of the real harness in containers of the shipped images."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import docker
import pytest

from hexhub.catalog.model import CheckKind, CheckSpec, MachineUser, ReportFormat
from hexhub.catalog.overlays import OverlayFile
from hexhub.checks.containers import HUB_LABEL, SandboxSpec, imports_ahead
from hexhub.checks.engine import Engine
from hexhub.checks.harness import HarnessAnswer
from hexhub.checks.model import Outcome, judge
from hexhub.checks.reports import read_junit
from hexhub.checks.sandbox import Sandbox

MB = 1024**2


@dataclass(frozen=True)
class Harnessed:
    """One run of the real harness."""

    answer: HarnessAnswer

    @property
    def outcome(self) -> Outcome:
        """The verdict, as the worker makes it of a JUnit report."""
        code = self.answer.exit_code
        tests = read_junit(self.answer.report) if self.answer.report else []
        return judge(tests, exit_code=-1 if code is None else code, expected_ids=None)

    @property
    def messages(self) -> str:
        """All that could be shown to the student."""
        shown = [f"{t.message} {t.expected} {t.actual} {t.output}" for t in self.outcome.tests]
        return "\n".join(shown)


RunCheck = Callable[..., Harnessed]


@pytest.fixture
def run_check() -> Iterator[RunCheck]:
    """Run a check of kind files: author's files and the student's, each name → text."""
    engine = Engine(f"harness-{secrets.token_hex(4)}")
    sandbox = Sandbox(engine)

    def run(
        checks: dict[str, str],
        work: dict[str, str | bytes],
        *,
        run: str = "pytest -q",
        report: ReportFormat = ReportFormat.JUNIT,
        kind: CheckKind = CheckKind.FILES,
        timeout_s: float = 20.0,
        user: MachineUser = MachineUser.STUDENT,
        image: str = "hexhub/python",
        machine_id: str | None = None,
        notebook: str | None = None,
        cells: tuple[str, ...] = (),
        memory_mb: int = 256,
    ) -> Harnessed:
        spec = CheckSpec(
            kind=kind, run=run, report=report, timeout_s=timeout_s, submit=("*",), cells=cells
        )
        heard = sandbox.run(
            SandboxSpec(
                image=image,
                kind=kind,
                machine_id=machine_id,
                memory_bytes=memory_mb * MB,
                timeout_s=timeout_s,
                ahead=imports_ahead(spec),
            ),
            spec,
            user,
            {name: OverlayFile(text.encode()) for name, text in checks.items()},
            None
            if kind is CheckKind.MACHINE
            else {
                name: OverlayFile(text.encode() if isinstance(text, str) else text)
                for name, text in work.items()
            },
            notebook=notebook,
        )
        assert heard.answer is not None, heard
        return Harnessed(heard.answer)

    yield run
    engine.close()
    client = docker.from_env()
    left = client.containers.list(all=True, filters={"label": f"{HUB_LABEL}={engine.hub_id}"})
    client.close()
    assert left == []
