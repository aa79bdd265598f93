"""The schema on a terminal: each resource type with its calls, then its nodes with properties and relationships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from workers.schema import NodeOf, RelationshipOf, TypeOf


def show(types_: Sequence[TypeOf], console: Console) -> None:
    for type_ in types_:
        also = f", also selected by {', '.join(type_.also)}" if type_.also else ""
        console.rule(f"[bold]{type_.name}[/bold]", align="left")
        console.print(f"a scope per {type_.per}{also}")
        calls = _table("call", "permission", "how often")
        for call in type_.calls:
            calls.add_row(call.call, call.permission or "none needed", call.frequency or "-")
        console.print(Padding(calls, (1, 0, 0, 2)))
        for node in type_.nodes:
            _show_node(node, console)
        console.print()


def _show_node(node: NodeOf, console: Console) -> None:
    console.print()
    console.print(f"[bold](:{node.label})[/bold]{_about(node)}")
    properties = _table("property", "type", "", "meaning")
    for one in node.properties:
        marks = "key" if one.key else "indexed" if one.indexed else ""
        kind = "-" if one.type is None else f"{one.type}{' or null' if one.nullable else ''}"
        told = f"written by {one.job}" if one.job else " ".join(filter(None, (one.meaning, f"({one.source})")))
        properties.add_row(one.name, kind, marks, told)
    console.print(Padding(properties, (0, 0, 0, 2)))
    if node.relationships:
        related = _table("relationship", "how", "by")
        for relationship, labels in grouped(node.relationships):
            related.add_row(pattern(relationship, labels), how(relationship), relationship.by)
        console.print(Padding(related, (1, 0, 0, 2)))


def _about(node: NodeOf) -> str:
    others = [label for label in node.labels if label != node.label]
    told = [f"also {', '.join(others)}"] if others else []
    told += [f"RESOURCE of its {node.tenant}"] if node.tenant else []
    told += ["shared by many scopes"] if node.shared else []
    return f" {'; '.join(told)}" if told else ""


def grouped(relationships: Iterable[RelationshipOf]) -> list[tuple[RelationshipOf, list[str]]]:
    """Relationships that differ in the other end only, together: an account has RESOURCE to very many labels."""
    found: dict[tuple[object, ...], tuple[RelationshipOf, list[str], set[str]]] = {}
    for one in relationships:
        alike = (one.direction, one.type, one.kind, one.as_, one.on, one.within)
        _, labels, by = found.setdefault(alike, (one, [], set()))
        labels += [one.label] if one.label not in labels else []
        by.add(one.by)
    return [
        (first if len(by) == 1 else replace(first, by=f"{len(by)} types"), labels)
        for first, labels, by in found.values()
    ]


def pattern(one: RelationshipOf, labels: Sequence[str]) -> str:
    """`-MEMBER_OF_IP_RULE-> IpPermissionInbound, IpPermissionEgress`"""
    ends = ", ".join(labels)
    arrow = f"-{one.type}-> {ends}" if one.direction == "out" else f"<-{one.type}- {ends}"
    return f"{arrow} (as {one.as_})" if one.as_ else arrow


def how(one: RelationshipOf) -> str:
    equal = ", ".join(f"{mine} = {theirs}" for mine, theirs in one.on)
    within = f", among those of {one.within}" if one.within else ""
    return f"link where {equal}{within}" if one.kind == "link" else one.kind


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)
