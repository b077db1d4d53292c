"""``python -m spawner.hub``: JupyterHub, which looks after the machines from its first moment on.

Design choices: JupyterHub has no hook for what begins with it and belongs to no student. Without
this class all works too; the pool would begin with the first student who opens a lesson, who
starts cold.
"""

from jupyterhub.app import JupyterHub

from spawner.lesson_spawner import LessonSpawner


class MachineHub(JupyterHub):
    """JupyterHub with a warm pool."""

    async def start(self) -> None:
        """Look at the pool, where this hub's spawner has one, and then start the hub."""
        if issubclass(self.spawner_class, LessonSpawner):
            await self.spawner_class(parent=self).pool.begin()
        await super().start()


if __name__ == "__main__":
    MachineHub.launch_instance()
