"""A waiting container becomes a student's machine.

Design choices: the name tells how far it is, since Docker changes a name in one step and keeps it
whoever may die. While it has ``.waiting.`` in it, nothing of a student is in the container. While
it has ``.claimed.``, something may be: whoever finds it so after a crash removes it. Once it is the
machine's own, all is there that belongs into it. The first rename is asked for by the name and not
by the id, so that it can be done once only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from hexhub.errors import ClaimFailed
from hexhub.names import claimed_name
from spawner.docker_threads import DockerThreads
from spawner.fail_points import pass_point
from spawner.machine_channel import deliver
from spawner.pool_plan import Waiting, update_arguments


async def claim_machine(
    docker: DockerThreads,
    taken: Waiting,
    *,
    hub_id: str,
    name: str,
    image: str,
    home: PurePosixPath,
    limits: Mapping[str, int],
    pack_starter: Callable[[], bytes],
    message: bytes,
    until_listening: Callable[[], Awaitable[str]],
) -> str:
    """Turn a container that waits into a student's machine; gives its address once it listens.

    However this ends but well, the caller removes the container.

    Args:
        docker: Where it is.
        taken: From the pool; nobody else has it.
        hub_id: Of this HexHub.
        name: The machine's.
        image: Name of the lesson's image.
        home: The student's home folder in it.
        limits: Of the lesson (``pool_plan.limits_of``).
        pack_starter: Gives the starter as a tar; called in a thread.
        message: What makes it the student's server (``machine_channel.make_message``).
        until_listening: Gives the address once the server listens.

    Raises:
        ClaimFailed: It is of another image than the lesson has now.
        DockerException, RequestException, OSError: Docker refuses, such as for one that has died.
    """
    claimed = claimed_name(hub_id, taken.number)
    pass_point("claim.begun")
    found, packed, _ = await _all(
        docker.call("inspect_image", image),
        docker.run(pack_starter),
        docker.call("rename", taken.name, claimed),
    )
    pass_point("claim.renamed")
    if found["Id"] != taken.image_id:
        raise ClaimFailed(f"Image '{image}' was made anew since {taken.name} was.")

    async def furnish() -> None:
        steps = [docker.call("put_archive", taken.id, str(home), packed)]
        if dict(limits) != dict(taken.limits):
            steps.append(docker.call("update_container", taken.id, **update_arguments(limits)))
        await _all(*steps)
        pass_point("claim.furnished")
        await docker.call("rename", claimed, name)
        pass_point("claim.named")

    async def start() -> str:
        await docker.with_client(partial(deliver, container_id=taken.id, message=message))
        pass_point("claim.told")
        return await until_listening()

    address: str
    address, _ = await _all(start(), furnish())
    return address


async def _all(*steps: Coroutine[Any, Any, Any]) -> list[Any]:
    """Give what the steps give, which are taken side by side; the first error ends them all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(step) for step in steps]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]
