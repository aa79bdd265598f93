"""Cypher, derived from the node models: loading, cleaning, links. Every plan stays cached by its text."""

from __future__ import annotations

from typing import Final

from loaders.model import TENANT_EDGE, UNOWNED, IdLink, Link, NodeModel, Reference
from loaders.schema import GraphSchema

OWN_INDEX: Final = "chartfleet_"  # how the names of indexes and constraints begin

# An edge that the barrier drew, of a node that a scope owns. What an earlier tool left of a scope not seen yet stays.
_DRAWN = "e._scope IS NULL AND n._scope IS NOT NULL"

# A tenant that another tool wrote and adoption left alone is known from its own row on.
_OWN_TENANT = (
    f"SET n._scope = CASE WHEN n._scope IS NULL AND split(row.s, '/')[1] = row.k THEN '{UNOWNED}' ELSE n._scope END"
)


def quoted(name: str) -> str:
    return name if name.isidentifier() else f"`{name.replace('`', '``')}`"


def pattern(kind: str, variable: str, *, incoming: bool) -> str:
    """`-[r:TYPE]->`, or `<-[r:TYPE]-`."""
    return f"<-[{variable}:{quoted(kind)}]-" if incoming else f"-[{variable}:{quoted(kind)}]->"


def labels(names: tuple[str, ...]) -> str:
    return "".join(f":{quoted(name)}" for name in names)


def constraint(label: str, key: str) -> str:
    """Two nodes of one identity can't be; and the index that MERGE needs comes with it."""
    name = f"{OWN_INDEX}{label}_{key}"
    return f"CREATE CONSTRAINT {quoted(name)} IF NOT EXISTS FOR (n:{quoted(label)}) REQUIRE n.{quoted(key)} IS UNIQUE"


def index(label: str, property_name: str) -> str:
    name = f"{OWN_INDEX}{label}_{property_name}"
    return f"CREATE INDEX {quoted(name)} IF NOT EXISTS FOR (n:{quoted(label)}) ON (n.{quoted(property_name)})"


def load(model: NodeModel, schema: GraphSchema) -> str:
    """Rows `{k: key, p: properties, r: [keys of each reference], s: owning scope}` into nodes and relationships."""
    identity = model.identity
    lines = [
        "UNWIND $rows AS row",
        f"MERGE (n:{quoted(identity.label)} {{{quoted(identity.key.name)}: row.k}})",
    ]
    if model.shared:
        lines += [
            f"ON CREATE SET n.firstseen = timestamp(), n._scope = '{UNOWNED}'",
            "SET n += row.p",
            *([_OWN_TENANT] if any(one.tenant == identity.label for one in schema.models) else []),
            # A shared node may be owned under a further label as well: its owner alone says when it was last seen.
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
    other_spelling = f", t{labels(end.spellings[1:])}" if end.spellings[1:] else ""
    same = "".join(f", t.{quoted(name)} = k" for name in _same_as_key(end))
    return (
        f"FOREACH (k IN row.r[{position}] |\n"
        f"  MERGE (t:{quoted(end.label)} {{{quoted(end.key.name)}: k}})\n"
        f"    ON CREATE SET t.firstseen = timestamp(), t.lastupdated = $tag, t._scope = '{UNOWNED}'"
        f"{same}{other_spelling}\n"
        f"  MERGE (n){pattern(reference.type, 'e', incoming=reference.incoming)}(t)\n"
        f"    ON CREATE SET e.firstseen = timestamp()\n"
        f"  SET {_of_item('e')}, e.lastupdated = $tag, e._scope = row.s)"
    )


def _same_as_key(identity: NodeModel) -> tuple[str, ...]:
    """`id`, where a model has one beside a key of another name, and both are the same: a stub has it, too."""
    return tuple(
        p.name
        for p in identity.properties
        if p.name == "id" and p is not identity.key and p.source == identity.key.source
    )


def _of_item(written: str) -> str:
    """Which item it is from; of several that a run reads, always the same, in whatever order they come."""
    same_run = f"{written}.lastupdated = $tag AND {written}._item < row.i"
    return f"{written}._item = CASE WHEN {same_run} THEN {written}._item ELSE row.i END"


def keep(model: NodeModel) -> tuple[str, str]:
    """(by item, by key): rows `{s: scope, items: [...]}`, `{s: scope, k: key, e: type, l: label}` mark what this run
    could not read; of nodes and edges that an earlier version wrote nothing tells the item, so that each is marked.

    What is marked is not deleted by this round of the run (`$mark`), and stays as old as it is: `lastupdated` says when
    it was last seen.
    """
    node = quoted(model.identity.label)
    own = "" if model is model.identity else f" AND n:{quoted(model.label)}"
    of_items = f"(e._item IS NULL OR e._item IN row.items OR type(e) = '{TENANT_EDGE}')"
    tenant = _kept_edges(model, f"e._scope = row.s AND {of_items}")
    by_item = (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{node} {{_scope: row.s}})\n"
        "WHERE (n._item IS NULL OR n._item IN row.items"
        f" OR EXISTS {{ (n)-[held]-() WHERE held._scope = row.s AND held._item IN row.items }}){own}\n"
        f"SET n._kept = $mark\n{tenant}"
    )
    one = _kept_edges(model, "e._scope = row.s AND (row.e IS NULL OR type(e) = row.e AND row.l IN labels(t))")
    by_key = (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{node} {{{quoted(model.identity.key.name)}: row.k}}) WHERE n._scope = row.s{own}\n"
        f"SET n._kept = CASE WHEN row.e IS NULL THEN $mark ELSE n._kept END\n{one}"
    )
    return by_item, by_key


def _kept_edges(model: NodeModel, condition: str) -> str:
    found = ""
    for incoming in (False, True):
        if kinds := _kinds(model, incoming=incoming):
            edge = pattern("|".join(kinds), "e", incoming=incoming).replace("`", "")
            found += f"WITH DISTINCT n, row\nCALL (n, row) {{\n  MATCH (n){edge}(t) WHERE {condition}\n"
            found += "  SET e._kept = $mark\n}\n"
    return found


def _kinds(model: NodeModel, *, incoming: bool) -> list[str]:
    """The types of the edges that a model's rows write."""
    return sorted({r.type for r in model.references if r.incoming is incoming})


def detach_from_previous_scope(model: NodeModel) -> str:
    """Delete what an earlier owner's rows said of nodes that another scope now lists: a bucket made anew elsewhere."""
    identity = model.identity
    return (
        "UNWIND $rows AS row\n"
        f"MATCH (n:{quoted(identity.label)} {{{quoted(identity.key.name)}: row.k}})\n"
        f"WHERE n._scope <> row.s AND n._scope <> '{UNOWNED}'\n"
        "MATCH (n)-[e]-() WHERE e._scope = n._scope\n"
        "DELETE e"
    )


def stale_relationships(model: NodeModel, schema: GraphSchema) -> list[str]:
    """Relationships of complete scopes that this run's rows didn't write again; `$limit` of them per execution."""
    return [
        "UNWIND $scopes AS scope\n"
        f"MATCH (n:{quoted(model.identity.label)} {{_scope: scope}})"
        f"{pattern('|'.join(kinds), 'e', incoming=incoming).replace('`', '')}()\n"
        "WHERE e._scope = scope AND e.lastupdated < $tag AND coalesce(e._kept <> $mark, true)\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
        for incoming in (False, True)
        if (kinds := _kinds(model, incoming=incoming))
    ]


def _stale(model: NodeModel) -> str:
    own = "" if model is model.identity else f"n:{quoted(model.label)} AND "
    return (
        "UNWIND $scopes AS scope\n"
        f"MATCH (n:{quoted(model.identity.label)} {{_scope: scope}})\n"
        f"WHERE {own}n.lastupdated < $tag AND coalesce(n._kept <> $mark, true)"
    )


def stale_node_links(model: NodeModel) -> str:
    """What the barrier or a job drew from or to nodes that are gone: it protects nothing."""
    return (
        f"{_stale(model)}\nMATCH (n)-[e]-() WHERE e._scope IS NULL\n"
        "WITH DISTINCT e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )


def stale_nodes(model: NodeModel) -> list[str]:
    """Nodes that complete scopes no longer list: deleted, or left as a bare stub while another row's edge needs it."""
    return [
        f"{_stale(model)}\nAND NOT EXISTS {{ (n)-[e]-() WHERE e._scope IS NOT NULL }}\n"
        "WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted",
        f"{_stale(model)}\nWITH n LIMIT $limit\n{make_stub(model, '$tag')}\nRETURN count(*) AS deleted",
    ]


def make_stub(model: NodeModel, lastupdated: str) -> str:
    """Of `n` the identity stays, and of a shared node what follows from it; not the labels that its owner gave it."""
    identity = model.identity
    kept = dict.fromkeys(("firstseen", *(p.name for p in identity.properties)))
    if not identity.shared:
        kept = dict.fromkeys((identity.key.name, *_same_as_key(identity), "firstseen"))
    bare = ", ".join(f"{quoted(name)}: n.{quoted(name)}" for name in kept)
    stays = identity.labels if identity.shared else identity.spellings
    gone = tuple(label for label in model.labels if label not in stays)
    remove = f"\nREMOVE n{labels(gone)}" if gone else ""
    return f"SET n = {{{bare}, lastupdated: {lastupdated}, _scope: '{UNOWNED}'}}{remove}"


def delete_orphans(identity: NodeModel) -> tuple[str, str]:
    """Stubs and shared nodes that no scope's edge holds any more: first what is drawn from or to them, as of a hub that
    is too much for one transaction.
    """
    nodes = (
        f"MATCH (n:{quoted(identity.label)} {{_scope: '{UNOWNED}'}})\n"
        "WHERE NOT EXISTS { (n)-[e]-() WHERE e._scope IS NOT NULL }\n"
    )
    return (
        f"{nodes}MATCH (n)-[e]-() WHERE e._scope IS NULL\n"
        "WITH DISTINCT e LIMIT $limit DELETE e RETURN count(*) AS deleted",
        f"{nodes}WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS deleted",
    )


def id_link(model: NodeModel, relationship: IdLink, target: NodeModel) -> tuple[str, str]:
    """(delete, draw): edges to the nodes whose ids a node keeps, no others. `draw` takes a page after `$after`."""
    end = target.identity
    kept = quoted(relationship.kept_as)
    label = "" if target is end else f" AND t:{quoted(target.label)}"
    edge = pattern(relationship.type, "e", incoming=relationship.incoming)
    delete = (
        f"MATCH (n:{quoted(model.label)}){edge}(t:{quoted(target.label)})\n"
        f"WHERE {_DRAWN} AND NOT t.{quoted(end.key.name)} IN coalesce(n.{kept}, [])\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    found = (
        f"  UNWIND n.{kept} AS k\n"
        f"  MATCH (t:{quoted(end.label)} {{{quoted(end.key.name)}: k}}) WHERE t._scope <> '{UNOWNED}'{label}\n"
    )
    return delete, _draw(model, f"n.{kept} IS NOT NULL", found, edge)


def link(model: NodeModel, relationship: Link, target: NodeModel) -> tuple[str, str]:
    """(delete, draw): edges to the nodes whose properties equal this one's, and none to others."""
    edge = pattern(relationship.type, "e", incoming=False)
    present = " AND ".join(f"n.{quoted(mine)} IS NOT NULL" for mine, _ in relationship.on)
    if relationship.through:
        delete, found = _through(model, relationship, target, relationship.through)
        return delete, _draw(model, present, found, edge)
    equal = _equal(relationship, "t")
    within = f"(n)-[:{quoted(relationship.within)}]->" if relationship.within else ""
    reached = f" AND {within}(t)" if within else ""
    delete = (
        f"MATCH (n:{quoted(model.label)}){edge}(t:{quoted(target.label)})\n"
        f"WHERE {_DRAWN} AND NOT coalesce({equal}{reached}, false)\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    found = f"  MATCH {within}(t:{quoted(target.label)}) WHERE {equal}\n"
    return delete, _draw(model, present, found, edge)


def _through(model: NodeModel, relationship: Link, target: NodeModel, through: tuple[str, str]) -> tuple[str, str]:
    """(delete, found): by way of the record about a node. Each node's record is looked up, never a hub's other end."""
    record, by = through
    end = quoted(target.identity.label)
    equal = _equal(relationship, "record")
    delete = (
        f"MATCH (n:{quoted(model.label)}) WHERE EXISTS {{ (n)-[:{quoted(relationship.type)}]->(:{end}) }}\n"
        f"CALL (n) {{\n  OPTIONAL MATCH (record:{quoted(record)}) WHERE {equal}\n"
        f"  OPTIONAL MATCH (record)-[:{quoted(by)}]->(t:{end})\n  RETURN collect(t) AS held\n}}\n"
        f"MATCH (n)-[e:{quoted(relationship.type)}]->(t:{end})\n"
        f"WHERE {_DRAWN} AND NOT t IN held\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    )
    found = f"  MATCH (record:{quoted(record)}) WHERE {equal}\n  MATCH (record)-[:{quoted(by)}]->(t:{end})\n"
    return delete, found


def _equal(relationship: Link, other: str) -> str:
    return " AND ".join(f"{other}.{quoted(theirs)} = n.{quoted(mine)}" for mine, theirs in relationship.on)


def _draw(model: NodeModel, condition: str, found: str, edge: str) -> str:
    """One page of nodes in the order of their key: each transaction stays small, and checks the writer's fence."""
    node_key = f"n.{quoted(model.identity.key.name)}"
    own = "" if model is model.identity else f"n:{quoted(model.label)} AND "
    return (
        f"MATCH (n:{quoted(model.identity.label)}) WHERE {own}{node_key} > $after AND {condition}\n"
        f"WITH n ORDER BY {node_key} LIMIT $limit\n"
        f"CALL (n) {{\n{found}  MERGE (n){edge}(t)\n"
        "    ON CREATE SET e.firstseen = timestamp()\n"
        "  SET e.lastupdated = n.lastupdated\n}\n"
        f"RETURN max({node_key}) AS last"
    )
