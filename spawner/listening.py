"""Whether a machine's server takes connections yet."""

import asyncio

_EAGER_S = 0.5
"""A container that waited gets its server up within this time, where the computer is not busy."""
_EAGER_PAUSE_S = 0.005
_PAUSE_S = 0.03
_CONNECT_S = 1.0


async def listens(address: str, port: int) -> bool:
    """Tell whether somebody takes connections there."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address, port), _CONNECT_S)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def pause_before_next(waited_s: float) -> float:
    """Give the seconds until it is worth to ask again: few at first, since starts are short then.

    Args:
        waited_s: Seconds since it was asked first.
    """
    return _EAGER_PAUSE_S if waited_s < _EAGER_S else _PAUSE_S
