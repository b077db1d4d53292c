"""The lesson on the page of a phone: what of it cannot be read, or cannot be pressed."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, ViewportSize, expect

WIDE: ViewportSize = {"width": 1366, "height": 768}
NARROW: ViewportSize = {"width": 390, "height": 844}

_CUT_OFF = """where => {
  const out = [];
  const name = one => `${one.tagName}.${one.className} ${(one.textContent ?? '').slice(0, 40)}`;
  const root = document.querySelector(where);
  const frame = root.getBoundingClientRect();
  if (document.documentElement.scrollWidth > innerWidth || frame.left < 0
      || frame.right > innerWidth || frame.bottom > innerHeight) {
    out.push(`${where} leaves the page`);
  }
  // What has a bar of its own to scroll it by, as long lines of code have, is not cut off.
  const scrolls = one => ['auto', 'scroll'].includes(getComputedStyle(one).overflowX);
  const isDrawing = one => one.closest('.hx-spoken, svg, mjx-container') !== null;
  for (const one of root.querySelectorAll('*')) {
    const box = one.getBoundingClientRect();
    if (!one.checkVisibility() || box.width === 0 || isDrawing(one)) continue;
    let around = one.parentElement;
    while (around !== root && around !== null && !scrolls(around)) around = around.parentElement;
    const edge = around?.getBoundingClientRect() ?? frame;
    if (around === root && (box.left < edge.left - 1 || box.right > edge.right + 1)) {
      out.push(`beyond the edge: ${name(one)}`);
    }
    const style = getComputedStyle(one);
    const mayScroll = one.matches('pre, table');
    if (style.overflowX !== 'visible' && !mayScroll && one.scrollWidth > one.clientWidth + 1) {
      out.push(`wider than its place: ${name(one)}`);
    }
  }
  for (const one of root.querySelectorAll('button, a, summary')) {
    if (!one.checkVisibility()) continue;
    one.scrollIntoView({block: 'nearest'});
    const box = one.getClientRects()[0];
    const there = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!one.contains(there)) {
      out.push(`under ${there && name(there)}: ${name(one)}`);
    }
  }
  return out;
}"""
"""Gives what leaves a part of the page, and which buttons and links of it lie under something."""


def cut_off(page: Page, where: str = ".hx-panel") -> list[str]:
    """Give what of a part of the page cannot be read or pressed, named by its selector."""
    found: list[str] = page.evaluate(_CUT_OFF, where)
    return found


@contextmanager
def on_a_phone(page: Page) -> Iterator[None]:
    """Have the lesson on the page of a phone; afterwards the page is as wide as before."""
    page.set_viewport_size(NARROW)
    expect(page.locator(".hx-status").get_by_role("button", name="Terminal")).to_be_visible()
    expect(page.locator("#jp-main-dock-panel .hx-panel .hx-facts")).to_be_visible()
    yield
    page.set_viewport_size(WIDE)
    expect(page.locator("#jp-right-stack .hx-panel")).to_be_visible()


def expect_side_by_side(page: Page) -> None:
    """See the files at the left, the terminal beside them and the lesson at the right of both."""
    terminal = page.locator(".jp-Terminal:visible").first
    expect(terminal).to_be_visible()
    places = (page.locator(".jp-FileEditor:visible").first, terminal, page.locator(".hx-panel"))
    files, beside, lesson = (box for place in places if (box := place.bounding_box()) is not None)
    assert files["x"] + files["width"] <= beside["x"]
    assert beside["x"] + beside["width"] <= lesson["x"]
    assert abs(files["height"] - beside["height"]) < 40
    assert min(files["width"], beside["width"]) > 400


def turn_to(page: Page, name: str) -> None:
    """Press one of the tabs at the foot of a phone's page; afterwards it is the one marked."""
    page.locator(".hx-sheets").get_by_role("button", name=name, exact=True).click()
    expect_sheet(page, name)


def expect_sheet(page: Page, name: str | None) -> None:
    """See which of the tabs at the foot of a phone's page is marked: Lesson, Files, Terminal."""
    marked = page.locator('.hx-sheets [aria-pressed="true"]')
    expect(marked).to_have_text([] if name is None else [name])
