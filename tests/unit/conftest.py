"""What holds for unit tests: no Docker, also where one runs.

``make check`` comes before Docker is started on a new computer, so a test that asks Docker behind
its own back has to be red everywhere, and not only there.
"""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_docker(tmp_path_factory):
    """Let nobody find a Docker."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_HOST", f"unix://{tmp_path_factory.getbasetemp()}/no-docker.sock")
        yield
