"""A real time series database for tests: Debian's victoria-metrics takes InfluxDB 2's writes."""

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from tests.ports import free_port

_START_S = 30


class VictoriaMetrics:
    """One server on loopback with its own folder; may be stopped, hung and started again."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("victoria-metrics")
        if program is None:
            raise RuntimeError(
                "These tests need VictoriaMetrics. Install it: apt-get install victoria-metrics"
            )
        self._program = program
        self._folder = folder
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with (self._folder / "victoria.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._program,
                    f"-httpListenAddr=127.0.0.1:{self._port}",
                    f"-storageDataPath={self._folder / 'victoria'}",
                    "-retentionPeriod=100y",
                    # What is sent twice has the same time and counts once, as in InfluxDB.
                    "-dedup.minScrapeInterval=1ms",
                    "-search.latencyOffset=0s",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until_s = time.monotonic() + _START_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except OSError:
                if time.monotonic() > until_s or self._process.poll() is not None:
                    log_end = (self._folder / "victoria.log").read_text()[-3000:]
                    raise RuntimeError(log_end) from None
                time.sleep(0.05)

    def stop(self) -> None:
        """End the server; what it acknowledged stays on disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(30)

    def hang(self) -> None:
        """Let the server take connections and never answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the server answer again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def read(self, metric: str) -> list[tuple[dict[str, str], list[float]]]:
        """Give the series of a metric (measurement_field): labels and values."""
        with urllib.request.urlopen(f"{self.url}/internal/force_flush", timeout=10):
            pass
        url = f"{self.url}/api/v1/export?match[]={quote(metric)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = [json.loads(line) for line in answer.read().splitlines()]
        return [(line["metric"], line["values"]) for line in lines]
