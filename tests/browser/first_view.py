"""The page of a lesson before JupyterLab has started in it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, Route

LAB = re.compile(r"/static/lab/main\.[^/]*\.js")


@contextmanager
def lab_held(page: Page) -> Iterator[None]:
    """Let JupyterLab's first script come only when the block ends."""
    held: list[Route] = []
    page.route(LAB, lambda route: held.append(route))
    yield
    for route in held:
        route.continue_()
    page.unroute(LAB)


def early_terminal(page: Page) -> Locator:
    """Give the first view's terminal; its text is in the page, as no canvas draws it."""
    return page.locator(".hx-early-terminal")
