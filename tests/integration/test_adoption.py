"""A graph that Cartography filled, taken over: after one sync it says what a fresh one says, and has lost nothing else.

The peer's sync of 0.143 takes a minute, and its environment two more when it is made for the first time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import neo4j
import pytest
import redis
from celery import Celery
from neo4j.exceptions import ConstraintError

from demo import sample_queries
from loaders.adoption import Adoption
from loaders.graph import Graph
from loaders.ledger import Ledger
from loaders.writer import RunRefused, Writer, claim, release_claim
from tasks.engine import registry
from tasks.resource import Per
from tests.fleet.claims import held_by_run
from tests.fleet.command import Command, Ended
from tests.fleet.graph_state import elements
from tests.fleet.running import AWS_KEYS, NEO4J_PASSWORD, Fleet, running_fleet
from tests.fleet.short_lived_graph import empty
from tests.integration.runs import DENIED, Sync, balancer, group, instance, reservation, scope
from tests.peer import cartography, estate, shape_2020
from tests.servers.aws import AwsServer
from workers import embedded
from workers.commands.adopt import adopt
from workers.fleet import coordinator
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

TAG = 1_600_000_000
SYNCED = f"/{estate.OURS}/"
SETTINGS = {"aws_regions": estate.REGIONS}
# No process crashes here: leases are long enough for a busy machine.
UNHURRIED = {
    "rows_per_batch": 500, "lease_seconds": 30.0, "writer_lease_seconds": 20.0, "transaction_seconds": 60.0,
    "run_lease_seconds": 120.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(aws: AwsServer, services: embedded.Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    logs = tmp_path_factory.mktemp("logs")
    try:
        with running_fleet(services.graph, broker.url, logs, aws.url, **UNHURRIED) as fleet:
            yield fleet
    finally:
        broker.stop()


@pytest.fixture
def chartfleet(tmp_path: Path, services: embedded.Services) -> Callable[..., Ended]:
    address = services.graph
    assert address.user
    command = Command(tmp_path, AWS_KEYS | {NEO4J_PASSWORD: address.password or ""})
    at_graph = ("--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", NEO4J_PASSWORD)
    return lambda *arguments: command(*arguments, *at_graph)


def without_schema(graph: Graph) -> None:
    """No constraint and no index, as a database is before anything has been written to it."""
    for kind in ("CONSTRAINT", "INDEX"):
        for row in graph.rows(f"SHOW {kind} YIELD name, type WHERE type <> 'LOOKUP' RETURN name"):
            graph.autocommit(f"DROP {kind} `{row['name']}` IF EXISTS")


@pytest.fixture(scope="module")
def schema_restored(services: embedded.Services) -> Iterator[None]:
    """After these tests nothing is left of the schema that they began with: others create what they need."""
    yield
    graph = Graph.at(services.graph)
    empty(graph)
    without_schema(graph)
    graph.close()


@pytest.fixture
def untouched(schema_restored: None, graph: Graph) -> Graph:
    """An empty database."""
    without_schema(graph)
    return graph


@pytest.fixture
def filled_anew(aws: AwsServer) -> None:
    aws.empty()
    estate.fill(aws.url)


# -- what no scope of ours owns, and what nobody does

OTHERS = """
MATCH (web:EC2Instance)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:EC2SecurityGroup {name: 'web', region: 'us-east-1'})
MATCH (block:AWSIpv4CidrBlock {cidr_block: '10.0.0.0/16'})<-[:BLOCK_ASSOCIATION]-(:AWSVpc {region: 'us-east-1'})
MATCH (anywhere:IpRange {id: '0.0.0.0/0'}), (theirs:AWSAccount {id: '210987654321'})
SET web:Reviewed, web.reviewed_by = 'alice', theirs.name = 'theirs'
CREATE (:Team {name: 'payments'})-[:OWNS]->(web)
CREATE (:AWSAccount {id: '555555555555'})-[:RESOURCE]->(peer:AWSVpc {id: 'vpc-peer', vpcid: 'vpc-peer'})
       -[:BLOCK_ASSOCIATION]->(:AWSIpv4CidrBlock:AWSCidrBlock {id: 'vpc-peer|10.9.0.0/16'})-[:VPC_PEERING]->(block)
CREATE (:GCPProject {id: 'p'})-[:RESOURCE]->(:GCPInstance:Instance {id: 'g'})
       -[:NETWORK_INTERFACE]->(:GCPNetworkInterface:NetworkInterface {id: 'g/nic0'})
CREATE (anywhere)-[:MEMBER_OF_IP_RULE]->(:GCPIpRule:IpRule:IpPermissionInbound {id: 'f/allow', ruleid: 'f/allow'})
       -[:ALLOWED_BY]->(:GCPFirewall {id: 'f'})<-[:ALLOWED_BY]-
       (:GCPIpRule:IpRule:IpPermissionInbound {id: 'f/more', ruleid: 'f/more'})
       <-[:MEMBER_OF_IP_RULE]-(:IpRange {id: '35.0.0.0/8', range: '35.0.0.0/8'})
CREATE (:OktaOrganization {id: 'o'})-[:RESOURCE]->(:OktaUser {id: 'u', email: 'alice@example.com'})
"""
OTHERS_ARE = "MATCH (n) WHERE n:Team OR n:OktaUser OR n:OktaOrganization OR n.id IN $ids RETURN elementId(n) AS id"
OTHER_IDS = ["555555555555", "vpc-peer", "vpc-peer|10.9.0.0/16", "p", "g", "g/nic0", "f/allow", "f", "f/more"]

ORPHANS = """
MATCH (anywhere:IpRange {id: '0.0.0.0/0'})
CREATE (:EC2Instance:Instance {id: 'i-orphan', region: 'us-east-1', lastupdated: 1})
       -[:MEMBER_OF_EC2_SECURITY_GROUP]->(g:EC2SecurityGroup {id: 'sg-orphan', region: 'us-east-1', lastupdated: 1})
CREATE (anywhere)-[:MEMBER_OF_IP_RULE]->(:IpPermissionInbound:IpRule {ruleid: 'sg-orphan/IpPermissions/11tcp'})
       -[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)
CREATE (:AWSRole:AWSPrincipal {arn: 'arn:aws:iam::999999999999:role/orphan', lastupdated: 1})
"""
ORPHANS_ARE = """
MATCH (n) WHERE n.id IN ['i-orphan', 'sg-orphan'] OR n.arn CONTAINS ':999999999999:' OR n.ruleid STARTS WITH 'sg-orphan'
RETURN n
"""
THEIRS_ARE = """
MATCH (:AWSAccount {id: $theirs})-[:RESOURCE]->(n) WHERE NOT n:AWSPrincipal
RETURN elementId(n) AS id ORDER BY id
"""
THEY_ASSUME = """
MATCH (p:AWSPrincipal)-[e:STS_ASSUMEROLE_ALLOW]->(r:AWSRole) WHERE r.arn CONTAINS $theirs
RETURN p.arn AS source, r.arn AS role, e.firstseen AS firstseen, e.lastupdated AS lastupdated
"""


def ids(graph: Graph, query: str, **parameters: Any) -> list[str]:
    return [row["id"] for row in graph.rows(query, parameters)]


# -- what is compared


def owned(graph: Graph) -> dict[str, Any]:
    """Nodes and relationships of the account that is synced, and what it shares, as the declarations tell of them."""
    schema = registry.schema()
    labels = {label for model in schema.models for label in model.labels}
    names = {
        model.label: {prop.name for prop in model.properties} | {r.kept_as for r in model.id_links}
        for model in schema.models
    }
    types = {r.type for model in schema.models for r in model.relationships}
    drawn = {r.type for model in schema.models for r in model.id_links}
    drawn |= {r.type for model in schema.models for r in model.links}
    tag = graph.rows("MATCH (g:SyncGraph) RETURN g.tag AS tag")[0]["tag"]
    found: dict[str, Any] = {}
    by_id: dict[str, str] = {}
    nodes = (
        "MATCH (n) WHERE n._scope = 'shared' OR n._scope CONTAINS $synced "
        "RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties"
    )
    for row in graph.rows(nodes, {"synced": SYNCED}):
        identity = next(model for model in schema.identities if model.label in row["labels"])
        by_id[row["id"]] = name = f"{identity.label} {row['properties'].get(identity.key.name)}"
        compared = {"_scope"}.union(*(names.get(label, ()) for label in row["labels"]))
        assert name not in found, f"two nodes of one identity: {name}"
        found[name] = (
            sorted(labels.intersection(row["labels"])),
            {key: value for key, value in row["properties"].items() if key in compared},
            row["properties"]["lastupdated"] == tag,
        )
    edges = (
        "MATCH (a)-[e]->(b) WHERE a._scope IS NOT NULL AND b._scope IS NOT NULL AND type(e) IN $types "
        "RETURN elementId(a) AS start, type(e) AS type, elementId(b) AS end, e._scope AS scope, e.lastupdated AS tag"
    )
    for row in graph.rows(edges, {"types": sorted(types)}):
        if row["start"] in by_id and row["end"] in by_id:
            edge = f"{by_id[row['start']]} -{row['type']}-> {by_id[row['end']]}"
            assert edge not in found, f"twice: {edge}"
            found[edge] = row["type"] in drawn or (row["scope"], row["tag"] == tag)
    return found


# What people asked the graph of 2020.
QUERIES = (
    "MATCH (a:AWSAccount)-[:RESOURCE]->(r:RDSInstance) WHERE a.id = $ours RETURN a.id, count(r)",
    "MATCH (a:AWSAccount)-[:RESOURCE]->(r:RDSInstance {storage_encrypted: false}) WHERE a.id = $ours "
    "RETURN a.name, r.id ORDER BY r.id",
    "MATCH (i:EC2Instance {exposed_internet: true})<-[:RESOURCE]-(:AWSAccount {id: $ours}) "
    "RETURN i.instanceid, i.publicdnsname, i.exposed_internet_type ORDER BY i.instanceid",
    "MATCH (e:LoadBalancer {exposed_internet: true})-->(l:ELBListener) "
    "WHERE (e)<-[:RESOURCE]-(:AWSAccount {id: $ours}) RETURN e.dnsname, l.port ORDER BY e.dnsname, l.port",
    "MATCH (s:S3Bucket {anonymous_access: true}) RETURN s.name, s.anonymous_actions ORDER BY s.name",
    "MATCH (:AWSAccount {id: $ours})-[:RESOURCE*1..3]->(n) WHERE n._scope IS NOT NULL RETURN count(DISTINCT n)",
    "MATCH (r:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(p:AWSPrincipal) WHERE r.arn CONTAINS $ours "
    "RETURN r.name, p.arn ORDER BY r.name, p.arn",
    "MATCH (:IpRange {id: '0.0.0.0/0'})-[:MEMBER_OF_IP_RULE]->(r:IpPermissionInbound)"
    "-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)<-[:RESOURCE]-(:AWSAccount {id: $ours}) "
    "RETURN g.id, r.fromport, r.protocol ORDER BY g.id, r.fromport",
)


def responses(graph: Graph) -> list[Any]:
    """The results of queries of 2020 and of the sample queries about the synced account."""
    own = graph.rows("MATCH (a:AWSAccount {id: $ours}) RETURN a.name AS name", {"ours": estate.OURS})[0]["name"]
    samples = [[row for row in graph.rows(sample.query) if row["account"] == own] for sample in sample_queries.read()]
    assert sum(map(bool, samples)) >= 5, "the estate has something for the sample queries"
    return [graph.rows(query, {"ours": estate.OURS}) for query in QUERIES] + samples


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    names = sorted(found.keys() | expected.keys())
    return [
        f"{name}: {found.get(name)}, not {expected.get(name)}"
        for name in names
        if found.get(name) != expected.get(name)
    ]


def taken_over_and_synced(
    graph: Graph, fleet: Fleet, aws: AwsServer, chartfleet: Callable[..., Ended]
) -> dict[str, Any]:
    """From a graph that the peer filled to the comparison with a fresh one; returns the report of the dry run."""
    graph.write(lambda tx: tx.run(OTHERS).consume())
    graph.write(lambda tx: tx.run(ORPHANS).consume())
    filled = elements(graph)
    others = {id_: filled[id_] for id_ in ids(graph, OTHERS_ARE, ids=OTHER_IDS)}
    theirs = ids(graph, THEIRS_ARE, theirs=estate.THEIRS)
    they_assume = graph.rows(THEY_ASSUME, {"theirs": estate.THEIRS})
    since = graph.rows("MATCH (i:EC2Instance:Reviewed) RETURN i.id AS id, i.firstseen AS firstseen")
    assert len(others) == 12
    assert theirs
    assert since
    estate.change(aws.url)

    with pytest.raises(RunRefused, match="chartfleet adopt --dry-run"):
        fleet.start(**SETTINGS)
    looked = chartfleet("adopt", "--dry-run", "--json")
    assert looked.code == 0, looked.err
    assert elements(graph) == filled
    adopted = chartfleet("adopt", "--json")
    assert (adopted.code, adopted.err) == (0, "")
    assert adopted.json == looked.json
    again = chartfleet("adopt", "--json").json
    left = {line["label"]: line["left_alone"] for line in again["labels"]}
    assert left == {"AWSAccount": 1, "AWSIpv4CidrBlock": 1, "AWSVpc": 1}
    assert (again["relationships"], again["relabelled"], again["indexes"]) == ({}, [], [])

    report = fleet.sync(**SETTINGS)
    assert (report.state, report.not_seen, report.failed_jobs) == ("complete", [], [])
    found, results = owned(graph), responses(graph)
    assert graph.rows(ORPHANS_ARE) == []
    now = elements(graph)
    assert {id_: now.get(id_) for id_ in others} == others
    assert set(theirs) <= now.keys()
    assert graph.rows(THEY_ASSUME, {"theirs": estate.THEIRS}) == they_assume
    reviewed = "MATCH (i:EC2Instance:Reviewed {reviewed_by: 'alice'}) RETURN i.id AS id, i.firstseen AS firstseen"
    assert graph.rows(reviewed) == since
    assert len(graph.rows("MATCH (:Team)-[:OWNS]->(:EC2Instance) RETURN 1 AS one")) == 1
    assert len(graph.rows("MATCH (:AWSIpv4CidrBlock)-[:VPC_PEERING]->(:AWSIpv4CidrBlock) RETURN 1 AS one")) == 1

    empty(graph)
    fleet.at_rest()
    assert fleet.sync(**SETTINGS).state == "complete"
    assert found.pop("IpRange 35.0.0.0/8")  # a rule of GCP's needs it
    assert found.pop(f"AWSAccount {estate.THEIRS}")
    assert "\n".join(differences(found, owned(graph))) == ""
    assert results == responses(graph)
    labels: dict[str, Any] = {line.pop("label"): line for line in looked.json["labels"]}
    return labels


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_graph_of_2020_is_a_normal_start(
    untouched: Graph, filled_anew: None, fleet: Fleet, aws: AwsServer, chartfleet: Callable[..., Ended]
) -> None:
    shape_2020.create_indexes(untouched)
    shape_2020.write(untouched, aws.url, account=estate.THEIRS, regions=estate.REGIONS[:1], tag=TAG - 1)
    shape_2020.write(untouched, aws.url, account=estate.OURS, regions=estate.REGIONS, tag=TAG)
    assert len(untouched.rows(THEY_ASSUME, {"theirs": estate.THEIRS})) == 1
    labels = taken_over_and_synced(untouched, fleet, aws, chartfleet)
    assert labels["AWSPrincipal"]["merged"] == 5  # alice and four roles that others trust
    assert labels["IpPermissionInbound"]["keyless"] == labels["IpPermissionInbound"]["taken_over"] + 1
    assert labels["IpPermissionInbound"]["orphans"] == labels["EC2Instance"]["orphans"] == 1
    assert labels["EC2Subnet"]["taken_over"] > 0


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_graph_of_0_143_is_a_normal_start(
    untouched: Graph,
    filled_anew: None,
    services: embedded.Services,
    fleet: Fleet,
    aws: AwsServer,
    chartfleet: Callable[..., Ended],
    tmp_path: Path,
) -> None:
    for account, regions, syncs in (
        (estate.THEIRS, estate.REGIONS[:1], ("ec2:vpc", "ec2:security_group")),
        (estate.OURS, estate.REGIONS, cartography.SYNCS),
    ):
        cartography.sync(
            aws.url, services.graph, tag=TAG, account=account, regions=regions, syncs=syncs, log=tmp_path / "log"
        )
    labels = taken_over_and_synced(untouched, fleet, aws, chartfleet)
    assert labels["IpPermissionEgress"]["taken_over"] > 0
    assert labels["IpPermissionInbound"]["keyless"] == 1  # the orphan


# -- the steps by themselves, without a fleet


@pytest.fixture
def writer(untouched: Graph, services: embedded.Services) -> Iterator[Writer]:
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield writer
    writer.close()


def adoption(graph: Graph) -> Adoption:
    regional = {type_.name for type_ in registry.types().values() if type_.per is Per.REGION}
    return Adoption(graph, registry.schema(), regional=regional, by_jobs=())


def create(graph: Graph, query: str) -> None:
    graph.write(lambda tx: tx.run(query).consume())


BALANCED = """
CREATE (a:AWSAccount {id: '1111'})
CREATE (a)-[:RESOURCE {lastupdated: 5}]->(b:LoadBalancer {id: 'lb.elb', region: 'eu-west-1', lastupdated: 5})
CREATE (a)-[:RESOURCE {lastupdated: 5}]->(i:EC2Instance:Instance {id: 'i-1', region: 'eu-west-1', lastupdated: 5})
CREATE (a)-[:RESOURCE {lastupdated: 5}]->(g:EC2SecurityGroup {id: 'sg-1', name: 'sg-1', region: 'eu-west-1'})
CREATE (b)-[:EXPOSE]->(i), (b)-[:SOURCE_SECURITY_GROUP]->(g), (b)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)
CREATE (b)-[:SUBNET]->(:EC2Subnet {id: 'subnet-1', subnetid: 'subnet-1', lastupdated: 5})
CREATE (b)-[:ELB_LISTENER]->(:ELBListener {id: 'lb.elb443TCP', lastupdated: 5})
"""
BEHIND = "MATCH (:LoadBalancer {id: 'lb.elb'})-[e]->(n) RETURN type(e) AS type, n.id AS id ORDER BY type"


def test_what_the_first_run_does_not_see_stays_as_it_was(writer: Writer, broker: redis.Redis) -> None:
    create(writer, BALANCED)
    adoption(writer).adopt(writer)
    before = writer.rows(BEHIND)
    assert [row["type"] for row in before] == [
        "ELB_LISTENER", "EXPOSE", "MEMBER_OF_EC2_SECURITY_GROUP", "SOURCE_SECURITY_GROUP", "SUBNET",
    ]  # fmt: skip
    sync = Sync(broker, writer)
    sync.tag = 10
    seen = {
        scope("aws.ec2.instances"): [reservation(instance("i-1"))],
        scope("aws.ec2.security_groups"): [group("sg-1")],
    }
    sync.run({scope("aws.elb.load_balancers"): DENIED, **seen})
    assert writer.rows(BEHIND) == before
    sync.run({scope("aws.elb.load_balancers"): [balancer("lb")], **seen})
    assert [row["type"] for row in writer.rows(BEHIND)] == ["ELB_LISTENER"]
    sync.run({scope("aws.elb.load_balancers"): [], **seen})
    assert writer.rows("MATCH (n) WHERE n:LoadBalancer OR n:ELBListener RETURN n") == []


OF_AWS = """
CREATE (:AWSAccount {id: '1111'})-[:RESOURCE]->(ours:AWSUser:AWSPrincipal {arn: 'arn:aws:iam::1111:user/a'})
CREATE (:AWSAccount {id: '2222'})-[:RESOURCE]->(theirs:AWSGroup:AWSPrincipal {arn: 'arn:aws:iam::2222:group/b'})
CREATE (ours)-[:POLICY]->(read:AWSManagedPolicy:AWSPolicy {id: 'arn:aws:iam::aws:policy/Read', name: 'Read'})
       <-[:POLICY]-(theirs), (read)-[:STATEMENT]->(:AWSPolicyStatement {id: 'Read/1', effect: 'Allow'})
CREATE (ours)-[:POLICY]->(write:AWSManagedPolicy:AWSPolicy {id: 'arn:aws:iam::aws:policy/Write', name: 'Write'})
       -[:STATEMENT]->(:AWSPolicyStatement {id: 'Write/1', effect: 'Allow'})
"""
GRANTED = """
MATCH (p:AWSPrincipal)-[:POLICY]->(policy:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement)
RETURN p.arn AS who, policy.name AS policy, s.effect AS effect ORDER BY who, policy
"""


def test_a_policy_that_several_accounts_have_is_taken_from_none(writer: Writer, broker: redis.Redis) -> None:
    """As 0.143 has it; here every account has its own."""
    create(writer, OF_AWS)
    adopted = adoption(writer).adopt(writer)
    policies = {line.label: line.left_alone for line in adopted.labels if "Policy" in line.label and line.left_alone}
    assert policies == {"AWSManagedPolicy": 1, "AWSPolicyStatement": 1}
    assert len(writer.rows(GRANTED)) == 3
    sync = Sync(broker, writer)
    sync.tag = 10
    sync.run({scope("aws.iam.users"): [], scope("aws.iam.policies"): []})
    left = {"who": "arn:aws:iam::2222:group/b", "policy": "Read", "effect": "Allow"}
    assert writer.rows(GRANTED) == [left]
    assert writer.rows("MATCH (p:AWSPolicy) RETURN p.name AS name") == [{"name": "Read"}]


def test_an_account_that_was_left_alone_is_known_once_it_is_synced(writer: Writer, broker: redis.Redis) -> None:
    create(writer, "UNWIND ['1111', '2222'] AS id CREATE (:AWSAccount {id: id, lastupdated: 5})")
    adoption(writer).adopt(writer)
    sync = Sync(broker, writer)
    sync.tag = 10
    sync.run({scope("aws.account"): [{"Account": "1111"}]})
    accounts = writer.rows(
        "MATCH (a:AWSAccount) RETURN a.id AS id, a.lastupdated AS tag, a._scope AS scope ORDER BY id"
    )
    assert accounts == [
        {"id": "1111", "tag": 11, "scope": "shared"},
        {"id": "2222", "tag": 5, "scope": None},
    ]


def test_a_role_and_its_stub_become_one_with_the_edges_of_both(writer: Writer) -> None:
    """The stub is the newer, and the role trusts itself: by an edge to its stub."""
    create(
        writer,
        "CREATE (a:AWSAccount {id: '1111'})-[:RESOURCE {lastupdated: 5}]->"
        "(r:AWSRole:AWSPrincipal:Reviewed {arn: 'role', name: 'r', type: 'old', firstseen: 3, lastupdated: 5}) "
        "CREATE (r)-[:TRUSTS_AWS_PRINCIPAL {firstseen: 3, lastupdated: 5}]->"
        "(s:AWSPrincipal {arn: 'role', type: 'AWS', firstseen: 4, lastupdated: 6}) "
        "CREATE (o:AWSRole:AWSPrincipal {arn: 'other', lastupdated: 6}), (a)-[:RESOURCE]->(o) "
        "CREATE (o)-[:TRUSTS_AWS_PRINCIPAL {firstseen: 2, lastupdated: 5}]->(r) "
        "CREATE (o)-[:TRUSTS_AWS_PRINCIPAL {firstseen: 4, lastupdated: 6, by: 'its ARN'}]->(s) "
        "CREATE (t:Team)-[:OWNS {since: 2019}]->(s), (t)-[:OWNS {since: 2018}]->(r)",
    )
    adoption(writer).adopt(writer)
    [role] = writer.rows("MATCH (p {arn: 'role'}) RETURN labels(p) AS labels, p.name, p.type, p.firstseen, p._scope")
    assert sorted(role.pop("labels")) == ["AWSPrincipal", "AWSRole", "Reviewed"]
    assert list(role.values()) == ["r", "AWS", 3, "aws.iam.roles/1111/global"]
    edges = "MATCH (r)-[e:TRUSTS_AWS_PRINCIPAL]->({arn: 'role'}) "
    trusts = f"{edges} RETURN r.arn, e.firstseen, e.lastupdated, e.by ORDER BY r.arn"
    found = [list(row.values()) for row in writer.rows(trusts)]
    assert found == [["other", 2, 6, "its ARN"], ["role", 3, 5, None]]
    owns = writer.rows("MATCH (:Team)-[e:OWNS]->({arn: 'role'}) RETURN e.since AS since ORDER BY since")
    assert [row["since"] for row in owns] == [2018, 2019]


class Interrupted(Exception):
    pass


class Dying(Graph):
    """Commits so many transactions, then none."""

    left = 0

    def write(self, work: Callable[[neo4j.ManagedTransaction], Any]) -> Any:
        if not self.left:
            raise Interrupted
        self.left -= 1
        return super().write(work)


@pytest.mark.long
def test_it_goes_on_where_it_was_interrupted(
    untouched: Graph, filled_anew: None, aws: AwsServer, services: embedded.Services
) -> None:
    def filled() -> None:
        untouched.autocommit("MATCH (n) DETACH DELETE n")
        without_schema(untouched)
        shape_2020.write(untouched, aws.url, account=estate.OURS, regions=estate.REGIONS[:1], tag=TAG)

    def state() -> list[str]:
        """All but what depends on when it was done."""
        found = "MATCH (n) WHERE NOT n:SyncScope RETURN labels(n) AS labels, properties(n) AS p"
        edges = "MATCH (a)-[e]->(b) RETURN type(e), e._scope, coalesce(a.id, a.arn), coalesce(b.id, b.arn)"
        nodes = [{**row["p"], "labels": sorted(row["labels"]), "firstseen": 0} for row in untouched.rows(found)]
        return sorted(json.dumps(row, sort_keys=True) for row in (*nodes, *untouched.rows(edges)))

    filled()
    adoption(untouched).adopt(untouched)
    expected = state()

    filled()
    dying = Dying(services.graph.driver(), services.graph.database)
    interruptions = 0
    while True:
        dying.left = 12
        try:
            adoption(dying).adopt(dying)
            break
        except Interrupted:
            interruptions += 1
    dying.close()
    assert interruptions > 3
    assert state() == expected


def test_nothing_is_synced_before_what_was_interrupted_is_done(
    untouched: Graph, filled_anew: None, aws: AwsServer, services: embedded.Services, broker: redis.Redis
) -> None:
    """Who held the graph first was killed before it wrote anything; the next is stopped when half is done."""
    shape_2020.write(untouched, aws.url, account=estate.OURS, regions=estate.REGIONS[:1], tag=TAG)
    settings = Settings.load(environment={})
    owned = "MATCH (n) RETURN count(n._scope) AS owned, count(*) AS nodes"

    def start() -> Ledger:
        return coordinator.start(settings, untouched, broker, Publisher(Celery(broker="memory://")), off={})

    claim(untouched, run="adopt-1", tag=TAG, resume=True, lease_seconds=60, adopting=True)
    release_claim(untouched, "adopt-1")
    with pytest.raises(RunRefused, match="run `chartfleet adopt` again"):
        start()

    untouched.autocommit("CREATE CONSTRAINT stop FOR (n:RDSInstance) REQUIRE n._scope IS UNIQUE")
    with pytest.raises(ConstraintError):
        adopt(services.graph, untouched, settings)
    [half] = untouched.rows(owned)
    assert 0 < half["owned"] < half["nodes"]
    with pytest.raises(RunRefused, match="run `chartfleet adopt` again"):
        start()

    untouched.autocommit("DROP CONSTRAINT stop")
    adopt(services.graph, untouched, settings)
    earlier = start().run
    release_claim(untouched, earlier)
    claim(untouched, run="adopt-2", tag=int(earlier.split("-")[0]), resume=True, lease_seconds=60, adopting=True)
    release_claim(untouched, "adopt-2")
    with pytest.raises(RunRefused, match="run `chartfleet adopt` again"):
        coordinator.resume(settings, untouched, broker, earlier, Publisher(Celery(broker="memory://")))


def test_it_is_refused_while_a_run_holds_the_graph(graph: Graph, chartfleet: Callable[..., Ended]) -> None:
    with held_by_run(graph, "one", 5):
        ended = chartfleet("adopt")
    assert ended.code == 1
    assert "run one holds the graph" in ended.error
    assert chartfleet("adopt", "--dry-run").out == "Nothing to take over.\n"
