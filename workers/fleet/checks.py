"""Whether Redis and the graph can be used: reachable, recent enough, and keeping what they are given.

It loads neither Celery nor Neo4j's driver before they are needed: `chartfleet status` starts faster without them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import redis

from loaders.errors import ChartfleetError
from workers.settings.settings import masked

if TYPE_CHECKING:
    from loaders.graph import Graph, GraphAddress

OLDEST_REDIS: Final = (6, 2)
OLDEST_NEO4J: Final = (5, 23)  # `CALL (n) { ... }`


class NotReady(ChartfleetError):
    """What is missing, in one line that says what to do."""


def check_redis(client: redis.Redis, url: str) -> None:
    """Redis responds, is recent enough, and never evicts keys. Raises NotReady."""
    try:
        server: Mapping[str, Any] = client.info("server")
        memory: Mapping[str, Any] = client.info("memory")
    except redis.AuthenticationError as error:
        raise NotReady(f"the broker {masked(url)} refuses the password: {error}") from None
    except redis.RedisError as error:
        raise NotReady(f"the broker {masked(url)} isn't responding: {error}") from None
    version = str(server["redis_version"])
    if tuple(int(n) for n in version.split(".")[:2]) < OLDEST_REDIS:
        raise NotReady(f"the broker {masked(url)} is Redis {version}; Chartfleet needs 6.2 or later")
    policy = memory.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise NotReady(
            f"the broker {masked(url)} evicts keys (maxmemory-policy {policy}), and would lose runs: "
            "set maxmemory-policy noeviction"
        )


def check_graph(address: GraphAddress) -> Graph:
    """The graph, connected and signed in to. Raises NotReady."""
    from neo4j.exceptions import AuthError, DriverError, Neo4jError

    from loaders.graph import Graph

    uri = masked(address.uri)
    try:
        with address.driver() as driver:
            driver.verify_connectivity()  # fails at once where nothing responds; a query would be retried for a while
        graph = Graph.at(address)
        try:
            graph.database_id()
            _check_version(graph, uri)
        except BaseException:
            graph.close()
            raise
    except AuthError:
        user = address.user or "(none)"
        raise NotReady(
            f"the graph {uri} refuses user {user}: check --neo4j-user and --neo4j-password-env-var"
        ) from None
    except (DriverError, Neo4jError) as error:
        raise NotReady(f"the graph {uri} isn't responding: {first_line(error)}") from None
    return graph


def _check_version(graph: Graph, uri: str) -> None:
    query = "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version"
    for row in graph.rows(query):
        if tuple(int(n) for n in re.findall(r"\d+", row["version"])[:2]) < OLDEST_NEO4J:
            raise NotReady(f"the graph {uri} is Neo4j {row['version']}; Chartfleet needs 5.23 or later")


def first_line(error: Exception) -> str:
    """The first line of an error's message, with passwords in URLs masked."""
    return masked((str(error).splitlines() or [type(error).__name__])[0])[:200].rstrip(":")
