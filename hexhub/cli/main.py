"""``hexhub``: the command group; a subcommand's module is loaded when it is called.

Design choices: importing all subcommands would take a second (JupyterHub, SQLAlchemy, Docker's
client), and ``hexhub --help`` should not. So names and their one-line helps stand here, and a
module is imported only when its command is asked for. Python would look for garbage a hundred times
during those imports, which make none, and three times through all objects when the process ends:
with a higher threshold, and with nothing to look at in the end, short commands take half the time.
"""

import atexit
import gc
import importlib
import sys
from typing import Any

import click

from hexhub.errors import HexHubError

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("hexhub.cli.up:up", "Start HexHub and keep it running until Ctrl-C."),
    "down": ("hexhub.cli.up:down", "Stop HexHub and the students' machines; nothing is lost."),
    "clean": ("hexhub.cli.up:clean", "Remove machines, network and state of this HexHub."),
    "doctor": ("hexhub.cli.doctor:doctor", "Say what this computer lacks, and what to do."),
    "network": ("hexhub.cli.network:network", "Keep machines from what is not theirs: firewall."),
    "machines": ("hexhub.cli.machines:machines", "See students' machines; archive old ones."),
    "check": ("hexhub.cli.check:check", "Try one answer at one step of a lesson."),
    "course": ("hexhub.cli.course:course", "Verify and publish courses."),
    "regrade": (
        "hexhub.cli.regrade:regrade",
        "Grade what was handed in with a newer version of a course.",
    ),
    "images": ("hexhub.cli.images:images", "Build the Docker images that lessons run in."),
    "account": ("hexhub.cli.account:account", "Make accounts, change passwords."),
    "worker": ("hexhub.cli.worker:worker", "Run checks; hexhub up starts this."),
    "web": ("hexhub.cli.web:web", "Serve the pages and the API; hexhub up starts this."),
}
"""Name → where the command is, and its one-line help."""
_OBJECTS_BETWEEN_LOOKS = 50_000
"""Of the garbage collector, in place of 700; ``spawner.hub`` has the same."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give the names, in the order in which they are read."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
        atexit.register(gc.freeze)
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is no command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours is one message and exit code 1."""
        try:
            return super().invoke(ctx)
        except HexHubError as exc:
            click.echo(f"hexhub: {exc}", err=True)
            sys.exit(1)


@click.command(cls=LazyGroup)
@click.version_option(package_name="hexhub", prog_name="hexhub")
def main() -> None:
    """Real machines for teaching programming."""


if __name__ == "__main__":
    main()
