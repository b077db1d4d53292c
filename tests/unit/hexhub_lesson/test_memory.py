from pathlib import Path

from hexhub_lesson.memory import Memory, read_memory


def write(folder: Path, **files: str) -> None:
    """Write files of a control group; two underscores in a name are a dot."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_control_groups_of_version_1(tmp_path):
    """What the kernel can give back at once is not counted as used."""
    write(
        tmp_path / "memory",
        memory__usage_in_bytes="1000\n",
        memory__limit_in_bytes="4000\n",
        memory__stat="cache 300\ntotal_inactive_file 200\n",
        memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
    )
    assert read_memory(tmp_path) == Memory(800, 4000, 3)
    write(tmp_path / "memory", memory__limit_in_bytes="9223372036854771712\n")
    assert read_memory(tmp_path) == Memory(800, None, 3)


def test_control_groups_of_version_2(tmp_path):
    """The same of the other kind; ``max`` is no limit."""
    write(
        tmp_path,
        memory__current="1000\n",
        memory__max="4000\n",
        memory__stat="anon 300\ninactive_file 200\n",
        memory__events="low 0\noom 1\noom_kill 1\n",
    )
    assert read_memory(tmp_path) == Memory(800, 4000, 1)
    write(tmp_path, memory__max="max\n")
    assert read_memory(tmp_path) == Memory(800, None, 1)


def test_without_a_control_group(tmp_path):
    """Where nothing is told, nothing is made up."""
    assert read_memory(tmp_path) is None
