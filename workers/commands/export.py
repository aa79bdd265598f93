"""`chartfleet export`: what of the graph can be traversed, for BloodHound, and what of it was not seen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from loaders.errors import ChartfleetError, UsageError
from loaders.reason import counted
from loaders.scope import provider_of
from loaders.shown_text import shown_line
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.opengraph.reading import GraphReader
    from loaders.graph import Graph
    from workers.report.query_coverage import QueryCoverage
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir", "expected_gaps", "permission_relationships_file")

_PROVIDERS: Final = "MATCH (scope:SyncScope) RETURN DISTINCT scope.provider AS provider"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--opengraph", metavar="FILE", help="write BloodHound's OpenGraph to it; - for standard output")


def run(settings: Settings, args: argparse.Namespace) -> int:
    if args.opengraph is None:
        raise UsageError("name the file: `chartfleet export --opengraph FILE`, or - for standard output")
    from analysis import shipped
    from analysis.iam import permissions
    from analysis.opengraph import traversable
    from analysis.opengraph.elements import SOURCE_KIND
    from analysis.opengraph.reading import GraphReader
    from tasks.engine import registry
    from workers.commands.connections import graph_address_of, opened
    from workers.fleet import permissions as permission_rules
    from workers.report import opengraph_file

    schema, jobs = registry.schema(), shipped.jobs()
    rules = permission_rules.rules(settings.permission_relationships_file)
    by_rules = permissions.job(rules, schema)
    wanted = [*traversable.declared(), *traversable.of_permissions(by_rules)]
    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        covered = _coverage(graph, settings, traversable.rests_on(wanted, schema, [*jobs, by_rules]))
        reader = GraphReader(graph, schema, wanted, jobs)
        written = opengraph_file.write(args.opengraph, SOURCE_KIND, _elements(graph, reader, covered))
    if not args.quiet:
        print(f"{counted(written.nodes, 'node')} and {counted(written.edges, 'edge')} written", file=sys.stderr)
    if not (args.quiet and covered.is_complete):
        print(f"coverage: {shown_line(str(covered))}", file=sys.stderr)
    return COMPLETE if covered.is_complete else NOT_COVERED


def _coverage(graph: Graph, settings: Settings, types: Sequence[str]) -> QueryCoverage:
    """Of the types of providers that the graph knows. Raises ChartfleetError if it knows none."""
    from analysis.iam import attack_account
    from workers.report import query_coverage

    providers = {row["provider"] for row in graph.rows(_PROVIDERS)}
    if not providers:
        raise ChartfleetError("no run has ended yet: `chartfleet sync` starts one")
    known = sorted(type_ for type_ in {*types, *attack_account.TYPES} if provider_of(type_) in providers)
    return query_coverage.of_types(graph, known, settings.expected_gaps)


def _elements(graph: Graph, reader: GraphReader, covered: QueryCoverage) -> Iterator[dict[str, Any]]:
    from analysis.opengraph import attack_edges, not_seen

    yield from not_seen.nodes(covered.seen)
    yield from reader.nodes()
    yield from reader.edges()
    yield from attack_edges.elements_of(graph)
