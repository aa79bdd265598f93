"""`chartfleet forget TENANT`: deletes all that the graph holds of a tenant, such as an account that was closed."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from analysis.findings import record
from loaders import retirement
from loaders.cleanup import Cleanup
from loaders.errors import ChartfleetError
from loaders.graph import Graph, GraphAddress
from loaders.writer import claimed_by
from tasks.engine import registry
from workers.commands.claimed import claimed
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH, LEASES
from workers.report.exit_codes import COMPLETE
from workers.settings.settings import Settings

USES: Final = (*GRAPH, *LEASES, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tenant", metavar="TENANT", help="id of the tenant (such as an account number), or provider/id")


def run(settings: Settings, args: argparse.Namespace) -> int:
    tenant: str = args.tenant
    with ExitStack() as stack:
        address = graph_address_of(settings, stack)
        forgotten = forget(address, opened(address, stack), tenant, settings)
    if not forgotten.scopes:
        raise ChartfleetError(f"{tenant}: no run ever planned a scope of this tenant")
    print(f"{tenant}: {forgotten.deleted} nodes and relationships of {forgotten.scopes} scopes deleted")
    return COMPLETE


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """How many scopes the tenant had, and how many nodes and relationships were deleted with them."""

    scopes: int
    deleted: int


def forget(address: GraphAddress, graph: Graph, tenant: str, settings: Settings) -> Forgotten:
    """Claims the graph as a run does, so that no run can start in the meantime. Raises RunRefused."""
    scopes = retirement.scopes_of(graph, tenant)
    held = claimed_by(graph)
    if not scopes or held is None:
        return Forgotten(scopes=0, deleted=0)
    with claimed("forget", address, graph, settings, tag=held.tag) as writer:
        schema = registry.schema()
        deleted = retirement.delete(writer, schema, scopes, held.tag + 1)
        deleted += Cleanup(writer, schema).delete_orphans()
        for key in sorted({scope.tenant_key for scope in scopes}):
            record.forget_tenant(writer, key)
    return Forgotten(scopes=len(scopes), deleted=deleted)
