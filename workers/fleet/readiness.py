"""Checks before a run: Redis, the graph, and what each worker lacks. Nothing is enqueued before they pass."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import redis

from loaders.errors import ChartfleetError
from workers.settings.settings import SettingError, masked

if TYPE_CHECKING:
    from loaders.graph import Graph, GraphAddress
    from workers.fleet.process import Process

OLDEST_REDIS: Final = (6, 2)
OLDEST_NEO4J: Final = (5, 23)  # `CALL (n) { ... }`


class NotReady(ChartfleetError):
    """What is missing, in one line that says how to fix it."""


def check_redis(client: redis.Redis, url: str) -> None:
    """Redis responds, is recent enough, and evicts nothing. Raises NotReady."""
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
    """Connects to the graph and signs in. Raises NotReady."""
    from neo4j.exceptions import AuthError, DriverError, Neo4jError  # loaded by commands that need the graph only

    from loaders.graph import Graph

    uri = masked(address.uri)
    try:
        with address.driver() as driver:
            driver.verify_connectivity()  # fails at once where nothing responds; a query would be retried first
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
    """The first line of an error's message, without the password of any URL."""
    return masked((str(error).splitlines() or [type(error).__name__])[0])[:200].rstrip(":")


def check_worker(own: Process) -> None:
    """A worker refuses to start without the fleet's key, or on a Redis that would lose its work."""
    if own.settings.broker is None:
        raise SystemExit("chartfleet: a worker needs the fleet's Redis: set CHARTFLEET_BROKER_URL")
    try:
        own.fleet_key  # noqa: B018  # raises where there is none
        check_redis(own.redis, own.settings.broker)
    except (NotReady, SettingError) as error:
        raise SystemExit(f"chartfleet: {error}") from None
