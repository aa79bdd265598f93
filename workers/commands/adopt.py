"""Takes over the graph that Cartography filled before, or says what that would do."""

from __future__ import annotations

import secrets
from contextlib import closing

from analysis import shipped
from loaders.adoption import Adopted, Adoption, highest_tag
from loaders.graph import Graph, GraphAddress
from loaders.indexes import ensure_lock
from loaders.writer import (
    LostWriter,
    OutdatedRun,
    RunRefused,
    Writer,
    adopted,
    claim,
    claimed_by,
    keep_claim,
    release_claim,
)
from tasks.engine import registry
from tasks.resource import Per
from workers.fleet.lease import LeaseKeeper
from workers.fleet.loading import Busy, writing
from workers.settings.settings import Settings


def preview(graph: Graph) -> Adopted:
    """What `adopt` would do. Reads only."""
    return _adoption(graph).preview()


def adopt(address: GraphAddress, graph: Graph, settings: Settings) -> Adopted:
    """Holds the graph as a run does, so that none is under way meanwhile. Raises RunRefused."""
    ensure_lock(graph)
    held = claimed_by(graph)
    tag = max(held.tag if held else 0, highest_tag(graph, registry.schema()), 1)
    name = f"adopt-{secrets.token_hex(2)}"
    claim(graph, run=name, tag=tag, resume=True, lease_seconds=settings.run_lease_seconds, adopting=True)
    try:
        with (
            closing(_writer(address, settings)) as writer,
            LeaseKeeper(  # a large graph takes longer than a claim lasts; `chartfleet cancel` takes the claim away
                name,
                lease_seconds=settings.run_lease_seconds,
                renew=lambda: keep_claim(graph, name),
                on_lost=writer.give_up,
            ),
            writing(writer, tag, wait_seconds=settings.writer_lease_seconds + settings.transaction_seconds),
        ):
            done = _adoption(graph).adopt(writer)
            adopted(writer)
            return done
    except Busy:
        raise RunRefused("a loader is writing to the graph: run `chartfleet adopt` again when it is done") from None
    except (LostWriter, OutdatedRun):
        raise RunRefused("the graph was taken from it meanwhile: run `chartfleet adopt` again") from None
    finally:
        release_claim(graph, name)


def _adoption(graph: Graph) -> Adoption:
    regional = {type_.name for type_ in registry.types().values() if type_.per is Per.REGION}
    by_jobs = [triple for job in shipped.jobs() for triple in job.writes_relationships]
    return Adoption(graph, registry.schema(), regional=regional, by_jobs=by_jobs)


def _writer(address: GraphAddress, settings: Settings) -> Writer:
    return Writer(
        address.driver(),
        address.database,
        lease_seconds=settings.writer_lease_seconds,
        transaction_seconds=settings.transaction_seconds,
    )
