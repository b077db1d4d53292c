"""Runs checks inside their container, and gives authors the fixtures to write them with.

The harness (``python -m hexhub_check``) is the container's entry point and stands on the standard
library alone. Authors meet the pytest fixtures ``student`` and ``machine`` (docs/check-helpers.md).
"""

from hexhub_check.errors import HarnessError, MachineError, StudentError

__all__ = ["HarnessError", "MachineError", "StudentError"]
