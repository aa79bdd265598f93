"""The tests' side: faults and counters of a simulated AWS, and a process that runs one."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from tests.servers.aws.calls import Calls, FinishedCall
from tests.servers.aws.faults import Fault, fault_of
from tests.servers.aws.simulator import RECENT_CALLS

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS: Final = 30.0


class AwsControl:
    """Faults and counters of a simulated AWS at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def add(self, *faults: Fault) -> None:
        self._send("POST", "faults", [asdict(fault) for fault in faults])

    def replace(self, *faults: Fault) -> None:
        self._send("PUT", "faults", [asdict(fault) for fault in faults])

    def remove(self, *faults: Fault) -> None:
        for fault in faults:
            self._send("DELETE", f"faults/{fault.name}")

    @contextmanager
    def during(self, *faults: Fault) -> Iterator[None]:
        """Adds the faults for the duration of a block."""
        self.add(*faults)
        try:
            yield
        finally:
            self.remove(*faults)

    def faults(self) -> list[Fault]:
        return [fault_of({k: v for k, v in fault.items() if k != "hits"}) for fault in self._send("GET", "faults")]

    def hits(self, fault: Fault) -> int:
        """The number of calls that the fault has affected; 0 also once it is removed."""
        return sum(active["hits"] for active in self._send("GET", "faults") if active["name"] == fault.name)

    def wait_for(self, fault: Fault, *, hits: int = 1, timeout_seconds: float = 30.0) -> None:
        """Wait until the fault has affected this number of calls.

        Raises:
            TimeoutError: It has not, within the timeout.
        """
        deadline = time.monotonic() + timeout_seconds
        while self.hits(fault) < hits:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{fault} has affected {self.hits(fault)} of {hits} calls in {timeout_seconds} s")
            time.sleep(0.02)

    def latency(self, seconds: float) -> None:
        """Delay every call: 0.08 is usual between a data centre and AWS."""
        self._send("PUT", "latency", {"seconds": seconds})

    def calls(self, recent: int = RECENT_CALLS) -> Calls:
        response = self._send("GET", f"calls?recent={recent}")
        return Calls(**response | {"recent": [FinishedCall(**call) for call in response["recent"]]})

    def reset(self) -> None:
        """No faults, no latency, counters at zero; the resources stay."""
        self._send("PUT", "reset")

    def empty(self) -> None:
        """Delete all resources."""
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST"), timeout=30).close()

    def _send(self, method: str, resource: str, document: Any = None) -> Any:
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/chartfleet/{resource}", data, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)


class AwsServer(AwsControl):
    """A simulated AWS in a process of its own, which ends with the block or with the process that started it."""

    def __init__(self, port: int = 0) -> None:
        super().__init__("")
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once the server is ready.

        Raises:
            RuntimeError: It didn't start; its output is on stderr.
        """
        with tempfile.TemporaryDirectory(prefix="aws-server-") as folder:
            state = Path(folder, "state.json")
            command = [sys.executable, "-m", "tests.servers.aws", "--port", str(self._port), "--state", str(state)]
            root = Path(__file__).parents[3]
            self._process = subprocess.Popen([*command, "--until-stdin-closes"], stdin=subprocess.PIPE, cwd=root)
            deadline = time.monotonic() + START_SECONDS
            while not state.exists():
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"the simulated AWS did not start within {START_SECONDS} s")
                time.sleep(0.02)
            self.url = json.loads(state.read_text())["url"]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the simulated AWS is not running")
        return self._process.pid
