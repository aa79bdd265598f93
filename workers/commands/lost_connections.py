"""One line for each way in which the broker, the graph or this machine can make a running command fail."""

from __future__ import annotations

import redis
from kombu.exceptions import OperationalError
from neo4j.exceptions import DriverError, Neo4jError

from workers.fleet.readiness import first_line


def describe(error: Exception) -> str | None:
    """What was lost, or None if the error is a defect of ours, whose traceback must be seen."""
    if isinstance(error, redis.OutOfMemoryError):
        return f"the broker's memory is full; give it more (maxmemory): {error}"
    if isinstance(error, redis.RedisError | OperationalError):
        return f"lost the connection to the broker: {error}"
    if isinstance(error, DriverError | Neo4jError):
        return f"the graph is unavailable, or rejected a query: {first_line(error)}"
    if isinstance(error, OSError):
        return f"{error.filename or 'this machine'}: {error.strerror or error}"
    return None
