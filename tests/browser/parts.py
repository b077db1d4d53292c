"""A lesson with something of everything in its text, and what comes of it in the machine."""

import subprocess
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from .student import Student

_SERVER = Path(__file__).with_name("port_server.py")

_BLOCKS = """
Press these.

```bash run
echo typed > ~/work/typed.txt
```

```python copy
print("copied")
```

```open:{file}:3
```

```preview:{port}
```

| a | b |
|---|---|
| $x^2$ | **bold** |

![The plan](images/plan.png)

```mermaid
graph LR; Start --> Stop
```

The end of the blocks.
"""
_PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
"""One pixel."""

EXPOSE_APP = """document.addEventListener('readystatechange', () => {
  const config = document.getElementById('jupyter-config-data');
  if (config !== null && document.readyState === 'interactive') {
    config.textContent = JSON.stringify(
      {...JSON.parse(config.textContent), exposeAppInBrowser: true});
  }
})"""
"""Has JupyterLab, by an option of its own, hand its app to the scripts of the page."""


def show_theory(page: Page, text: str, locale: str = "en") -> None:
    """Have the lesson's theory say something else, from its next look on."""

    def answer(route: Route) -> None:
        response = route.fetch()
        lesson = response.json()
        lesson["lesson"]["theory"] = text
        route.fulfill(response=response, json=lesson)

    page.unroute("**/hexhub/lesson?*")
    page.route("**/hexhub/lesson?*", answer)


def show_blocks(student: Student, file: str, port: int) -> None:
    """Have the theory show each kind of block, a picture, a table, formulas, and a drawing."""
    page, panel = student.page, student.panel
    picture = {"version": 1, "media_type": "image/png", "data": _PICTURE}
    page.unroute("**/hexhub/images/plan.png?*")
    page.route("**/hexhub/images/plan.png?*", lambda route: route.fulfill(json=picture))
    show_theory(page, _BLOCKS.format(file=file, port=port))
    expect(panel.get_by_role("button", name=f"Show port {port}")).to_be_visible()
    expect(panel.get_by_text("The end of the blocks.")).to_be_visible()
    expect(panel.locator(".hx-markdown .jp-RenderedMermaid img")).to_be_visible()
    expect(panel.locator(".hx-markdown mjx-container").first).to_be_attached()
    expect(panel.get_by_alt_text("The plan")).to_have_js_property("naturalWidth", 1)
    expect(panel.locator(".hx-markdown td strong")).to_have_text("bold")
    expect(panel.locator(".hx-markdown pre span", has_text='"copied"')).to_be_visible()


def wait_for_file(student: Student, path: str) -> None:
    """Wait until what was typed has made a file."""
    look = ("sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done', path)
    seen = student.in_machine("timeout", "60", *look)
    assert seen.returncode == 0, f"there is no {path}: {seen.stderr}"


def serve(student: Student, port: int) -> None:
    """Start a student's web server in the machine."""
    machine = student.machine()
    subprocess.run(["docker", "cp", str(_SERVER), f"{machine}:/tmp/port_server.py"], check=True)
    program = ["/opt/hexhub/bin/python", "/tmp/port_server.py", str(port)]
    subprocess.run(["docker", "exec", "--detach", machine, *program], check=True)
