"""The pages under docs/schema/: of each family of types, with its diagram, tables and queries, and parts of the index.

All follows from the declarations, except for the queries of `chartfleet query`, in
analysis/queries/<provider>.<family>.cypher; a test runs them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis import shipped
from analysis.queries.catalog import SHIPPED
from analysis.queries.query_file import Query, queries
from docs.mermaid import Arrow, Box, flowchart
from docs.wrapping import bullet, listed, paragraph
from workers.report.schema_view import grouped, how
from workers.schema import Edge, NodeOf, PropertyOf, TypeOf, described, edges_of

FOLDER: Final = Path(__file__).with_name("schema")
SHOWN_PROPERTIES: Final = 4
SHOWN_LABELS: Final = 8
HUB_FAMILIES, HUB_LABELS = 4, 10  # beyond: what nearly everything has is a note in the boxes, not an arrow
LEGEND: Final = (
    "Solid arrows are written with the node, dashed ones once everything is loaded.\n"
    "Dashed boxes belong to other families."
)


@dataclass(frozen=True, slots=True)
class Family:
    """The types of one provider that share the second word of their names."""

    provider: str
    name: str
    types: tuple[TypeOf, ...]

    @property
    def title(self) -> str:
        return f"{self.provider}.{self.name}"

    @property
    def nodes(self) -> tuple[NodeOf, ...]:
        """Each label once, as the first of the types has it."""
        return tuple({node.label: node for type_ in reversed(self.types) for node in reversed(type_.nodes)}.values())[
            ::-1
        ]

    @property
    def page(self) -> Path:
        return FOLDER / self.provider / f"{self.name}.md"

    @property
    def queries_file(self) -> Path:
        return SHIPPED / f"{self.title}.cypher"

    @property
    def queries(self) -> list[Query]:
        """Those of its file or, without one, those that follow from its labels."""
        if self.queries_file.exists():
            return queries(self.queries_file)
        return [query for node in self.nodes for query in _derived_queries(node)]


def files() -> dict[Path, str]:
    """Every file that is generated as a whole, with its text."""
    found = families()
    return {family.page: _page(family, found) for family in found}


def stray() -> list[Path]:
    """Pages of families that no longer exist."""
    wanted = {FOLDER / "README.md", *(family.page for family in families())}
    return [file for file in sorted(FOLDER.rglob("*")) if file.is_file() and file not in wanted]


def families() -> list[Family]:
    found: defaultdict[tuple[str, str], list[TypeOf]] = defaultdict(list)
    for type_ in described():
        found[type_.provider, type_.family].append(type_)
    return [Family(provider, name, tuple(types_)) for (provider, name), types_ in found.items()]


def block(query: Query) -> str:
    """A query on a page, after the command that runs it. One that follows from the labels has none."""
    command = f"`chartfleet query {query.name}`\n\n" if query.name else ""
    return f"{command}```cypher\n{query.text}\n```"


def _derived_queries(node: NodeOf) -> Iterator[Query]:
    yield Query(
        "",
        f"Which {node.label} nodes there are",
        f"MATCH (node:{node.label})\nRETURN node.{node.key} AS {node.key}\nORDER BY {node.key}",
    )
    if node.tenant:
        yield Query(
            "",
            f"How many {node.label} nodes each {node.tenant} has",
            f"MATCH (tenant:{node.tenant})-[:RESOURCE]->(node:{node.label})\n"
            "RETURN tenant.id AS tenant, count(node) AS number\nORDER BY tenant",
        )


# -- the parts of the index


def families_list() -> str:
    return "\n".join(
        bullet(
            f"[{family.title}]({family.page.relative_to(FOLDER).as_posix()}):",
            *listed(f"`{type_.name}`" for type_ in family.types),
        )
        for family in families()
    )


def labels_table() -> str:
    lines = ["| label | further labels | key | page |", "|---|---|---|---|"]
    for label, (family, node) in sorted(_homes(families()).items(), key=lambda item: item[0].lower()):
        page = f"{family.page.relative_to(FOLDER).as_posix()}#{label.lower()}"
        others = ", ".join(other for other in node.labels if other != label) or "-"
        lines.append(f"| {label} | {others} | `{node.key}` | [{family.title}]({page}) |")
    return "\n".join(lines)


def _homes(found: Sequence[Family]) -> dict[str, tuple[Family, NodeOf]]:
    """Each label with the page that has it first."""
    homes: dict[str, tuple[Family, NodeOf]] = {}
    for family in found:
        for node in family.nodes:
            homes.setdefault(node.label, (family, node))
    return homes


# -- a family's page


def _page(family: Family, found: Sequence[Family]) -> str:
    homes = _homes(found)
    parts = [
        f"# {family.title}",
        _diagram(family, found),
        f"{LEGEND}\n[All families, and how to read this page](../README.md).",
        "## Questions",
        *(f"### {query.question}\n\n{block(query)}" for query in family.queries),
        "## Types",
        *(_type(type_) for type_ in family.types),
        "## Labels",
        *(_node(node, family, homes) for node in family.nodes),
    ]
    if jobs := _jobs(family):
        parts += ["## Analysis", jobs]
    return "\n\n".join(parts) + "\n"


def _type(type_: TypeOf) -> str:
    also = f" Also selected by {', '.join(f'`{word}`' for word in type_.also)}." if type_.also else ""
    labels = ", ".join(dict.fromkeys(node.label for node in type_.nodes))
    lines = [f"### {type_.name}", "", paragraph(f"A scope per {type_.per}. Writes {labels}.{also}"), ""]
    lines += ["| call | permission | how often |", "|---|---|---|"]
    for call in type_.calls:
        permission = f"`{call.permission}`" if call.permission else "none needed"
        lines.append(f"| `{call.call}` | {permission} | {call.frequency or '-'} |")
    return "\n".join(lines)


def _node(node: NodeOf, family: Family, homes: dict[str, tuple[Family, NodeOf]]) -> str:
    """A label, with what every type of the family says of it."""
    same = [(type_, other) for type_ in family.types for other in type_.nodes if other.label == node.label]
    others = ", ".join(f"`{label}`" for label in node.labels if label != node.label)
    told = [
        f"Further labels: {others}." if others else "",
        f"On its {node.tenant} by `RESOURCE`." if node.tenant else "",
    ]
    told += ["Shared: many scopes write it, and it lives while a relationship needs it." if node.shared else ""]
    lines = [f"### {node.label}", "", *([paragraph(" ".join(filter(None, told))), ""] if any(told) else [])]
    properties = list({one.name: one for _, other in same for one in other.properties}.values())
    lines += ["| property | type | | meaning | from |", "|---|---|---|---|---|", *map(_property, properties)]
    if node.relationships:
        lines += ["", "| relationship | | how | by |", "|---|---|---|---|"]
        for one, labels in grouped(node.relationships):
            ends = ", ".join(_linked(label, family, homes) for label in labels)
            arrow = f"`-[:{one.type}]->`" if one.direction == "out" else f"`<-[:{one.type}]-`"
            here = f" as {one.as_}" if one.as_ else ""
            lines.append(
                f"| {arrow} | {ends}{here} | {how(one)} | `{one.by}` |"
                if " " not in one.by
                else f"| {arrow} | {ends}{here} | {how(one)} | {one.by} |"
            )
    return "\n".join(lines)


def _property(one: PropertyOf) -> str:
    kind = "-" if one.type is None else f"{one.type}{' or null' if one.nullable else ''}".replace("|", "or")
    marks = "key" if one.key else "indexed" if one.indexed else ""
    source = (
        f"job `{one.job}`" if one.job else f"`{one.source}`" if re.fullmatch(r"[\w.\[\]]+", one.source) else one.source
    )
    return f"| `{one.name}` | {kind} | {marks} | {_cell(one.meaning)} | {_cell(source)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")


def _linked(label: str, family: Family, homes: dict[str, tuple[Family, NodeOf]]) -> str:
    if label not in homes:
        return label
    there = homes[label][0]
    page = (
        ""
        if there == family
        else f"{there.name}.md"
        if there.provider == family.provider
        else f"../{there.provider}/{there.name}.md"
    )
    return f"[{label}]({page}#{label.lower()})"


def _jobs(family: Family) -> str:
    labels = {label for node in family.nodes for label in node.labels}
    lines = ["| job | writes | reports |", "|---|---|---|"]
    for job in shipped.jobs():
        written = [f"`{label}.{name}`" for label, names in job.writes.items() if label in labels for name in names]
        written += [f"`{type_}`" for start, type_, end in job.writes_relationships if {start, end} & labels]
        if written:
            reports = _cell(f"{job.findings.name}. {job.findings.text}") if job.findings else "-"
            lines.append(f"| `{job.name}` | {', '.join(dict.fromkeys(written))} | {reports} |")
    return "\n".join(lines) if len(lines) > 2 else ""


# -- diagrams


def _hubs(found: Sequence[Family]) -> set[tuple[str, str, str]]:
    """(`out` or `in` as seen from the others, type, label) of the ends that very many labels share."""
    home = {label: family.title for label, (family, _) in _homes(found).items()}
    others: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for edge in edges_of([type_ for family in found for type_ in family.types]):
        others["in", edge.type, edge.start].add(edge.end)
        others["out", edge.type, edge.end].add(edge.start)
    return {
        hub
        for hub, labels in others.items()
        if len(labels) >= HUB_LABELS and len({home.get(label) for label in labels}) >= HUB_FAMILIES
    }


def _hub_of(edge: Edge, label: str, hubs: set[tuple[str, str, str]]) -> str | None:
    """What stands in the box of a label in the place of an arrow."""
    if edge.end == label and ("in", edge.type, edge.start) in hubs:
        return f"\u25c2 {edge.type} {edge.start}"
    if edge.start == label and ("out", edge.type, edge.end) in hubs:
        return f"\u25b8 {edge.type} {edge.end}"
    return None


def _diagram(family: Family, found: Sequence[Family]) -> str:
    own = {node.label: node for node in family.nodes}
    hubs, labels = _hubs(found), set(_homes(found))
    notes: defaultdict[str, list[str]] = defaultdict(list)
    around: defaultdict[str, list[Edge]] = defaultdict(list)
    arrows: list[Arrow] = []
    for edge in edges_of(family.types):
        here = edge.start if edge.start in own else edge.end
        there = edge.end if here == edge.start else edge.start
        note = _hub_of(edge, here, hubs) or (_hub_of(edge, there, hubs) if there in own else None)
        if note and (there not in own or here != there):
            noted = here if _hub_of(edge, here, hubs) else there
            if note not in notes[noted]:
                notes[noted].append(note)
            if there not in own:
                continue
        if there in own:
            if not note:
                arrows.append(_arrow(edge, edge.start, edge.end))
        else:
            around[there].append(edge)
    boxes = [_own_box(node, notes[node.label], labels) for node in own.values()]
    for names, edges in _alike(around).items():
        box = _light_box(names)
        boxes.append(box)
        arrows += [
            _arrow(edge, *((edge.start, box.name) if edge.start in own else (box.name, edge.end))) for edge in edges
        ]
    return flowchart(boxes, arrows)


def _arrow(edge: Edge, start: str, end: str) -> Arrow:
    return Arrow(start, end, edge.type, dashed=edge.kind != "stub")


def _own_box(node: NodeOf, notes: Sequence[str], labels: set[str]) -> Box:
    """With the key, what is looked up by, and what analysis says of it: the properties that queries begin with."""
    ranked = sorted(node.properties, key=lambda one: (not one.key, not one.job, not one.indexed))
    chosen = [one.name for one in ranked[:SHOWN_PROPERTIES]]
    more = len(node.properties) - len(chosen)
    bases = [label for label in node.labels if label != node.label and label in labels]
    told = [*([f"+ {more} more"] if more > 0 else []), *(f"is also {label}" for label in bases), *notes]
    return Box(node.label, node.label, tuple(chosen), tuple(told))


def _alike(around: dict[str, list[Edge]]) -> dict[tuple[str, ...], list[Edge]]:
    """Labels of other families that have the same relationships to this one, together."""
    found: defaultdict[frozenset[tuple[str, str, str, str]], list[str]] = defaultdict(list)
    for label, edges in around.items():
        shape = frozenset(
            ("out", edge.type, edge.end, edge.kind) if edge.start == label else ("in", edge.type, edge.start, edge.kind)
            for edge in edges
        )
        found[shape].append(label)
    return {tuple(names): around[names[0]] for names in found.values()}


def _light_box(names: Sequence[str]) -> Box:
    if len(names) == 1:
        return Box(names[0], names[0], own=False)
    shown = names[: SHOWN_LABELS - 1] if len(names) > SHOWN_LABELS else names
    rest = (f"and {len(names) - len(shown)} more",) if len(names) > len(shown) else ()
    return Box(",".join(names), shown[0], tuple(shown[1:]), rest, own=False)


def whole_diagram() -> str:
    """The families, their labels, and the relationships between families."""
    found = families()
    homes, hubs = _homes(found), _hubs(found)
    home = {label: family.title for label, (family, _) in homes.items()}
    between: defaultdict[tuple[str, str], dict[str, bool]] = defaultdict(dict)
    for edge in edges_of([type_ for family in found for type_ in family.types]):
        ends = home.get(edge.start), home.get(edge.end)
        if None in ends or ends[0] == ends[1] or any(_hub_of(edge, label, hubs) for label in (edge.start, edge.end)):
            continue
        types_ = between[ends[0] or "", ends[1] or ""]
        types_[edge.type] = types_.get(edge.type, True) and edge.kind != "stub"
    boxes = [
        Box(family.title, family.title, tuple(node.label for node in family.nodes if homes[node.label][0] == family))
        for family in found
    ]
    arrows = []
    for (start, end), types_ in between.items():
        shown = [name for name in sorted(types_) if len(types_) <= 2 or name == min(types_)]
        arrows += [Arrow(start, end, name, dashed=all(types_.values())) for name in shown]
        if len(types_) > len(shown):
            arrows.append(Arrow(start, end, f"and {len(types_) - len(shown)} more", dashed=all(types_.values())))
    return flowchart(boxes, arrows)
