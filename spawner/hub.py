"""``python -m spawner.hub``: JupyterHub, which looks after the machines from its first moment on.

Design choices: JupyterHub has no hook for what begins with it and belongs to no student. Without
this class lessons open too; the pool would begin with the first student, who starts cold, and what
a killed hub left behind would stay until its student comes back.
"""

import atexit
import gc

# Before the imports below, and for the end, as hexhub.cli.main does, and for its reasons.
gc.set_threshold(50_000)
atexit.register(gc.freeze)

import asyncio
import contextlib

from docker.errors import NotFound
from jupyterhub import orm
from jupyterhub.app import JupyterHub

from hexhub.names import machine_name
from spawner.container import STOP_TIMEOUT_S
from spawner.docker_threads import DockerTrouble
from spawner.hub_database import use_write_ahead_log
from spawner.lesson_spawner import LessonSpawner
from spawner.orphans import ServerToken, find_orphans, find_stray_tokens

_LOOKS_S = (1.0, 15.0)
"""Pauses before each look for what is left over; JupyterHub itself looks at its servers meanwhile,
for 10 s at most."""


class MachineHub(JupyterHub):
    """JupyterHub with a warm pool."""

    def init_db(self) -> None:
        """Open the database; SQLite with a write-ahead log."""
        use_write_ahead_log(self.db_url)
        super().init_db()

    async def start(self) -> None:
        """Look at the pool, where this hub's spawner has one, and then start the hub."""
        if not issubclass(self.spawner_class, LessonSpawner):
            await super().start()
            return
        spawner = self.spawner_class(parent=self)
        await spawner.pool.begin()
        await super().start()
        # What is there now stays. Python would look all of it through for what is not used any
        # more, again and again while machines start, and the hub answers nobody meanwhile.
        gc.collect()
        gc.freeze()
        self._putting_right = asyncio.create_task(self._put_right(spawner))

    async def _put_right(self, spawner: LessonSpawner) -> None:
        for pause_s in _LOOKS_S:
            await asyncio.sleep(pause_s)
            try:
                await self._end_orphans(spawner)
                self._drop_tokens()
            except DockerTrouble as exc:
                self.log.warning("Machines without a server stay for now: %s", exc)
            except Exception:  # outermost: the hub serves, whatever is left over
                self.log.exception("Looking for what is left over failed")

    async def _end_orphans(self, spawner: LessonSpawner) -> None:
        labels = [f"hexhub.hub={spawner.hub_id}", "hexhub.kind=student"]
        listed = await spawner.docker_threads.call(
            "containers", all=True, filters={"label": labels}
        )
        for orphan in find_orphans(listed, self._serving(spawner)):
            # Once more: somebody may have pressed while the one before was stopped.
            if orphan.name in self._serving(spawner):
                continue
            self.log.warning("No server stands for %s: ending it", orphan.name)
            with contextlib.suppress(NotFound):
                if orphan.is_whole:
                    await spawner.docker_threads.call("stop", orphan.name, timeout=STOP_TIMEOUT_S)
                else:
                    await spawner.docker_threads.call(
                        "remove_container", orphan.name, v=True, force=True
                    )

    def _serving(self, spawner: LessonSpawner) -> set[str]:
        """Give the names of the machines whose server runs or starts: it has a row before both."""
        rows = self.db.query(orm.Spawner).filter(orm.Spawner.server_id.is_not(None))
        return {machine_name(spawner.hub_id, row.user.name, row.name) for row in rows}

    def _drop_tokens(self) -> None:
        rows = self.db.query(orm.Spawner).filter(orm.Spawner.server_id.is_not(None))
        servers = {(row.user.name, row.server.base_url) for row in rows}
        tokens = self.db.query(orm.APIToken).filter(orm.APIToken.user_id.is_not(None))
        stray = find_stray_tokens(
            [ServerToken(t.id, t.user.name, t.note or "", t.created) for t in tokens], servers
        )
        for token_id in stray:
            self.db.delete(self.db.get(orm.APIToken, token_id))
        if stray:
            self.log.info("Removed %d token(s) of servers that are gone", len(stray))
            self.db.commit()


if __name__ == "__main__":
    MachineHub.launch_instance()
