"""A door in front of a server's port that a test can shut: connections break, and new ones are refused.

with TcpProxy("127.0.0.1", 7687) as proxy:
    driver = neo4j.GraphDatabase.driver(f"bolt://127.0.0.1:{proxy.port}")
    with proxy.shut():
        ...                                                   # the server is away

Or it holds back what a client sends from a given word on: the client is then exactly there, however fast the machine.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self


class TcpProxy:
    def __init__(self, host: str, port: int, *, hold: bytes | None = None) -> None:
        """`hold`: what a client sends with this in it, and all after it, stays here until the proxy ends."""
        self._target = (host, port)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._hold = hold
        self._ended = threading.Event()
        self.holds = threading.Event()  # set once something is held back
        self.port = 0

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._close()

    def redirect(self, host: str, port: int) -> None:
        """New connections lead there: the server has moved."""
        self._target = (host, port)

    @contextmanager
    def shut(self) -> Iterator[None]:
        """The server is away for the length of the block, whatever was under way."""
        self._close()
        try:
            yield
        finally:
            self._open()

    def _open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _close(self) -> None:
        with self._lock:
            listener, self._listener = self._listener, None
            connections, self._connections = self._connections, set()
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        for connection in connections:
            _end(connection)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                _end(client)
                continue
            server.settimeout(None)
            for end in (client, server):  # a small message that waits for an acknowledgement takes 40 ms
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                is_open = self._listener is listener
                if is_open:
                    self._connections |= {client, server}
            if not is_open:
                _end(client)
                _end(server)
                return
            for source, sink, hold in ((client, server, self._hold), (server, client, None)):
                arguments = (source, sink, hold, source is client)
                threading.Thread(target=self._pump, args=arguments, daemon=True).start()

    def lets_through(self, source: socket.socket, sink: socket.socket, data: bytes, *, from_client: bool) -> bool:
        """False ends the connection before these bytes are passed on."""
        return True

    def _pump(self, source: socket.socket, sink: socket.socket, hold: bytes | None, from_client: bool) -> None:
        seen = b""
        with suppress(OSError):
            while data := source.recv(65536):
                if hold is not None:
                    seen = seen[-len(hold) :] + data  # it may come in two parts
                    if hold in seen:
                        self.holds.set()
                        self._ended.wait()
                        break
                if not self.lets_through(source, sink, data, from_client=from_client):
                    break
                sink.sendall(data)
        for one in (source, sink):
            with self._lock:
                self._connections.discard(one)
            _end(one)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
