"""What Docker and docker-py say when something is wrong → a CheckError; asks nobody."""

import contextlib
from collections.abc import Iterator

from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import ReadTimeout, RequestException

from hexhub.errors import CheckError, DockerUnavailable, ImageMissing, MachineNotRunning

_OF_A_START = ("OCI runtime", "stopped process", "process already finished", "no such process")
"""In what Docker says of a container whose first process did not get to run."""


@contextlib.contextmanager
def docker_errors(doing: str) -> Iterator[None]:
    """Translate what Docker says while the block lasts.

    Args:
        doing: What Docker is asked to do, in words that follow "could not".

    Raises:
        ImageMissing: The image is not there.
        MachineNotRunning: The container is gone, or does not run.
        DockerUnavailable: Docker does not answer.
        CheckError: It refuses for another reason.
    """
    try:
        yield
    except ImageNotFound as exc:
        raise ImageMissing(
            f"An image is not on this computer ({_said(exc)}). Build it: hexhub images build"
        ) from exc
    except NotFound as exc:
        if "No such image" in _said(exc):
            raise ImageMissing(
                f"{_said(exc)}. Build the shipped ones: hexhub images build"
            ) from exc
        raise MachineNotRunning(f"The machine is gone ({_said(exc)}).") from exc
    except APIError as exc:
        if "is not running" in _said(exc) or "non running container" in _said(exc):
            raise MachineNotRunning(f"The machine is not running ({_said(exc)}).") from exc
        raise CheckError(f"Docker could not {doing}: {_said(exc)}") from exc
    except (DockerException, RequestException, OSError) as exc:
        raise DockerUnavailable(
            f"Docker does not answer ({_first_line(exc)}). Start it, or run 'hexhub doctor' "
            "to see why."
        ) from exc


def is_hindered(exc: ReadTimeout | APIError) -> bool:
    """Tell whether a start may have failed because its first process was stopped or killed."""
    if isinstance(exc, ReadTimeout):
        return True
    said = _said(exc)
    # An image without the harness is our fault: `exec: "/opt/check/bin/python": … no such file`.
    # Killed between its making and its start, it is "a stopped process" to runc.
    return any(words in said for words in _OF_A_START) and 'exec: "' not in said


def _said(exc: APIError) -> str:
    return str(exc.explanation or exc).strip()


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0][:200]
