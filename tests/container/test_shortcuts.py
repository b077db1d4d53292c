"""The lesson's keys in the image: none is taken by a part of JupyterLab, which would win."""

import json
import subprocess

_READ = """
import json, pathlib
for path in pathlib.Path("/opt/hexhub/share/jupyter").glob("lab*/**/schemas/**/*.json"):
    if isinstance(schema := json.loads(path.read_text()), dict):
        for one in schema.get("jupyter.lab.shortcuts", []):
            if not one.get("disabled"):
                print(json.dumps([one["command"], one["keys"], one["selector"]]))
"""
OURS = "hexhub-lesson:"


def test_no_key_of_the_lesson_is_another_command_s() -> None:
    """JupyterLab drops the second of two bindings of the same keys at the same place."""
    run = "docker run --rm -i --network=none --entrypoint=/opt/hexhub/bin/python hexhub/base -"
    done = subprocess.run(
        run.split(),
        input=_READ,
        check=True,
        capture_output=True,
        text=True,
    )
    bindings = [json.loads(line) for line in done.stdout.splitlines()]

    def plain(keys: list[str]) -> str:
        return " ".join(keys).replace("Accel", "Ctrl")

    ours = {plain(keys) for command, keys, _ in bindings if command.startswith(OURS)}
    others = {plain(keys) for command, keys, _ in bindings if not command.startswith(OURS)}
    assert len(ours) >= 2
    assert len(others) > 20
    assert ours & others == set()
