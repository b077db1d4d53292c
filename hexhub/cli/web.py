"""``hexhub web``: the pages and the API."""

import asyncio
import logging
import sys

import click

from hexhub.errors import SetupError
from hexhub.service.app import serve
from hexhub.settings import Settings


@click.command()
def web() -> None:
    """Serve the pages and the API; ``hexhub up`` starts this."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # JupyterHub's client logs each cookie that it sets, at INFO.
    logging.getLogger("tornado.application").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(Settings.from_environment()))
    except SetupError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
