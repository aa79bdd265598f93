"""Serves the simulated AWS in this process."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any, Final

from tests.servers.aws.moto_corrections import NOT_IN_MOTO, correct_moto
from tests.servers.aws.simulator import Simulator

HOST: Final = "127.0.0.1"  # an address, not a name: for a name botocore would put the bucket into the host

# Disables what is expensive to load and not needed by tests. Read by moto on import.
MOTO_ENVIRONMENT: Final = {"MOTO_EC2_LOAD_DEFAULT_AMIS": "false", "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"}


def serve(port: int = 0, *, state: Path | None = None, until_stdin_closes: bool = False) -> None:
    """Serves until a signal or, if `until_stdin_closes`, the end of the process that holds its stdin.

    Args:
        port: 0 chooses a free one.
        state: A file, {"url": ..., "pid": ...}, written once the server is ready and removed at the end.
    """
    from werkzeug.serving import make_server

    listener = socket.create_server((HOST, port), backlog=512)
    port = listener.getsockname()[1]
    os.environ |= MOTO_ENVIRONMENT | {"MOTO_PORT": str(port)}
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

    class QuietHandler(MotoRequestHandler):
        disable_nagle_algorithm = True  # headers and body are two messages: the second would wait 40 ms

        def log(self, type: str, message: str, *args: Any) -> None:
            if type == "error":
                super().log(type, message, *args)

    correct_moto()
    app = Simulator(DomainDispatcherApplication(create_backend_app), NOT_IN_MOTO)
    server = make_server(HOST, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    if until_stdin_closes:
        threading.Thread(target=_exit_after_stdin, args=(state,), daemon=True).start()
    try:
        if state:
            partial = state.with_name(state.name + ".partial")
            partial.write_text(json.dumps({"url": f"http://{HOST}:{port}", "pid": os.getpid()}))
            partial.replace(state)
        server.serve_forever()
    finally:
        if state:
            state.unlink(missing_ok=True)


def _exit_after_stdin(state: Path | None) -> None:
    while os.read(0, 1024):  # not sys.stdin: its lock would still be held at interpreter exit
        pass
    if state:
        state.unlink(missing_ok=True)
    os._exit(0)
