"""Starts that are refused, with a sentence for the student."""

import html

from jupyterhub.spawner import SpawnException


def refuse(message: str, reason: str, status_code: int) -> SpawnException:
    """Make the refusal of a start; the sentence is shown to the student.

    Args:
        message: What is wrong and what to do.
        reason: One word for metrics.
        status_code: Of HTTP.
    """
    return SpawnException(
        message, reason=reason, message_html=html.escape(message), status_code=status_code
    )
