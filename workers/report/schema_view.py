"""The schema on a terminal: each resource type with its API calls and its nodes, their properties and relationships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from rich.text import Text

from workers.report.layout import indented
from workers.schema import NodeOf, RelationshipOf, TypeOf


def show(types_: Sequence[TypeOf], console: Console) -> None:
    for type_ in types_:
        also = f", also selected by {', '.join(type_.also)}" if type_.also else ""
        console.print(Text(type_.name, style="bold underline"))
        console.print(f"a scope per {type_.per}{also}")
        calls = _table("call", "permission", "how often")
        for call in type_.calls:
            calls.add_row(call.call, call.permission or "none needed", call.frequency or "-")
        console.print()
        indented(console, calls)
        for node in type_.nodes:
            _show_node(node, console)
        console.print()


def _show_node(node: NodeOf, console: Console) -> None:
    console.print()
    console.print(f"[bold](:{node.label})[/bold]{_about(node)}")
    properties = _table("property", "type", "", "meaning")
    for prop in node.properties:
        marks = "key" if prop.key else "indexed" if prop.indexed else ""
        kind = "-" if prop.type is None else f"{prop.type}{' or null' if prop.nullable else ''}"
        meaning = f"written by {prop.job}" if prop.job else " ".join(filter(None, (prop.meaning, f"({prop.source})")))
        properties.add_row(prop.name, kind, marks, meaning)
    indented(console, properties)
    if node.relationships:
        related = _table("relationship", "how", "by")
        for relationship, labels in grouped(node.relationships):
            related.add_row(pattern(relationship, labels), how(relationship), relationship.by)
        console.print()
        indented(console, related)


def _about(node: NodeOf) -> str:
    others = [label for label in node.labels if label != node.label]
    notes = [f"also {', '.join(others)}"] if others else []
    notes += [f"RESOURCE of its {node.tenant}"] if node.tenant else []
    notes += ["shared by many scopes"] if node.shared else []
    return f" {'; '.join(notes)}" if notes else ""


def grouped(relationships: Iterable[RelationshipOf]) -> list[tuple[RelationshipOf, list[str]]]:
    """Relationships that differ only in their other end, as one: an account has RESOURCE to very many labels."""
    groups: dict[tuple[object, ...], tuple[RelationshipOf, list[str], set[str]]] = {}
    for each in relationships:
        key = (each.direction, each.type, each.kind, each.as_, each.on, each.within)
        _, labels, by = groups.setdefault(key, (each, [], set()))
        labels += [each.label] if each.label not in labels else []
        by.add(each.by)
    return [
        (first if len(by) == 1 else replace(first, by=f"{len(by)} types"), labels)
        for first, labels, by in groups.values()
    ]


def pattern(relationship: RelationshipOf, labels: Sequence[str]) -> str:
    """`-MEMBER_OF_IP_RULE-> IpPermissionInbound, IpPermissionEgress`"""
    ends = ", ".join(labels)
    is_out = relationship.direction == "out"
    arrow = f"-{relationship.type}-> {ends}" if is_out else f"<-{relationship.type}- {ends}"
    return f"{arrow} (as {relationship.as_})" if relationship.as_ else arrow


def how(relationship: RelationshipOf) -> str:
    """How it is written: `stub`, `id link`, `job`, or `link where name = name`."""
    if relationship.kind != "link":
        return relationship.kind
    equal = ", ".join(f"{mine} = {theirs}" for mine, theirs in relationship.on)
    within = f", among those of {relationship.within}" if relationship.within else ""
    return f"link where {equal}{within}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
