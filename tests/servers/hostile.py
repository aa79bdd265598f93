"""A server that sends whatever bytes it likes, as slowly as it likes.

with running(slowly(head("application/json"), b"{}", seconds=0.05)) as url:
    requests.get(url)
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache

Sender = Callable[[socket.socket], None]


@contextmanager
def running(send: Sender) -> Iterator[str]:
    """Its URL. Every request, to any path, is answered so, and the connection closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, send), daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def _accept(listener: socket.socket, send: Sender) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=_serve, args=(connection, send), daemon=True).start()


def _serve(connection: socket.socket, send: Sender) -> None:
    with connection, suppress(OSError):
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65_536)
        send(connection)


def head(content_type: str, *further: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"Content-Type: {content_type}", "Connection: close", *further, "", "")
    return "\r\n".join(lines).encode()


def at_once(*parts: bytes) -> Sender:
    return lambda connection: connection.sendall(b"".join(parts))


def slowly(fast: bytes, slow: bytes, seconds: float) -> Sender:
    """A part at once, and the rest byte by byte."""

    def send(connection: socket.socket) -> None:
        connection.sendall(fast)
        for byte in slow:
            connection.sendall(bytes([byte]))
            time.sleep(seconds)

    return send


@cache
def bomb(megabytes: int) -> bytes:
    """That much white space, compressed to a thousandth."""
    return gzip.compress(b" " * (megabytes * 1_000_000), compresslevel=9)
