"""Texts and values as a student reads them in a message; pure."""

MAX_SHOWN = 200
MAX_REPR = 500


def shorten(text: str, size: int = MAX_SHOWN) -> str:
    """Cut a text for a message."""
    return text if len(text) <= size else f"{text[: size - 1]}…"


def shorten_repr(value: object, size: int = MAX_REPR) -> str:
    """Write a value as in Python, cut in the middle where it is long; never raises."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a repr may raise anything
        text = f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    return text if len(text) <= size else f"{text[: size // 2]} … {text[-size // 2 :]}"
