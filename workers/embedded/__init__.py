"""Embedded services for a first run and for tests: a Neo4j and a Redis on this machine, on 127.0.0.1 only.

They are the real servers, so there is one Cypher dialect and one behavior. Everything is in one data directory: their
data, their logs, a random password for each (mode 0600), and services.json with pids and ports.
"""

from __future__ import annotations

from workers.embedded.broker import Broker, start_broker
from workers.embedded.errors import EmbeddedError
from workers.embedded.services import (
    Services,
    ServiceStatus,
    Status,
    default_data_dir,
    start,
    status,
    stop,
    using,
)

__all__ = [
    "Broker",
    "EmbeddedError",
    "ServiceStatus",
    "Services",
    "Status",
    "default_data_dir",
    "start",
    "start_broker",
    "status",
    "stop",
    "using",
]
