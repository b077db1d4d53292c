"""What axe-core says of a page."""

from typing import Any

from playwright.sync_api import Page

from .system import REPOSITORY

_AXE = REPOSITORY / "lesson_extension" / "node_modules" / "axe-core" / "axe.min.js"
_BAD = {"serious", "critical"}
# A bar that moves for ever is no colour on its way.
_COME_TO_REST = """() => Promise.all(document.getAnimations()
  .filter(one => one.effect.getComputedTiming().endTime < Infinity)
  .map(one => one.finished.catch(() => 0)))"""


def violations(page: Page, where: str) -> list[str]:
    """Give what axe-core holds for serious in a part of the page, named by its selector."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    # Colours that are on their way to another scheme are nobody's.
    page.evaluate(_COME_TO_REST)
    found: dict[str, Any] = page.evaluate(
        "where => axe.run({include: [[where]]}, {resultTypes: ['violations']})", where
    )
    return [
        f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        if rule["impact"] in _BAD
        for node in rule["nodes"]
    ]
