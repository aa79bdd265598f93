"""`chartfleet adopt`: takes over a graph that Cartography filled, or shows what that would do."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import Final

from analysis import shipped
from loaders.adoption import Adopted, Adoption, highest_tag
from loaders.graph import Graph, GraphAddress
from loaders.indexes import ensure_lock
from loaders.writer import adopted, claimed_by
from tasks.engine import registry
from tasks.resource import Per
from workers.commands import terminal
from workers.commands.claimed import claimed
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH, LEASES
from workers.report import adopted as adopted_view
from workers.report.exit_codes import COMPLETE
from workers.settings.settings import Settings

USES: Final = (*GRAPH, *LEASES, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="change nothing, only show what would be done")
    parser.add_argument("--json", action="store_true", help="the result as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    dry_run: bool = args.dry_run
    with ExitStack() as stack:
        address = graph_address_of(settings, stack)
        graph = opened(address, stack)
        found = preview(graph) if dry_run else adopt(address, graph, settings)
    if args.json:
        print(json.dumps(asdict(found), indent=2))
    else:
        adopted_view.show(found, terminal.console(), dry_run=dry_run)
    return COMPLETE


def preview(graph: Graph) -> Adopted:
    """What `adopt` would do. Reads only."""
    return _adoption(graph).preview()


def adopt(address: GraphAddress, graph: Graph, settings: Settings) -> Adopted:
    """Claims the graph as a run does, so that no run can start in the meantime. Raises RunRefused."""
    ensure_lock(graph)
    held = claimed_by(graph)
    tag = max(held.tag if held else 0, highest_tag(graph, registry.schema()), 1)
    with claimed("adopt", address, graph, settings, tag=tag, adopting=True) as writer:
        done = _adoption(graph).adopt(writer)
        adopted(writer)
    return done


def _adoption(graph: Graph) -> Adoption:
    regional = {type_.name for type_ in registry.types().values() if type_.per is Per.REGION}
    by_jobs = [triple for job in shipped.jobs() for triple in job.writes_relationships]
    return Adoption(graph, registry.schema(), regional=regional, by_jobs=by_jobs)
