"""The shells of the images: what they tell, complete and say, and that they do without us."""

import re
import shlex

import docker
import pytest

SHELLS = {"bash": "bash -li", "zsh": "zsh -li"}
TOLD = re.compile(r"\x1b\]633;HX;nonce;(\d+);(\d+);([^\x07]*)\x07")


def typed(shell: str, keys: str, *, before: str = "", user: str = "", **env: str) -> str:
    """Type into a shell on a terminal of its own in a new container; give all that it shows."""
    command = f"printf %s {shlex.quote(keys)} | script -qec {shlex.quote(SHELLS[shell])} /dev/null"
    client = docker.from_env()
    try:
        output: bytes = client.containers.run(
            "hexhub/base",
            entrypoint=["sh", "-c", f"{before or ':'}; {command}; true"],
            environment={"TERM": "xterm-256color", "LANG": "C.UTF-8", **env},
            network_mode="none",
            user=user,
            remove=True,
        )
    finally:
        client.close()
    return output.decode("utf-8", "replace")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_finished_command_is_told_and_its_text_only_where_it_is_wanted(shell: str) -> None:
    """Exit status and duration; nothing before the first command and none for an empty line."""
    keys = "(exit 3)\n\nsleep 0.2\n secret-word\nexit\n"
    shown = typed(shell, keys, HEXHUB_TERMINAL="nonce")
    told = TOLD.findall(shown)
    assert [(status, text) for status, _, text in told] == [("3", ""), ("0", ""), ("127", "")]
    assert 150 <= int(told[1][1]) < 60_000
    shown = typed(shell, keys, HEXHUB_TERMINAL="nonce", HEXHUB_RECORDS="command_text")
    assert [text for _, _, text in TOLD.findall(shown)] == ["(exit 3)", "sleep 0.2", ""]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_exit_status_is_still_there_for_the_student(shell: str) -> None:
    """What we add to the prompt changes neither ``$?`` nor a prompt of the student's own."""
    shown = typed(shell, "(exit 7)\necho is=$?=\nexit\n", HEXHUB_TERMINAL="nonce")
    assert "is=7=" in shown


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("user", ["", "root"])
def test_outside_of_the_ide_nothing_is_told(shell: str, user: str) -> None:
    """A terminal that does not listen gets no escape sequences of ours, and no questions."""
    shown = typed(shell, "echo a''live\nexit\n", user=user)
    assert "alive" in shown
    assert "633" not in shown
    assert "zsh-newuser-install" not in shown


@pytest.mark.parametrize(
    ("shell", "removal"),
    [
        ("bash", "sed -i /hexhub/d /etc/bash.bashrc"),
        ("zsh", "sed -i /hexhub/d /etc/zsh/zshrc"),
        ("bash", "echo 'PROMPT_COMMAND= PS0=' >> /root/.bashrc"),
        ("zsh", "echo 'precmd_functions=() preexec_functions=()' >> /root/.zshrc"),
    ],
)
def test_a_student_who_removes_it_loses_nothing(shell: str, removal: str) -> None:
    """The shell works, the command works, and nobody is told."""
    keys = "echo a''live\nlesson task\necho is=$?=\nexit\n"
    shown = typed(shell, keys, before=removal, user="root", HEXHUB_TERMINAL="nonce")
    assert "alive" in shown
    assert "No lesson answers on this machine" in shown
    assert "is=2=" in shown
    assert TOLD.findall(shown) == []


def test_bash_completes_the_words_of_lesson() -> None:
    """Commands, and flags where there are some."""
    keys = (
        "COMP_WORDS=(lesson ch); COMP_CWORD=1; _hexhub_complete_lesson; echo got=${COMPREPLY[*]}=\n"
        "COMP_WORDS=(lesson check --w); COMP_CWORD=2; _hexhub_complete_lesson\n"
        "echo got=${COMPREPLY[*]}=\ncomplete -p lesson\nexit\n"
    )
    shown = typed("bash", keys)
    assert "got=check=" in shown
    assert "got=--watch=" in shown
    assert "complete -F _hexhub_complete_lesson lesson" in shown


def test_zsh_completes_the_words_of_lesson() -> None:
    """By a real press of Tab."""
    shown = typed("zsh", "echo $_comps[lesson]=\nlesson chec\t --wat\t --help\nexit\n")
    assert "_lesson=" in shown
    assert "--watch" in shown
    assert "Usage: lesson" in shown
