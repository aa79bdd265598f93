"""`chartfleet who-can`: the users and roles that may do an action on a resource."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from loaders.reason import counted
from loaders.shown_text import shown_line
from workers.commands import can, terminal
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.iam.who_can import NotSeen
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    can.add_question(parser)
    parser.add_argument("--json", action="store_true", help="the result as JSON, with the statements")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from analysis.iam import access_requests, who_can

    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        asked = access_requests.asked(graph, args.action, args.resource)
        found = list(who_can.who_can(graph, asked))
        gaps = who_can.not_seen(graph, who_can.IAM_TYPES)
    if args.json:
        result = {
            "action": asked.action,
            "resource": asked.arn,
            "principals": [{"principal": who.arn, **can.verdict_as_json(decision)} for who, decision in found],
            "not_considered": list(access_requests.NOT_CONSIDERED),
            "not_seen": [asdict(gap) for gap in gaps],
        }
        print(json.dumps(result, indent=2))
    else:
        rows = [(shown_line(who.arn), can.text(decision)) for who, decision in found]
        terminal.print_table(("principal", "verdict"), rows)
        print_not_seen(gaps)
    return NOT_COVERED if gaps else COMPLETE


def print_not_seen(gaps: Sequence[NotSeen]) -> None:
    if gaps:
        listed = ", ".join(f"{gap.type} of {gap.tenant} ({gap.reason or gap.status})" for gap in gaps[:5])
        more = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
        print(shown_line(f"not seen: {counted(len(gaps), 'scope')}: {listed}{more}"))
