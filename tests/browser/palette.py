"""JupyterLab's palette of commands."""

from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PatienceEnded


def run_command(page: Page, label: str, *, leaves_terminal: bool = True) -> None:
    """Find a command in the palette and run it, by keyboard.

    Args:
        page: Of JupyterLab.
        label: The command's name.
        leaves_terminal: Press the lesson's title first, as the keys of the palette do not reach it
            from a terminal; False: the focus is elsewhere already, and the mouse is not used.
    """
    palette = page.locator(".lm-CommandPalette-input:visible")
    found = page.locator(".lm-CommandPalette-item.lm-mod-active:visible")
    for _ in range(10):
        if leaves_terminal:
            page.locator(".hx-header h2").click()
        page.keyboard.press("Control+Shift+C")
        try:
            palette.fill(label, timeout=6000)
            found.wait_for(timeout=6000)
        except PatienceEnded:
            # It closes itself when the focus moves, as when the lesson has just changed its side.
            page.keyboard.press("Escape")
        else:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"the palette does not stay open for {label!r}")
