"""What Docker says becomes an error of ours that says what is true."""

import pytest
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from requests.exceptions import ConnectionError as ConnectionLost
from requests.exceptions import ReadTimeout

from hexhub.checks.docker_errors import docker_errors, is_hindered
from hexhub.errors import CheckError, DockerUnavailable, ImageMissing, MachineNotRunning


def api_error(said: str) -> APIError:
    """Give an error as docker-py makes it of Docker's answer."""
    return APIError("500 Server Error", explanation=said)


@pytest.mark.parametrize(
    ("said", "means", "words"),
    [
        (ImageNotFound("No such image: a"), ImageMissing, "hexhub images build"),
        (NotFound("No such image: a:latest"), ImageMissing, "hexhub images build"),
        (NotFound("No such container: abc"), MachineNotRunning, "is gone"),
        (api_error("Container abc is not running"), MachineNotRunning, "is not running"),
        (api_error("cannot join network of a non running container"), MachineNotRunning, "not run"),
        (api_error("no space left on device"), CheckError, "could not make a container: no space"),
        (DockerException("no such host"), DockerUnavailable, "hexhub doctor"),
        (ReadTimeout("60 s\nand more"), DockerUnavailable, r"answer \(60 s\)"),
        (ConnectionLost(), DockerUnavailable, r"\(ConnectionError\)"),
        (BrokenPipeError("pipe"), DockerUnavailable, "pipe"),
    ],
)
def test_what_docker_says_is_told_apart(
    said: Exception, means: type[Exception], words: str
) -> None:
    """A missing image, a machine that is gone, Docker away and a refusal are different errors."""
    with pytest.raises(CheckError, match=words) as caught, docker_errors("make a container"):
        raise said
    assert type(caught.value) is means
    assert caught.value.__cause__ is said


def test_errors_of_ours_pass() -> None:
    """What is translated already, or is no error of Docker, stays what it is."""
    for ours in (MachineNotRunning("It ended."), KeyError("Id")):
        with pytest.raises(type(ours)) as caught, docker_errors("look"):
            raise ours
        assert caught.value is ours


@pytest.mark.parametrize(
    ("said", "is_so"),
    [
        (ReadTimeout(), True),
        (api_error("OCI runtime create failed: process was killed"), True),
        (api_error("cannot start a stopped process: unknown"), True),
        (api_error("process already finished: not found"), True),
        (
            api_error('OCI runtime create failed: exec: "/opt/check/bin/python": no such file'),
            False,
        ),
        (api_error("no space left on device"), False),
    ],
)
def test_a_student_is_blamed_for_no_fault_of_ours(
    said: ReadTimeout | APIError, is_so: bool
) -> None:
    """A start that hangs or is killed may be a student's doing; a missing harness never is."""
    assert is_hindered(said) is is_so
