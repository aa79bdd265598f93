"""`chartfleet can`: whether a principal may do an action on a resource, and which statements decide."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from loaders.shown_text import shown_line
from workers.commands import terminal
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from analysis.iam.decision import Asked, Deciding, Decision
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("principal", metavar="PRINCIPAL", help="a user, role or group: its ARN, or its name if unique")
    add_question(parser)
    parser.add_argument("--explain", action="store_true", help="show the statements that decide")
    parser.add_argument("--json", action="store_true", help="the result as JSON, with the statements")


def add_question(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="ACTION", help="such as s3:GetObject or sts:AssumeRole")
    parser.add_argument(
        "resource", metavar="RESOURCE", help="an ARN; with a star at the end, everything that begins so"
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    from analysis.iam import access_requests, who_can
    from analysis.iam.decision import decide

    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        asked = access_requests.asked(graph, args.action, args.resource)
        principal = who_can.find(graph, args.principal)
        decision = decide(principal, asked)
    if args.json:
        print(json.dumps({"principal": principal.arn, **as_json(asked, decision)}, indent=2))
        return COMPLETE
    print(text(decision))
    if args.explain:
        rows = [_row(one) for one in decision.statements]
        terminal.print_table(("effect", "policy", "statement", "of", "condition"), rows)
    return COMPLETE


def text(decision: Decision) -> str:
    """`conditionally: {"any_of": ...}`, in one line."""
    why = decision.conditions or decision.reason
    return shown_line(f"{decision.verdict.value}: {why}" if why else decision.verdict.value)


def as_json(asked: Asked, decision: Decision) -> dict[str, Any]:
    from analysis.iam.access_requests import NOT_CONSIDERED

    return {
        "action": asked.action,
        "resource": asked.arn,
        **verdict_as_json(decision),
        "not_considered": list(NOT_CONSIDERED),
    }


def verdict_as_json(decision: Decision) -> dict[str, Any]:
    return {
        "verdict": decision.verdict.value,
        "conditions": decision.conditions and json.loads(decision.conditions),
        "reason": decision.reason,
        "not_read": list(decision.unread),
        "statements": [
            asdict(one) | {"condition": json.loads(one.condition) if one.condition else None}
            for one in decision.statements
        ],
    }


def _row(statement: Deciding) -> tuple[str, ...]:
    condition = statement.condition or ""
    return tuple(map(shown_line, (statement.effect, statement.policy, statement.statement, statement.kind, condition)))
