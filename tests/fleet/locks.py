"""Locks in the graph that a test takes, so that a writer waits in the middle of its transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from loaders.graph import Graph
from tests.fleet.running import wait_for

ACCOUNT = "MERGE (a:AWSAccount {id: '123456789012'}) SET a.held = true"  # every batch of the estate links to it


@contextmanager
def locked(graph: Graph, query: str = ACCOUNT) -> Iterator[None]:
    """What `query` writes is locked for the length of the block, then as if it had never been written."""
    with graph._driver.session() as session, session.begin_transaction(timeout=300) as transaction:
        transaction.run(query).consume()
        yield
        transaction.rollback()


def waiting(graph: Graph) -> list[dict[str, Any]]:
    """The transactions that wait for a lock."""
    return graph.rows(
        "SHOW TRANSACTIONS YIELD transactionId, currentQuery, status WHERE status STARTS WITH 'Blocked' "
        "RETURN transactionId AS id, currentQuery AS query"
    )


def wait_until_blocked(graph: Graph, query: str = "UNWIND $rows") -> None:
    """Until a transaction whose statement begins so waits for a lock: a batch of the loader, if no other is named."""
    wait_for(
        lambda: any(one["query"].startswith(query) for one in waiting(graph)),
        message=lambda: f"nobody waits with {query!r}, but: {waiting(graph)}",
    )
