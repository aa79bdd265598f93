"""`chartfleet findings`: what the rules found, with the path that proves it, and which could not be judged."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from analysis.findings.rule import Severity
from workers.commands.choice import one_of
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir", "suppressions_file")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--new", action="store_true", help="only what the newest run found first")
    parser.add_argument("--resolved", action="store_true", help="only what is no longer found")
    parser.add_argument(
        "--severity",
        type=one_of(*Severity),
        default=Severity.INFO,
        metavar="|".join(Severity),
        help="only findings of this severity or worse",
    )
    parser.add_argument("--tenant", metavar="TENANT", help="only findings in this tenant: its id, or provider/id")
    parser.add_argument("--rule", metavar="RULE", help="only findings of this rule")
    parser.add_argument("--framework", metavar="NAME", help="only rules that cover a control of it: cis-aws-6.0")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="findings and rules as JSON")
    forms.add_argument("--csv", action="store_true", help="findings as CSV")
    forms.add_argument("--sarif", action="store_true", help="as SARIF 2.1.0")
    forms.add_argument("--ocsf", action="store_true", help="as events of OCSF 1.5, one a line")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from analysis.findings import listing, suppression
    from workers.commands import terminal
    from workers.commands.connections import graph_address_of, opened
    from workers.report import csv_text, ocsf, rule_findings, sarif

    suppressions = suppression.read(settings.suppressions_file) if settings.suppressions_file else []
    wanted = listing.Wanted(
        new=args.new,
        resolved=args.resolved,
        least=Severity(args.severity),
        tenant=args.tenant,
        rule=args.rule,
        framework=args.framework,
    )
    with ExitStack() as stack:
        found = listing.read(opened(graph_address_of(settings, stack), stack), wanted)
    sorted_ = suppression.sort(found.findings, suppressions, datetime.now(UTC).date())
    if args.json:
        print(json.dumps(rule_findings.as_json(found, sorted_), indent=2, default=str))
    elif args.csv:
        csv_text.print_csv(rule_findings.CSV_COLUMNS, rule_findings.csv_rows(sorted_))
    elif args.sarif:
        print(json.dumps(sarif.document(found, sorted_), indent=2))
    elif args.ocsf:
        for event in ocsf.events(found, sorted_):
            print(json.dumps(event))
    else:
        rule_findings.show(terminal.console(), found, sorted_)
    return COMPLETE if found.is_complete else NOT_COVERED
