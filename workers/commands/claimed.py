"""How a command that writes to the graph itself does so: between two runs, as a run would."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager

from neo4j.exceptions import DriverError, Neo4jError

from loaders.graph import Graph, GraphAddress
from loaders.writer import LostWriter, OutdatedRun, RunRefused, Writer, claim, keep_claim, release_claim
from workers.fleet.lease import LeaseKeeper
from workers.fleet.loading import Busy, writing
from workers.fleet.process import writer_of
from workers.settings.settings import Settings


@contextmanager
def claimed(
    command: str, address: GraphAddress, graph: Graph, settings: Settings, *, tag: int, adopting: bool = False
) -> Iterator[Writer]:
    """Claims the graph, so that no run can start in the block, and serves the tag.

    A large graph takes longer than a claim lasts, so it is renewed; `chartfleet cancel` takes it away. Raises
    RunRefused, LaterRun.
    """
    name = f"{command.rpartition(' ')[2]}-{secrets.token_hex(2)}"
    again = f"run `chartfleet {command}` again"
    claim(graph, run=name, tag=tag, resume=True, lease_seconds=settings.run_lease_seconds, adopting=adopting)
    try:
        with (
            closing(writer_of(address, settings)) as writer,
            LeaseKeeper(
                name,
                lease_seconds=settings.run_lease_seconds,
                renew=lambda: keep_claim(graph, name),
                on_lost=writer.give_up,
                away=(DriverError, Neo4jError),
            ),
            writing(writer, tag, wait_seconds=settings.writer_wait_seconds),
        ):
            yield writer
    except Busy:
        raise RunRefused(f"a loader is still writing to the graph: {again} when it is done") from None
    except (LostWriter, OutdatedRun):
        raise RunRefused(f"another process claimed the graph in the meantime: {again}") from None
    finally:
        release_claim(graph, name)
