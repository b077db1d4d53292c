"""The JSON Schema of an outcome: the result contract, for whoever reads outcomes with a program."""

import json
from functools import cache
from pathlib import Path
from typing import cast

from hexhub.checks.model import RESULT_VERSION


@cache
def read_outcome_schema(version: int = RESULT_VERSION) -> dict[str, object]:
    """Give the JSON Schema (draft 2020-12) of one version of an outcome."""
    path = Path(__file__).parent / f"outcome.v{version}.json"
    return cast(dict[str, object], json.loads(path.read_text(encoding="utf-8")))
