"""Faults that affect the caller: its process is killed, or its connection is closed."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

import psutil

from tests.servers.aws.faults import Effect

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class NotKilled(Exception):
    """The process must not be killed by a fault."""


def client_process(client_port: int, server_port: int) -> psutil.Process:
    """The process at the other end of a connection from this machine.

    Raises:
        NotKilled: It isn't found, or is this server or an ancestor of it (the test itself, its shell, ...).
    """
    for connection in psutil.net_connections("tcp"):
        ports = [address.port for address in (connection.laddr, connection.raddr) if address]
        if ports == [client_port, server_port] and connection.pid:
            return _may_be_killed(psutil.Process(connection.pid))
    raise NotKilled(f"no process of this machine holds port {client_port}")


def _may_be_killed(process: psutil.Process | None) -> psutil.Process:
    if process is None or process in (psutil.Process(), *psutil.Process().parents()):
        raise NotKilled(f"{process} is the server or one of its ancestors")
    return process


def kill_caller(effect: Effect, environ: WSGIEnvironment) -> None:
    process = client_process(int(environ["REMOTE_PORT"]), int(environ["SERVER_PORT"]))
    if effect is Effect.KILL_PARENT:
        process = _may_be_killed(process.parent())
    process.kill()


def hang_up(environ: WSGIEnvironment) -> NoReturn:
    connection: socket.socket = environ["werkzeug.socket"]
    with suppress(OSError):  # the other end may be gone
        connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("connection closed by a fault")
