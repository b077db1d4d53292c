"""Step runaway: the miller was asked to end, the clerk was not."""


def is_running(machine, worker):
    # A script's process is bash with the script as its first argument. An editor that has the same
    # file open starts with another program; a process that has ended has no arguments any more.
    return any(
        [arg.rsplit("/", 1)[-1] for arg in process.argv[:2]] == ["bash", worker]
        for process in machine.processes()
    )


def test_clerk_is_running(machine):
    """The worker that is needed is running
    ru: Нужный работник на месте
    """
    assert is_running(machine, "clerk"), (
        "The clerk is not running. Start the night shift: ~/work/night-shift/start.sh"
    )


def test_miller_has_ended(machine):
    """The runaway has ended
    ru: Разогнавшийся работник завершён
    """
    assert not is_running(machine, "miller"), "The miller is still running: see it in top."


def test_lock_is_gone(machine):
    """The runaway could put its lock away
    ru: Он успел убрать за собой файл блокировки
    """
    assert not machine.exists("night-shift/run/miller.lock"), (
        "night-shift/run/miller.lock is still there: the miller was not asked, it was killed, "
        "or it is at work. Run start.sh again, then end the miller with SIGTERM."
    )
