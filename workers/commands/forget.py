"""Deletes all that the graph holds of one tenant: an account that was closed, or that is none of ours any more."""

from __future__ import annotations

import secrets
from contextlib import closing
from dataclasses import dataclass

from loaders import retirement
from loaders.cleanup import Cleanup
from loaders.graph import Graph, GraphAddress
from loaders.writer import RunRefused, Writer, claim, claimed_by, release_claim
from tasks.engine import registry
from workers.fleet.loading import Busy, writing
from workers.settings.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many scopes the tenant had, and how many nodes and relationships went with them."""

    scopes: int
    deleted: int


def forget(address: GraphAddress, graph: Graph, tenant: str, settings: Settings) -> Forgotten:
    """Holds the graph as a run does, so that none is under way meanwhile. Raises RunRefused."""
    scopes = retirement.scopes_of(graph, tenant)
    held = claimed_by(graph)
    if not scopes or held is None:
        return Forgotten(scopes=0, deleted=0)
    name = f"forget-{secrets.token_hex(2)}"
    claim(graph, run=name, tag=held.tag, resume=True, lease_seconds=settings.run_lease_seconds)
    try:
        with (
            closing(Writer(address.driver(), address.database, lease_seconds=settings.writer_lease_seconds)) as writer,
            writing(writer, held.tag, wait_seconds=settings.writer_lease_seconds + settings.transaction_seconds),
        ):
            schema = registry.schema()
            deleted = retirement.delete(writer, schema, scopes, held.tag + 1)
            deleted += Cleanup(writer, schema).delete_orphans()
    except Busy:
        raise RunRefused("a loader is still writing to the graph: try again when it is done") from None
    finally:
        release_claim(graph, name)
    return Forgotten(scopes=len(scopes), deleted=deleted)
