import json
import socket

from hexhub.catalog.model import Service
from spawner.machine_channel import deliver, make_message


class Attached:
    """What docker-py gives for a plain socket: a reader around it."""

    def __init__(self, end: socket.socket) -> None:
        self._sock = end

    def close(self) -> None:
        self._sock.close()


class Client:
    def __init__(self, attached: object) -> None:
        self.attached = attached
        self.asked: list[tuple[str, dict[str, int]]] = []

    def attach_socket(self, container: str, params: dict[str, int]) -> object:
        self.asked.append((container, params))
        return self.attached


def test_a_message_is_one_line():
    """Whatever the environment holds, the message is one line of JSON that gives it back."""
    env = {"NAME": "Ада\nline two", "EMPTY": ""}
    services = (Service("nginx", "nginx -c 'a\nb'"),)
    message = make_message(env, ["--debug"], "/home/student", services)
    assert message.endswith(b"\n")
    assert message.count(b"\n") == 1
    assert json.loads(message) == {
        "version": 1,
        "env": env,
        "args": ["--debug"],
        "cwd": "/home/student",
        "services": [{"name": "nginx", "start": "nginx -c 'a\nb'", "is_first": False}],
    }


def test_the_message_goes_to_standard_input_and_nothing_else():
    """Only stdin is attached, all is written, and the connection is closed."""
    ours, theirs = socket.socketpair()
    with theirs:
        client = Client(Attached(ours))
        deliver(client, "c1", b"hello\n")
        assert theirs.recv(100) == b"hello\n"
        assert theirs.recv(100) == b""
    assert client.asked == [("c1", {"stdin": 1, "stream": 1})]


def test_over_tls_docker_gives_the_socket_itself():
    """A socket that is not wrapped is written to directly."""
    ours, theirs = socket.socketpair()
    with theirs:
        deliver(Client(ours), "c1", b"hello\n")
        assert theirs.recv(100) == b"hello\n"
