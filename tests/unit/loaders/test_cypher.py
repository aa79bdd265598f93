"""The statements that a model becomes. What they do is shown on a real graph, in tests/integration/test_loading.py."""

from __future__ import annotations

from loaders import cypher
from loaders.model import Node, id_link, key, link, outgoing, prop
from loaders.schema import GraphSchema


class Network(Node, label="Network"):
    id: str = key("id")
    name: str = prop("name")


class Address(Node, label="Address", shared=True):
    ip: str = key("ip")


class Public(Address, label="Public"):
    ip: str = key("ip")


class Host(Node, label="Host", labels=("Machine",)):
    name: str = key("name")
    network: str | None = prop("network")
    relationships = (
        outgoing("HAS", "Address", "ips"),
        id_link("IN", "Network", "networks"),
        link("NAMED", "Network", on={"network": "name"}, within="IN"),
    )


class Subnet(Node, label="Subnet"):
    subnetid: str = key("SubnetId")
    id: str = prop("SubnetId")
    vpc: str | None = prop("VpcId")


class Card(Node, label="Card"):
    id: str = key("id")
    relationships = (outgoing("PART_OF_SUBNET", "Subnet", "SubnetId"),)


SCHEMA = GraphSchema({"toy.networks": [Network], "toy.hosts": [Host, Address], "toy.public": [Public]})


def test_load_merges_by_identity_and_writes_node_and_relationships_in_one_statement() -> None:
    assert (
        cypher.load(Host.model, SCHEMA)
        == """\
UNWIND $rows AS row
MERGE (n:Host {name: row.k})
ON CREATE SET n.firstseen = timestamp()
SET n._item = CASE WHEN n.lastupdated = $tag AND n._item < row.i THEN n._item ELSE row.i END, n += row.p, \
n.lastupdated = $tag, n._scope = row.s
SET n:Machine
FOREACH (k IN row.r[0] |
  MERGE (t:Address {ip: k})
    ON CREATE SET t.firstseen = timestamp(), t.lastupdated = $tag, t._scope = 'shared'
  MERGE (n)-[e:HAS]->(t)
    ON CREATE SET e.firstseen = timestamp()
  SET e._item = CASE WHEN e.lastupdated = $tag AND e._item < row.i THEN e._item ELSE row.i END, e.lastupdated = $tag, \
e._scope = row.s)"""
    )


def test_a_shared_node_belongs_to_no_scope() -> None:
    assert (
        cypher.load(Address.model, SCHEMA)
        == """\
UNWIND $rows AS row
MERGE (n:Address {ip: row.k})
ON CREATE SET n.firstseen = timestamp(), n._scope = 'shared'
SET n += row.p
SET n.lastupdated = CASE n._scope WHEN 'shared' THEN $tag ELSE n.lastupdated END"""
    )


def test_a_derived_model_is_merged_by_the_label_of_its_base() -> None:
    assert "MERGE (n:Address {ip: row.k})" in cypher.load(Public.model, SCHEMA)
    assert "SET n:Public" in cypher.load(Public.model, SCHEMA)


def test_a_node_that_is_gone_keeps_only_what_its_identity_says() -> None:
    _, bare = cypher.stale_nodes(Host.model)
    assert "SET n = {name: n.name, firstseen: n.firstseen, lastupdated: $tag, _scope: 'shared'}" in bare
    assert "REMOVE n:Machine" in bare
    _, bare = cypher.stale_nodes(Public.model)
    assert "MATCH (n:Address {_scope: scope})\nWHERE n:Public AND n.lastupdated < $tag" in bare
    assert "REMOVE n:Public" in bare


def test_only_complete_scopes_and_their_own_relationships_are_cleaned() -> None:
    assert cypher.stale_relationships(Host.model) == [
        "UNWIND $scopes AS scope\n"
        "MATCH (n:Host {_scope: scope})-[e:HAS]->()\n"
        "WHERE e._scope = scope AND e.lastupdated < $tag AND coalesce(e._kept <> $mark, true)\n"
        "WITH e LIMIT $limit DELETE e RETURN count(*) AS deleted"
    ]


def test_what_was_not_read_is_marked_and_not_renewed() -> None:
    by_item, by_key = cypher.keep(Host.model)
    assert "MATCH (n:Host {_scope: row.s})\nWHERE (n._item IS NULL OR n._item IN row.items" in by_item
    assert "MATCH (n:Host {name: row.k}) WHERE n._scope = row.s\n" in by_key
    for statement in (by_item, by_key):
        assert "MATCH (n)-[e:HAS]->(t)" in statement
        assert "SET e._kept = $mark" in statement
        assert "lastupdated" not in statement


def test_an_id_link_is_drawn_to_nodes_that_their_owner_lists() -> None:
    delete, draw = cypher.id_link(Host.model, Host.model.id_links[0], Network.model)
    assert "NOT t.id IN coalesce(n._IN_Network, [])" in delete
    assert "MATCH (t:Network {id: k}) WHERE t._scope <> 'shared'" in draw
    assert "MERGE (n)-[e:IN]->(t)" in draw


def test_a_link_reaches_as_far_as_it_says() -> None:
    _, draw = cypher.link(Host.model, Host.model.links[0], Network.model)
    assert "MATCH (n)-[:IN]->(t:Network) WHERE t.name = n.network" in draw


def test_names_are_quoted_where_cypher_needs_it() -> None:
    assert cypher.constraint("My Label", "the-key") == (
        "CREATE CONSTRAINT `chartfleet_My Label_the-key` IF NOT EXISTS FOR (n:`My Label`) REQUIRE n.`the-key` IS UNIQUE"
    )
    assert cypher.pattern("IN", "e", incoming=True) == "<-[e:IN]-"


def test_a_stub_whose_key_has_another_name_has_the_same_id() -> None:
    """Queries look by `id`, whatever makes the node one."""
    schema = GraphSchema({"toy.subnets": [Subnet], "toy.cards": [Card]})
    assert "MERGE (t:Subnet {subnetid: k})\n" in cypher.load(Card.model, schema)
    assert "t._scope = 'shared', t.id = k\n" in cypher.load(Card.model, schema)
    assert cypher.make_stub(Subnet.model, "$tag") == (
        "SET n = {subnetid: n.subnetid, id: n.id, firstseen: n.firstseen, lastupdated: $tag, _scope: 'shared'}"
    )
