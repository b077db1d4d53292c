"""What the benchmarks tell alike: the machine, its load, and the figures of a way as a table."""

import csv
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

import docker

NAN = float("nan")


def share_of(values: Sequence[float], share: float) -> float:
    """Give the smallest value that at least ``share`` of all do not exceed (nearest rank)."""
    ranked = sorted(values)
    return ranked[max(0, -(-len(ranked) * round(share * 100) // 100) - 1)] if ranked else NAN


def describe_machine() -> str:
    """Name the machine that the figures are of."""
    info = docker.APIClient(version="auto").info()
    memory = int(info["MemTotal"]) / 1024**3
    return (
        f"{info['NCPU']} cores, {memory:.1f} GiB memory, Linux {platform.release()}, "
        f"{info['OperatingSystem']}, Docker {info['ServerVersion']}, {info['Driver']}, "
        f"cgroup v{info.get('CgroupVersion', '1')}, Python {platform.python_version()}"
    )


def load_now() -> float:
    """Give the machine's load of the last minute: above the number of cores it is busy."""
    return os.getloadavg()[0]


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> str:
    """Give a table; all columns but the first ``texts`` are aligned to the right."""
    rule = ["---"] * texts + ["--:"] * (len(head) - texts)
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join(rule)}|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)


def write_rows(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write raw rows as CSV, making the folder where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(rows)
