"""The benchmark's side of the proxy: a process that runs it, its latency and its counters."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from benchmarks.peer.proxy import Counters
from benchmarks.peer.throttle import Pace, Throttle

_ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 600  # a refresh of an estate of twenty accounts


class ProxyProcess:
    """A proxy before the simulated AWS at `upstream`; it ends with the block, or with this process."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.url = ""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.peer.proxy", "--upstream", self._upstream]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        assert self._process.stdout
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError("the proxy did not start; its output is on stderr")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def latency(self, seconds: float) -> None:
        self._send("PUT", "latency", {"seconds": seconds})

    def reset(self) -> None:
        """Counters at zero; what is kept stays."""
        self._send("PUT", "reset")

    def refresh(self) -> int:
        """Asks again all that was asked before, since the estate has changed. Returns how many calls that were."""
        return int(self._send("PUT", "refresh")["asked"])

    def counters(self) -> Counters:
        return Counters(**self._send("GET", "counters"))

    def throttle(self, throttle: Throttle) -> None:
        """From now on, with full buckets."""
        self._send("PUT", "throttle", asdict(throttle))

    def pace(self) -> Pace:
        """Of the last throttle. Raises HTTPError if there was none."""
        return Pace(**self._send("GET", "throttle"))

    def _send(self, method: str, resource: str, document: Any = None) -> dict[str, Any]:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/bench/{resource}", data, method=method)
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            result: dict[str, Any] = json.load(response)
            return result
