"""The code that Jinja makes of JupyterLab's page, made before a student asks for the page.

Jinja compiles a template at its first use, which is the moment in which the student waits.
"""

import sys
from pathlib import Path
from types import CodeType

from jinja2 import Environment, FileSystemLoader
from jinja2.bccache import Bucket, BytecodeCache

from hexhub_lesson.early_view import PAGE, EarlyLoader

TEMPLATES = Path(sys.prefix, "share", "jupyter", "lab", "static")
"""Where JupyterLab's page is installed."""


class PageCode(BytecodeCache):
    """Code of templates, in this process's memory: by their source and their environment."""

    def __init__(self) -> None:
        self._codes: dict[str, CodeType] = {}

    def get_bucket(
        self,
        environment: Environment,
        name: str,  # noqa: ARG002 - the source says all
        filename: str | None,  # noqa: ARG002
        source: str,
    ) -> Bucket:
        """Give the place of a template's code, with the code where it is there."""
        options = (environment.autoescape, sorted(environment.extensions))
        checksum = self.get_source_checksum(source)
        bucket = Bucket(environment, f"{checksum}:{options}", checksum)
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Put the code in, where it is there."""
        bucket.code = self._codes.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code."""
        if bucket.code is not None:
            self._codes[bucket.key] = bucket.code


PAGE_CODE = PageCode()
"""The one of this process."""


def compile_page(code: PageCode, folder: Path = TEMPLATES) -> None:
    """Compile JupyterLab's page with the first view in it, as its server will.

    Args:
        code: Keeps it.
        folder: Of JupyterLab's templates; where it has no page, nothing is done.
    """
    if not (folder / PAGE).is_file():
        return
    environment = Environment(
        loader=EarlyLoader(FileSystemLoader([str(folder)])),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        bytecode_cache=code,
    )
    environment.get_template(PAGE)
