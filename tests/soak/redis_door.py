"""The way to Redis: a proxy that can lose replies. The script has run; its caller only sees a broken connection."""

from __future__ import annotations

import random
import socket
from typing import Final

from tests.servers.tcp_proxy import TcpProxy

_SCRIPT: Final = b"EVALSHA"


class RedisDoor(TcpProxy):
    """`loss`: how likely the reply to a script is lost, 0 to 1."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self.loss = 0.0
        self.lost = 0
        self._doomed: set[socket.socket] = set()  # servers' ends of connections whose next reply is lost

    def lets_through(self, source: socket.socket, sink: socket.socket, data: bytes, *, from_client: bool) -> bool:
        if from_client:
            if self.loss and _SCRIPT in data and random.random() < self.loss:
                self._doomed.add(sink)
            return True
        if source not in self._doomed:
            return True
        self._doomed.discard(source)
        self.lost += 1
        return False
