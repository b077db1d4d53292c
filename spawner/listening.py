"""The wait for a machine's server to take connections."""

import asyncio
import logging
import socket
import time
from functools import partial

from hexhub.ended_containers import last_state
from spawner.container import PORT, address_of, why_it_ended
from spawner.docker_threads import DockerThreads, DockerTrouble
from spawner.refusals import refuse

ENDED = "machine-ended"
"""Reason of the refusal where a machine ended while it started."""

_EAGER_PAUSE_S = 0.005
_LOADING_PAUSE_S = 0.02
"""Where JupyterLab is still to be loaded, which takes half a second at least."""
_PAUSE_SHARE = 0.03
"""Of the time for which it has been waited already: whoever waits for long is looked for seldom, as
what they wait for is the processor that looking takes."""
_STATE_PAUSE_S = 0.5
_STATE_PAUSE_SHARE = 0.3
_CONNECT_S = 1.0
_LOG_LINES = 40


async def listens(address: str, port: int) -> bool:
    """Tell whether somebody takes connections there.

    A start looks dozens of times; a stream of asyncio's would cost several times as much.

    Args:
        address: In numbers, IPv4.
        port: Of TCP.
    """
    with socket.socket() as probe:
        probe.setblocking(False)
        try:
            async with asyncio.timeout(_CONNECT_S):
                await asyncio.get_running_loop().sock_connect(probe, (address, port))
        except (OSError, TimeoutError):
            return False
    return True


async def until_listening(
    docker: DockerThreads,
    container_id: str,
    *,
    memory_bytes: int,
    timeout_s: float,
    log: logging.Logger,
    address: str = "",
) -> str:
    """Give a machine's address once its server listens.

    JupyterHub asks a server that is not there yet again after growing pauses (0.2 to 5 s); by
    listening first, the student is let in as soon as the server is.

    Args:
        docker: Where the container is.
        container_id: Of the machine.
        memory_bytes: That it may use, for the sentence about too little of it.
        timeout_s: Longest wait.
        log: Is told the machine's last words where it does not get there.
        address: Of the machine, where it is known already.

    Raises:
        SpawnException: It ended, or is silent for too long.
    """
    began_s = time.monotonic()
    shortest_pause_s = _EAGER_PAUSE_S if address else _LOADING_PAUSE_S
    next_look_s = began_s + _STATE_PAUSE_S if address else began_s
    while (now_s := time.monotonic()) < began_s + timeout_s:
        if now_s >= next_look_s:
            container = await docker.call("inspect_container", container_id)
            if not container["State"]["Running"]:
                await _log_last_lines(docker, container_id, log)
                state = await docker.with_client(partial(last_state, container=container))
                raise refuse(
                    "Your machine stopped while it was starting. "
                    f"{why_it_ended(state, memory_bytes)} "
                    "Try again; your files are kept.",
                    ENDED,
                    500,
                )
            address = address_of(container)
            waited_s = now_s - began_s
            next_look_s = time.monotonic() + _STATE_PAUSE_S + _STATE_PAUSE_SHARE * waited_s
        if address and await listens(address, PORT):
            return address
        await asyncio.sleep(max(shortest_pause_s, _PAUSE_SHARE * (now_s - began_s)))
    await _log_last_lines(docker, container_id, log)
    raise refuse(
        f"Your machine did not answer within {timeout_s:.0f} s. The computer may be "
        "busy: try again in a moment; your files are kept.",
        "machine-silent",
        504,
    )


async def _log_last_lines(docker: DockerThreads, container_id: str, log: logging.Logger) -> None:
    try:
        lines = await docker.call("logs", container_id, tail=_LOG_LINES)
    except DockerTrouble as exc:
        log.warning("No log of %s: %s", container_id[:12], exc)
        return
    log.error("%s said at last:\n%s", container_id[:12], lines.decode(errors="replace").strip())
