"""nbgrader's own rules about cells: which are the student's, which are tests, what a test gives.

Design choices: ``import nbgrader`` loads its server extensions, and with them its database, its
exchange and nbconvert: five sixths of the time that a check of a notebook took to begin, for three
functions that need none of it. So its ``utils`` are imported without the package around them. To
write the rules again here would be quicker still, and they would not be nbgrader's any more.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any


def _load_utils() -> Any:
    """Give ``nbgrader.utils``; who imports nbgrader later, such as a test cell, gets all of it."""
    spec = importlib.util.find_spec("nbgrader")
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError("nbgrader is not in this image.", name="nbgrader")
    bare = ModuleType("nbgrader")
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules["nbgrader"] = bare
    try:
        return importlib.import_module("nbgrader.utils")
    finally:
        del sys.modules["nbgrader"]


_utils = _load_utils()
determine_grade = _utils.determine_grade
is_grade = _utils.is_grade
is_solution = _utils.is_solution
