"""`chartfleet attack-paths`: how users and roles could become administrators, by the policies in the graph."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from loaders.reason import counted
from loaders.shown_text import shown_line
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH
from workers.commands.who_can import print_not_seen
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from analysis.iam.attack_paths import AttackPath, ExplainedStep, Found
    from analysis.iam.attack_steps import Node
    from analysis.iam.who_can import NotSeen
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir")
ADMINISTRATOR: Final = "admin"
_LISTED: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--principal", metavar="P", help="only the path of this user or role: its ARN, or its name")
    parser.add_argument(
        "--to",
        metavar="admin|ARN",
        default=ADMINISTRATOR,
        help="whose permissions they lead to: any administrator's, or a user's or role's (default: admin)",
    )
    parser.add_argument("--json", action="store_true", help="the paths as JSON, with the statements that allow them")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from analysis.iam import attack_account, attack_paths, who_can

    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        principal = args.principal and who_can.find(graph, args.principal).arn
        to = None if args.to == ADMINISTRATOR else who_can.find(graph, args.to).arn
        found = attack_paths.find(attack_paths.Accounts.of_graph(graph), principal=principal, to=to)
        gaps = who_can.not_seen(graph, attack_account.TYPES)
    if args.json:
        print(json.dumps(as_json(found, gaps), indent=2))
    else:
        for line in lines(found):
            print(shown_line(line))
        print_not_seen(gaps)
    return NOT_COVERED if gaps else COMPLETE


def as_json(found: Found, gaps: list[NotSeen]) -> dict[str, Any]:
    from analysis.iam.access_requests import NOT_CONSIDERED

    return {
        "paths": [_path(path) for path in found.paths],
        "administrators": found.administrators,
        "not_judged": [asdict(one) for one in found.not_judged],
        "not_considered": list(NOT_CONSIDERED),
        "not_seen": [asdict(gap) for gap in gaps],
    }


def _path(path: AttackPath) -> dict[str, Any]:
    return {
        "from": path.source,
        "to": _node(path.end),
        "verdict": path.certainty.text,
        "administrator_if": path.under and json.loads(path.under),
        "not_read": list(path.unread),
        "steps": [_step(one) for one in path.steps],
    }


def _node(node: Node) -> dict[str, Any]:
    return {"principal": node.arn, "with": node.having or None}


def _step(one: ExplainedStep) -> dict[str, Any]:
    step = one.step
    statements = [asdict(it) | {"condition": it.condition and json.loads(it.condition)} for it in one.statements]
    return {
        "way": step.way.id,
        "title": step.way.title,
        "from": _node(step.source),
        "gives": _node(step.target),
        "on": dict(step.things),
        "verdict": step.certainty.text,
        "conditions": {action: json.loads(text) for action, text in step.conditions.items()},
        "assumptions": list(step.assumptions),
        "not_read": list(step.unread),
        "statements": statements,
        "other_ways": list(one.others),
    }


def lines(found: Found) -> Iterator[str]:
    """A paragraph per path, then what was not judged."""
    for path in found.paths:
        yield f"{path.certainty.text}: {path.source}"
        for one in path.steps:
            yield from _step_lines(one)
        if path.under:
            yield f"    is an administrator if {path.under}"
        if path.unread:
            yield f"    not known whether that is an administrator, since it was not read: {', '.join(path.unread)}"
    yield f"{counted(len(found.paths), 'path')} found; {counted(found.administrators, 'administrator')}"
    for it in found.not_judged[:_LISTED]:
        yield f"not judged: {it.principal}: not read: {', '.join(it.unread)}"
    if len(found.not_judged) > _LISTED:
        yield f"not judged: {len(found.not_judged) - _LISTED} more"


def _step_lines(one: ExplainedStep) -> Iterator[str]:
    step, with_ = one.step, one.step.target.having
    others = f" (also {', '.join(one.others)})" if one.others else ""
    gained = f"{step.target.arn}{f' with {with_}' if with_ else ''}"
    yield f"  -> {gained}: {step.way.title} [{step.way.id}]{others}"
    for name, arn in step.things.items():
        if arn != step.target.arn:
            yield f"    {name}: {arn}"
    for it in one.statements:
        yield f"    {it.effect} by {it.kind}: {it.policy}, statement {it.statement}"
    for action, text in step.conditions.items():
        yield f"    {action} if {text}"
    for text in step.assumptions:
        yield f"    if {text}"
    if step.unread:
        yield f"    not read: {', '.join(step.unread)}"
