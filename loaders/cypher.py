"""Cypher derived from the node models: loading, cleaning, links. Fixed texts, so that Neo4j caches their plans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from loaders.model import TENANT_EDGE, UNOWNED, IdLink, Link, NodeModel, Reference
from loaders.schema import GraphSchema

OWN_INDEX: Final = "chartfleet_"  # prefix of the names of indexes and constraints

# An edge written at the barrier, from a node that a scope owns. Edges that an earlier tool left on others are kept.
_LINK = "e._scope IS NULL AND n._scope IS NOT NULL"

# A tenant that another tool wrote and that adoption left alone is owned as soon as its own row is loaded.
_OWN_TENANT = (
    f"SET n._scope = CASE WHEN n._scope IS NULL AND split(row.s, '/')[1] = row.k THEN '{UNOWNED}' ELSE n._scope END"
)


def quoted(name: str) -> str:
    """A name as Cypher reads it back, whatever it holds. Neo4j decodes Unicode escapes before it parses."""
    if name.isidentifier():
        return name
    escaped = name.replace("\\", "\\u005c").replace("`", "``")
    return f"`{escaped}`"


def pattern(kind: str, variable: str, *, incoming: bool) -> str:
    """`-[r:TYPE]->`, or `<-[r:TYPE]-`."""
    return f"<-[{variable}:{quoted(kind)}]-" if incoming else f"-[{variable}:{quoted(kind)}]->"


def labels(names: tuple[str, ...]) -> str:
    return "".join(f":{quoted(name)}" for name in names)


def constraint(label: str, key: str) -> str:
    """At most one node per key. It comes with the index that MERGE needs."""
    name = f"{OWN_INDEX}{label}_{key}"
    return f"CREATE CONSTRAINT {quoted(name)} IF NOT EXISTS FOR (n:{quoted(label)}) REQUIRE n.{quoted(key)} IS UNIQUE"


def index(label: str, property_name: str) -> str:
    name = f"{OWN_INDEX}{label}_{property_name}"
    return f"CREATE INDEX {quoted(name)} IF NOT EXISTS FOR (n:{quoted(label)}) ON (n.{quoted(property_name)})"


def load(model: NodeModel, schema: GraphSchema) -> str:
    """Load rows `{k: key, p: properties, r: [keys of each reference], s: owning scope}` as nodes and relationships."""
    identity = model.identity
    lines = [
        "UNWIND $rows AS row",
        f"MERGE (n:{quoted(identity.label)} {{{quoted(identity.key.name)}: row.k}})",
    ]
    if model.shared:
        lines += [
            f"ON CREATE SET n.firstseen = timestamp(), n._scope = '{UNOWNED}'",
            "SET n += row.p",
            *([_OWN_TENANT] if any(other.tenant == identity.label for other in schema.models) else []),
            # A shared node may also be owned under another label: then only its owner says when it was last seen.
            f"SET n.lastupdated = CASE n._scope WHEN '{UNOWNED}' THEN $tag ELSE n.lastupdated END",
        ]
    else:
        lines += [
            "ON CREATE SET n.firstseen = timestamp()",
            f"SET {_of_item('n')}, n += row.p, n.lastupdated = $tag, n._scope = row.s",
        ]
    further = tuple(label for label in model.labels if label != identity.label)
    if further:
        lines.append(f"SET n{labels(further)}")
    for position, reference in enumerate(model.references):
        lines.append(_merge_reference(position, reference, schema.target(reference)))
    return "\n".join(lines)


def _merge_reference(position: int, reference: Reference, target: NodeModel) -> str:
    end = target.identity
    prefixed_label = f", t{labels(end.spellings[1:])}" if end.spellings[1:] else ""
    same = "".join(f", t.{quoted(name)} = k" for name in _same_as_key(end))
    return (
        f"FOREACH (k IN row.r[{position}] |\n"
        f"  MERGE (t:{quoted(end.label)} {{{quoted(end.key.name)}: k}})\n"
        f"    ON CREATE SET t.firstseen = timestamp(), t.lastupdated = $tag, t._scope = '{UNOWNED}'"
        f"{same}{prefixed_label}\n"
        f"  MERGE (n){pattern(reference.type, 'e', incoming=reference.incoming)}(t)\n"
        f"    ON CREATE SET e.firstseen = timestamp()\n"
        f"  SET {_of_item('e')}, e.lastupdated = $tag, e._scope = row.s)"
    )


def _same_as_key(identity: NodeModel) -> tuple[str, ...]:
    """`id`, if the model has one that equals its key under another name: a stub gets it as well."""
    return tuple(
        p.name
        for p in identity.properties
        if p.name == "id" and p is not identity.key and p.source == identity.key.source
    )


def _of_item(written: str) -> str:
    """Set the item it came from. If a run reads it from several items, always the same one, whatever their order."""
    same_run = f"{written}.lastupdated = $tag AND {written}._item < row.i"
    return f"{written}._item = CASE WHEN {same_run} THEN {written}._item ELSE row.i END"


def keep(model: NodeModel) -> tuple[str, str]:
    """(by item, by key): mark the nodes and edges that this run could not read.

    Rows are `{s: scope, items: [...]}` and `{s: scope, k: key, e: type, l: label}`. Nodes and edges of an earlier
    version don't record their item, so all of those are marked. This round of the run (`$mark`) doesn't delete what is
    marked; its `lastupdated` stays the time when it was last seen.
    """
    node = quoted(model.identity.label)
    own = "" if model is model.identity else f" AND n:{quoted(model.label)}"
    of_items = f"(e._item IS NULL OR e._item IN row.items OR type(e) = '{TENANT_EDGE}')"
    edges_of_items = _kept_edges(model, f"e._scope = row.s AND {of_items}")
    by_item = (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{node} {{_scope: row.s}})\n"
        "WHERE (n._item IS NULL OR n._item IN row.items"
        f" OR EXISTS {{ (n)-[held]-() WHERE held._scope = row.s AND held._item IN row.items }}){own}\n"
        f"SET n._kept = $mark\n{edges_of_items}"
    )
    edges_of_key = _kept_edges(model, "e._scope = row.s AND (row.e IS NULL OR type(e) = row.e AND row.l IN labels(t))")
    by_key = (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{node} {{{quoted(model.identity.key.name)}: row.k}}) WHERE n._scope = row.s{own}\n"
        f"SET n._kept = CASE WHEN row.e IS NULL THEN $mark ELSE n._kept END\n{edges_of_key}"
    )
    return by_item, by_key


def _kept_edges(model: NodeModel, condition: str) -> str:
    return "".join(
        f"WITH DISTINCT n, row\nCALL (n, row) {{\n  MATCH (n){edges}(t) WHERE {condition}\n  SET e._kept = $mark\n}}\n"
        for edges in _written_edges(model)
    )


def _written_edges(model: NodeModel) -> Iterator[str]:
    """A pattern per direction, `-[e:A|B]->` and `<-[e:C]-`, of the edges that the model's rows write."""
    for incoming in (False, True):
        if types := sorted({r.type for r in model.references if r.incoming is incoming}):
            alternatives = "|".join(map(quoted, types))
            yield f"<-[e:{alternatives}]-" if incoming else f"-[e:{alternatives}]->"


def detach_from_previous_scope(model: NodeModel) -> str:
    """Delete the edges of a node's previous scope once another scope lists it: a bucket recreated elsewhere, say."""
    identity = model.identity
    return (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{quoted(identity.label)} {{{quoted(identity.key.name)}: row.k}})\n"
        f"WHERE n._scope <> row.s AND n._scope <> '{UNOWNED}'\n"
        "MATCH (n)-[e]-() WHERE e._scope = n._scope\n"
        "DELETE e"
    )


def stale_relationships(model: NodeModel) -> list[str]:
    """Delete relationships of complete scopes that this run's rows didn't write again, `$limit` per execution."""
    return [
        "UNWIND $scopes AS scope\n"
        f"MATCH (n:{quoted(model.identity.label)} {{_scope: scope}}){edges}()\n"
        "WHERE e._scope = scope AND e.lastupdated < $tag AND coalesce(e._kept <> $mark, true)\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
        for edges in _written_edges(model)
    ]


def _stale(model: NodeModel) -> str:
    own = "" if model is model.identity else f"n:{quoted(model.label)} AND "
    return (
        "UNWIND $scopes AS scope\n"
        f"MATCH (n:{quoted(model.identity.label)} {{_scope: scope}})\n"
        f"WHERE {own}n.lastupdated < $tag AND coalesce(n._kept <> $mark, true)"
    )


def count_stale(model: NodeModel) -> str:
    """For each scope that has nodes: how many, how many are stale, and how many were so when it was held back first."""
    own = "" if model is model.identity else f"WHERE n:{quoted(model.label)} "
    return (
        "UNWIND $scopes AS scope OPTIONAL MATCH (s:SyncScope {id: scope})\n"
        "WITH scope, CASE WHEN s.held_back_tag < $tag THEN s.held_back_tag ELSE 0 END AS since\n"
        f"MATCH (n:{quoted(model.identity.label)} {{_scope: scope}}) {own}\n"
        "WITH scope, since, n.lastupdated AS seen,\n"
        "     n.lastupdated < $tag AND coalesce(n._kept <> $mark, true) AS stale\n"
        "RETURN scope, since, count(*) AS held, count(CASE WHEN stale THEN 1 END) AS gone,\n"
        "       count(CASE WHEN stale AND seen < since THEN 1 END) AS agreed"
    )


def stale_node_links(model: NodeModel) -> str:
    """Delete edges that the barrier or a job wrote from or to nodes that are gone: they don't keep a node alive."""
    return (
        f"{_stale(model)}\nMATCH (n)-[e]-() WHERE e._scope IS NULL\n"
        "WITH DISTINCT e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )


def stale_nodes(model: NodeModel) -> list[str]:
    """Delete nodes that complete scopes no longer list; or reduce them to stubs while another row's edge needs them."""
    return [
        f"{_stale(model)}\nAND NOT EXISTS {{ (n)-[e]-() WHERE e._scope IS NOT NULL }}\n"
        "WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted",
        f"{_stale(model)}\nWITH n LIMIT $limit\n{make_stub(model, '$tag')}\nRETURN count(*) AS deleted",
    ]


def make_stub(model: NodeModel, lastupdated: str) -> str:
    """Reduce `n` to its key (and, if shared, to what follows from it) without the labels that its owner gave it."""
    identity = model.identity
    names = dict.fromkeys(("firstseen", *(p.name for p in identity.properties)))
    if not identity.shared:
        names = dict.fromkeys((identity.key.name, *_same_as_key(identity), "firstseen"))
    bare = ", ".join(f"{quoted(name)}: n.{quoted(name)}" for name in names)
    kept = identity.labels if identity.shared else identity.spellings
    removed = tuple(label for label in model.labels if label not in kept)
    remove = f"\nREMOVE n{labels(removed)}" if removed else ""
    return f"SET n = {{{bare}, lastupdated: {lastupdated}, _scope: '{UNOWNED}'}}{remove}"


def _orphans(identity: NodeModel) -> str:
    return (
        f"MATCH (n:{quoted(identity.label)} {{_scope: '{UNOWNED}'}})\n"
        "WHERE NOT EXISTS { (n)-[e]-() WHERE e._scope IS NOT NULL }\n"
    )


def has_orphans(identity: NodeModel) -> str:
    """A row if there are any: mostly there are none, and planning what deletes them would take as long again."""
    return f"{_orphans(identity)}RETURN true AS some LIMIT 1"


def delete_orphans(identity: NodeModel) -> tuple[str, str]:
    """Delete stubs and shared nodes that no scope has an edge to any more.

    The links of such nodes go first, on their own: those of a hub are too many for one transaction.
    """
    return (
        f"{_orphans(identity)}MATCH (n)-[e]-() WHERE e._scope IS NULL\n"
        "WITH DISTINCT e LIMIT $limit DELETE e RETURN count(*) AS deleted",
        f"{_orphans(identity)}WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted",
    )


def id_link(model: NodeModel, relationship: IdLink, target: NodeModel) -> tuple[str, str]:
    """(delete, merge): edges to exactly the nodes whose ids a node stores. `merge` handles the page after `$after`."""
    end = target.identity
    kept = quoted(relationship.kept_as)
    label = "" if target is end else f" AND t:{quoted(target.label)}"
    edge = pattern(relationship.type, "e", incoming=relationship.incoming)
    delete = (
        f"MATCH (n:{quoted(model.label)}){edge}(t:{quoted(target.label)})\n"
        f"WHERE {_LINK} AND NOT t.{quoted(end.key.name)} IN coalesce(n.{kept}, [])\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    ends = (
        f"  UNWIND n.{kept} AS k\n"
        f"  MATCH (t:{quoted(end.label)} {{{quoted(end.key.name)}: k}}) WHERE t._scope <> '{UNOWNED}'{label}\n"
    )
    return delete, _merge_page(model, f"n.{kept} IS NOT NULL", ends, edge)


def link(model: NodeModel, relationship: Link, target: NodeModel) -> tuple[str, str]:
    """(delete, merge): edges to exactly the nodes whose properties equal this node's."""
    edge = pattern(relationship.type, "e", incoming=False)
    present = " AND ".join(f"n.{quoted(mine)} IS NOT NULL" for mine, _ in relationship.on)
    if relationship.through:
        delete, ends = _through(model, relationship, target, relationship.through)
        return delete, _merge_page(model, present, ends, edge)
    equal = _equal(relationship, "t")
    within = f"(n)-[:{quoted(relationship.within)}]->" if relationship.within else ""
    reached = f" AND {within}(t)" if within else ""
    delete = (
        f"MATCH (n:{quoted(model.label)}){edge}(t:{quoted(target.label)})\n"
        f"WHERE {_LINK} AND NOT coalesce({equal}{reached}, false)\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    ends = f"  MATCH {within}(t:{quoted(target.label)}) WHERE {equal}\n"
    return delete, _merge_page(model, present, ends, edge)


def _through(model: NodeModel, relationship: Link, target: NodeModel, through: tuple[str, str]) -> tuple[str, str]:
    """(delete, match of the ends), by way of the record about a node.

    Starts from each node's record, never from the other end, which may be a hub.
    """
    record, by = through
    end = quoted(target.identity.label)
    equal = _equal(relationship, "record")
    delete = (
        f"MATCH (n:{quoted(model.label)}) WHERE EXISTS {{ (n)-[:{quoted(relationship.type)}]->(:{end}) }}\n"
        f"CALL (n) {{\n  OPTIONAL MATCH (record:{quoted(record)}) WHERE {equal}\n"
        f"  OPTIONAL MATCH (record)-[:{quoted(by)}]->(t:{end})\n  RETURN collect(t) AS held\n}}\n"
        f"MATCH (n)-[e:{quoted(relationship.type)}]->(t:{end})\n"
        f"WHERE {_LINK} AND NOT t IN held\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    ends = f"  MATCH (record:{quoted(record)}) WHERE {equal}\n  MATCH (record)-[:{quoted(by)}]->(t:{end})\n"
    return delete, ends


def _equal(relationship: Link, other: str) -> str:
    return " AND ".join(f"{other}.{quoted(theirs)} = n.{quoted(mine)}" for mine, theirs in relationship.on)


def _merge_page(model: NodeModel, condition: str, ends: str, edge: str) -> str:
    """One page of nodes, ordered by key: each transaction stays small and checks the writer's fence.

    `last`: where the next page begins, null if there is none.
    """
    node_key = f"n.{quoted(model.identity.key.name)}"
    own = "" if model is model.identity else f"n:{quoted(model.label)} AND "
    return (
        f"MATCH (n:{quoted(model.identity.label)}) WHERE {own}{node_key} > $after AND {condition}\n"
        f"WITH n ORDER BY {node_key} LIMIT $limit\n"
        f"CALL (n) {{\n{ends}  MERGE (n){edge}(t)\n"
        "    ON CREATE SET e.firstseen = timestamp()\n"
        "  SET e.lastupdated = n.lastupdated\n}\n"
        f"RETURN CASE WHEN count(n) = $limit THEN max({node_key}) END AS last"
    )
