"""``hexhub regrade`` beside a web service and a worker that run, with a check in containers."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import docker
import httpx
import pytest
from click.testing import CliRunner, Result

from hexhub.catalog.published import PublishedCatalog
from hexhub.catalog.reader import read_course
from hexhub.cli.main import main
from hexhub.names import CourseName, LessonName, StepName, UserName
from hexhub.progress.model import Place
from hexhub.service.app import listen, make_app
from hexhub.service.context import ServiceContext
from hexhub.settings import Settings
from tests.container.checks.small_course import FILES, write_course
from tests.faults.student_machine import make_machine
from tests.faults.worker_process import running_worker
from tests.server.stub_hub import StubHub

ADA = Place(UserName("ada"), CourseName("small"), LessonName("greet"))
ANSWER = "def greet(name):\n    return f'Hello, {name}!'\n"
STRICTER_CHECK = '''\
def test_twice(student):
    """It greets twice."""
    assert student.call("greet:greet", "Ada", timeout_s=60).count("Ada") == 2
'''
GENEROUS = {
    "lesson.yml": FILES["lessons/greet/lesson.yml"].replace("timeout: 20s", "timeout: 120s")
}
LESSON = "/services/hexhub/api/lessons/small/greet"


@pytest.mark.timeout(600)
async def test_a_finished_lesson_is_graded_again_while_all_runs(
    tmp_path: Path, client: docker.APIClient, hub_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dry run stores nothing; the run keeps both outcomes, and the lesson stays finished."""
    monkeypatch.delenv("HEXHUB_DATABASE_URL", raising=False)
    state = tmp_path / "state"
    catalog = PublishedCatalog(state / "catalog")

    def publish(changes: Mapping[str, str]) -> str:
        source = write_course(tmp_path, dict(changes))
        course = read_course(source)
        catalog.publish(source, course, {})
        return course.version

    def regrade(*options: str) -> Result:
        return CliRunner().invoke(main, ["regrade", "small", "--state", str(state), *options])

    first = publish(GENEROUS)
    lesson = catalog.course("small").lesson("greet")
    stub = StubHub()
    settings = Settings(
        state=state,
        database_url=f"sqlite:///{state / 'hexhub.sqlite'}",
        hub_api_url=stub.api_url,
        api_token="service-token",
    )
    context = ServiceContext.from_settings(settings)
    context.store.migrate()
    web = listen(make_app(context, pages=False), "127.0.0.1", 0, proxied=False)
    port = next(iter(web._sockets.values())).getsockname()[1]
    panel = httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}",
        headers={"Authorization": f"token {stub.machine('ada', lesson.server_name)}"},
        trust_env=False,
        timeout=60,
    )

    async def read(path: str) -> Any:
        answer = await panel.get(f"{LESSON}{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    try:
        make_machine(client, lesson, hub_id, "ada", ANSWER)
        with running_worker(state, hub_id):
            asked = await panel.post(f"{LESSON}/steps/function/attempts")
            assert asked.status_code == 201, asked.text
            old = asked.json()["id"]
            async with asyncio.timeout(200):
                while not (attempts := (await read("/steps/function/history"))["attempts"]):
                    await asyncio.sleep(0.1)
            assert (attempts[0]["id"], attempts[0]["outcome"]["outcome"]) == (old, "passed")
            for step in ("server", "read"):
                context.store.pass_step(
                    ADA, StepName(step), catalog.course("small").version, lesson
                )
            second = publish({**GENEROUS, "checks/test_function.py": STRICTER_CHECK})

            before = await read("/steps/function/history")
            shown = await asyncio.to_thread(regrade, "--dry-run")
            assert shown.exit_code == 0, shown.output
            assert "passed → failed" in shown.output, shown.output
            assert await read("/steps/function/history") == before

            done = await asyncio.to_thread(regrade)
            assert done.exit_code == 0, done.output
            new, kept = (await read("/steps/function/history"))["attempts"]
            panel_lesson = await read("")
    finally:
        await panel.aclose()
        web.stop()
        await web.close_all_connections()
        await context.close()
        await stub.close()

    assert first != second
    assert (kept["id"], kept["outcome"]["outcome"], kept["regraded"]) == (old, "passed", None)
    assert new["outcome"]["outcome"] == "failed"
    assert new["regraded"] == {"original": old, "course_version": second}
    assert panel_lesson["lesson"]["is_finished"] is True
    step = panel_lesson["steps"][0]
    assert (step["state"], step["last_attempt"]) == ("passed", new)
