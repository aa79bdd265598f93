"""Analysis jobs on a real graph: the rewritten spellings, users' jobs, and what the shipped jobs conclude."""

import itertools
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analysis import engine
from analysis.engine import JobError, run_shipped, run_user, shipped_jobs, user_jobs, verdict
from analysis.finding import Finding
from analysis.job import Job, Statement
from loaders.graph import Graph
from tests.unit.analysis.test_cypher35 import MODERN, REWRITTEN

TAG = 1_596_000_000
EXPOSURE, KEY_PAIRS, S3 = "aws_ec2_asset_exposure", "aws_ec2_keypair_analysis", "aws_s3acl_analysis"
GROUP_POLICIES, EKS = "aws_iam_group_policies", "aws_eks_asset_exposure"


def run(graph: Graph, query: str, **parameters: Any) -> list[dict[str, Any]]:
    return graph.write(lambda tx: tx.run(query, parameters).data())


def value(graph: Graph, query: str) -> Any:
    [row] = graph.rows(query)
    [only] = row.values()
    return only


def shipped(name: str) -> Job:
    [job] = [job for job in shipped_jobs() if job.name == name]
    return job


def analysed(graph: Graph, name: str, run_id: str = "run-1") -> Finding:
    """Run one shipped job and read its verdict."""
    assert run_shipped(graph, shipped(name), run_id, TAG)
    return verdict(graph, shipped(name), TAG)


def analysed_without_verdict(graph: Graph, name: str, run_id: str = "run-1", tag: int = TAG) -> None:
    assert run_shipped(graph, shipped(name), run_id, tag)


def user_job(directory: Path, *statements: dict[str, Any]) -> Job:
    (directory / "job.json").write_text(json.dumps({"name": "mine", "statements": statements}))
    return user_jobs(directory)[0]


def test_a_users_job_reports_findings_as_a_shipped_one_does(graph: Graph, tmp_path: Path) -> None:
    content = {
        "name": "Databases that are public",
        "statements": [{"query": "MATCH (d:RDSInstance) WHERE d.publicly_accessible SET d.open = true"}],
        "reads": ["aws.rds.instances"],
        "findings": {
            "name": "public databases",
            "one": "public database",
            "query": "MATCH (d:RDSInstance) WHERE d.open RETURN count(d) AS count, collect(d {.id}) AS examples",
            "text": "Reachable from the internet, if a security group allows it.",
        },
    }
    (tmp_path / "job.json").write_text(json.dumps(content))
    [job] = user_jobs(tmp_path, {"aws.rds.instances"})
    run(graph, "CREATE (:RDSInstance {id: 'orders', publicly_accessible: true})")
    scope = {
        "type": "aws.rds.instances",
        "tenant": "1111",
        "region": "eu-west-1",
        "provider": "aws",
        "lastupdated": TAG,
    }
    denied = scope | {"status": "denied", "reason": "AccessDenied rds:DescribeDBInstances", "region": "eu-south-1"}
    denied |= {"failure": "denied", "code": "AccessDenied", "action": "rds:DescribeDBInstances"}
    for properties in (scope | {"status": "complete", "complete_at": 1}, denied):
        run(graph, "CREATE (s:SyncScope) SET s = $properties", properties=properties)
    run_user(graph, job, TAG)
    finding = verdict(graph, job, TAG)
    reason = "AccessDenied rds:DescribeDBInstances"
    assert str(finding) == f"1 public database; 1 of 2 scopes not seen: eu-south-1 of 1111 ({reason})"
    assert finding.examples == [{"id": "orders"}]
    assert finding.causes == [
        {"failure": "denied", "code": "AccessDenied", "action": "rds:DescribeDBInstances", "detail": ""}
    ]


def types_read(name: str) -> tuple[str, ...]:
    """Those that a job can't judge without, and those that show further ways."""
    return (*shipped(name).reads, *shipped(name).reads_also)


def seen(graph: Graph, type_: str, status: str = "complete", **fields: Any) -> None:
    scope = {"tenant": "1111", "region": "eu-west-1", "type": type_, "status": status, "reason": None, **fields}
    scope.setdefault("complete_at", 1 if status == "complete" else None)
    run(graph, "CREATE (s:SyncScope) SET s = $scope", scope=scope)


# --- the spellings of 2020 ---


@pytest.fixture
def no_schema_left(graph: Graph) -> Iterator[None]:
    """Indexes and constraints that a test made are dropped again: the graph outlives the test."""
    before = {row["name"] for row in graph.rows("SHOW INDEXES YIELD name")}
    yield
    for row in graph.rows("SHOW INDEXES YIELD name, owningConstraint"):
        if row["name"] not in before:
            kind = "CONSTRAINT" if row["owningConstraint"] else "INDEX"
            graph.autocommit(f"DROP {kind} `{row['owningConstraint'] or row['name']}`")


@pytest.mark.usefixtures("no_schema_left")
@pytest.mark.parametrize("query", [*REWRITTEN, *MODERN])
def test_neo4j_takes_every_spelling(graph: Graph, tmp_path: Path, query: str) -> None:
    """MODERN too: it says that the tests of the rewriting are about good Cypher."""
    run(graph, "CREATE (:L {p: 'abc', name: 'n'})-[:A]->(:M)")
    parameters = {"ID": 1, "ROWS": [], "LIST": [], "PROPS": {"a": 1}, "odd name": 1, "A": 1, "B": 1}
    run_user(graph, user_job(tmp_path, {"query": query, "parameters": parameters, "iterationsize": 10}), TAG)


@pytest.mark.usefixtures("no_schema_left")
def test_an_index_is_made_once_more_and_dropped_by_its_label(graph: Graph, tmp_path: Path) -> None:
    create, drop = {"query": "CREATE INDEX ON :Mine(p, q)"}, {"query": "DROP INDEX ON :Mine(p, q)"}
    mine = "SHOW INDEXES YIELD labelsOrTypes, properties WHERE 'Mine' IN labelsOrTypes RETURN properties"
    run_user(graph, user_job(tmp_path, create, create), TAG)
    assert graph.rows(mine) == [{"properties": ["p", "q"]}]
    run_user(graph, user_job(tmp_path, drop, drop), TAG)
    assert graph.rows(mine) == []


@pytest.mark.usefixtures("no_schema_left")
def test_the_index_of_a_constraint_stays(graph: Graph, tmp_path: Path) -> None:
    graph.autocommit("CREATE CONSTRAINT FOR (n:Mine) REQUIRE n.id IS UNIQUE")
    queries = ("CREATE INDEX ON :Mine(id)", "DROP INDEX ON :Mine(id)")
    run_user(graph, user_job(tmp_path, *({"query": query} for query in queries)), TAG)
    assert value(graph, "SHOW CONSTRAINTS YIELD labelsOrTypes WHERE labelsOrTypes = ['Mine'] RETURN count(*)") == 1


# --- users' jobs ---


def test_an_iterative_statement_runs_until_nothing_is_left(graph: Graph, tmp_path: Path) -> None:
    run(graph, "UNWIND range(1, 25) AS i CREATE (:Old {i: i})")
    delete = "MATCH (n:Old) WITH n LIMIT {LIMIT_SIZE} DELETE n RETURN COUNT(*) AS TotalCompleted"
    run_user(graph, user_job(tmp_path, {"query": delete, "iterative": True, "iterationsize": 10}), TAG)
    assert value(graph, "MATCH (n:Old) RETURN count(n)") == 0


def test_a_users_job_gets_the_update_tag(graph: Graph, tmp_path: Path) -> None:
    run_user(graph, user_job(tmp_path, {"query": "CREATE (:Seen {tag: {UPDATE_TAG}})"}), TAG)
    assert value(graph, "MATCH (s:Seen) RETURN s.tag") == TAG


def test_a_statement_that_commits_by_itself_may(graph: Graph, tmp_path: Path) -> None:
    query = "UNWIND range(1, 5) AS i CALL { WITH i CREATE (:Made {i: i}) } IN TRANSACTIONS OF 2 ROWS"
    run_user(graph, user_job(tmp_path, {"query": query}), TAG)
    assert value(graph, "MATCH (m:Made) RETURN count(m)") == 5


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ({"query": "MATCH (n RETURN n"}, "Invalid input 'RETURN'"),
        ({"query": "MATCH (n {id: {AWS_ID}}) RETURN n"}, "Expected parameter(s): AWS_ID"),
        ({"query": "MATCH (n:Nothing) RETURN n", "iterative": True}, "returned no integer TotalCompleted"),
        ({"query": "RETURN 1 AS TotalCompleted", "iterative": True}, "was not 0 after 20 rounds"),
    ],
)
def test_an_error_says_job_file_statement_and_the_first_line(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(engine, "MAX_ROUNDS", 20)
    with pytest.raises(JobError) as error:
        run_user(graph, user_job(tmp_path, {"query": "RETURN 1"}, statement), TAG)
    text = str(error.value)
    assert text.startswith(f"job 'mine' ({tmp_path / 'job.json'}), statement 2: ")
    assert said in text
    assert "\n" not in text


def test_what_ran_before_an_error_stays(graph: Graph, tmp_path: Path) -> None:
    with pytest.raises(JobError):
        run_user(graph, user_job(tmp_path, {"query": "CREATE (:Kept)"}, {"query": "no Cypher"}), TAG)
    assert value(graph, "MATCH (k:Kept) RETURN count(k)") == 1


def test_the_example_of_the_page_runs(graph: Graph, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "analysis-jobs.md").read_text()
    example = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert example
    (tmp_path / "example.json").write_text(example[1])
    run(
        graph,
        "CREATE (:EC2KeyPair {keyname: 'old'})-[:SSH_LOGIN_TO]->(:EC2Instance {publicdnsname: 'x'})",
    )
    for job in user_jobs(tmp_path):
        run_user(graph, job, TAG)
    assert value(graph, "MATCH (k:EC2KeyPair) RETURN k.opens_public_host") is True
    assert value(graph, "MATCH (k:EC2KeyPair) RETURN k.checked_at") == TAG


# --- shipped jobs: once, whole ---


def flags(*queries: str, **fields: Any) -> Job:
    statements = tuple(Statement(query=query) for query in queries)
    return Job(name="flags", file=Path("flags.json"), statements=statements, **{"writes": {"L": ("flag",)}, **fields})


def test_a_shipped_job_takes_effect_once_per_run(graph: Graph) -> None:
    run(graph, "CREATE (:Counter {n: 0})")
    job = flags("MATCH (c:Counter) SET c.n = c.n + 1")
    assert [run_shipped(graph, job, run_id, TAG) for run_id in ("run-1", "run-1", "run-2")] == [True, False, True]
    assert value(graph, "MATCH (c:Counter) RETURN c.n") == 2
    assert value(graph, "MATCH (r:SyncRun {id: 'run-1'}) RETURN r.jobs_done") == ["flags"]


def test_a_job_for_labels_that_no_node_has_is_only_recorded(graph: Graph) -> None:
    run(graph, "CREATE (:Counter {n: 0})")
    job = flags("MATCH (c:Counter) SET c.n = c.n + 1")
    assert run_shipped(graph, job, "run-1", TAG, present={"Counter"})
    assert value(graph, "MATCH (c:Counter) RETURN c.n") == 0
    assert value(graph, "MATCH (r:SyncRun {id: 'run-1'}) RETURN r.jobs_done") == ["flags"]


def test_a_job_that_declares_no_writes_always_runs(graph: Graph) -> None:
    run(graph, "CREATE (:Counter {n: 0})")
    assert run_shipped(graph, flags("MATCH (c:Counter) SET c.n = c.n + 1", writes={}), "run-1", TAG, present=set())
    assert value(graph, "MATCH (c:Counter) RETURN c.n") == 1


def test_two_callers_at_once_have_one_effect(graph: Graph) -> None:
    run(graph, "CREATE (:Counter {n: 0}), (:SyncRun {id: 'run-1'})")
    job = flags("MATCH (c:Counter) SET c.n = c.n + 1")
    effects: list[bool] = []
    callers = [threading.Thread(target=lambda: effects.append(run_shipped(graph, job, "run-1", TAG))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(effects) == [False, False, False, True]
    assert value(graph, "MATCH (c:Counter) RETURN c.n") == 1


def test_a_flag_whose_reason_is_gone_goes(graph: Graph) -> None:
    run(graph, "CREATE (:L {id: 1, open: true}), (:L {id: 2, flag: true})")
    run_shipped(graph, flags("MATCH (n:L {open: true}) SET n.flag = true"), "run-1", TAG)
    assert graph.rows("MATCH (n:L) RETURN n.id AS id, n.flag AS flag ORDER BY id") == [
        {"id": 1, "flag": True},
        {"id": 2, "flag": None},
    ]


def test_a_shipped_job_that_fails_leaves_everything_as_it_was(graph: Graph) -> None:
    run(graph, "CREATE (:L {flag: true})")
    with pytest.raises(JobError, match="statement 2: "):
        run_shipped(graph, flags("MATCH (n:L) SET n.flag = false", "RETURN 1 / 0"), "run-1", TAG)
    assert value(graph, "MATCH (n:L) RETURN n.flag") is True
    assert graph.rows("MATCH (r:SyncRun) RETURN r") == []


LIKES = flags(
    "MATCH (a:L {id: 1}), (b:L {id: 2}) MERGE (a)-[r:LIKE]->(b) SET r.lastupdated = $UPDATE_TAG",
    writes_relationships=(("L", "LIKE", "L"),),
)


def test_a_relationship_written_again_keeps_when_it_was_first_seen(graph: Graph) -> None:
    run(
        graph,
        "CREATE (:L {id: 1, _scope: 's'})-[:LIKE {firstseen: 5, lastupdated: 5}]->(b:L {id: 2, _scope: 's'})"
        " CREATE (b)-[:LIKE {lastupdated: 5}]->(:L {id: 3})",
    )
    run_shipped(graph, LIKES, "run-1", TAG)
    assert graph.rows("MATCH (:L)-[r:LIKE]->(:L) RETURN properties(r) AS r") == [
        {"r": {"firstseen": 5, "lastupdated": TAG}}
    ]


def test_relationships_that_the_job_did_not_write_stay(graph: Graph) -> None:
    """A row's, of a scope that this run did not see; and an earlier tool's, of a node that no scope has seen."""
    run(
        graph,
        "CREATE (a:L {_scope: 's'})-[:LIKE {of: 'a row', _scope: 's', lastupdated: 5}]->(b:L)"
        " CREATE (b)-[:LIKE {of: 'an earlier tool', lastupdated: 5}]->(a)",
    )
    run_shipped(graph, LIKES, "run-1", TAG)
    assert graph.rows("MATCH ()-[r:LIKE]->() RETURN r.of AS of, r.lastupdated AS seen ORDER BY of") == [
        {"of": "a row", "seen": 5},
        {"of": "an earlier tool", "seen": 5},
    ]


def test_an_unchanged_estate_stays_as_it_is(graph: Graph) -> None:
    instance(graph, "i-1")
    rule(graph, "sg-1", "0.0.0.0/0")
    balancer_v2(graph, "alb", "sg-1", behind=("i-1",))
    scaled(graph, "asg", "i-1")
    for id_ in ("a", "b"):
        key_pair(graph, id_, MD5)
    bucket(graph, "b-1", "READ", policy=["s3:GetObject"])
    everything = "MATCH (n) WHERE NOT n:SyncRun RETURN elementId(n) AS id, properties(n) AS properties ORDER BY id"
    pictures = []
    for run_id in ("run-1", "run-2"):
        for job in shipped_jobs():
            run_shipped(graph, job, run_id, TAG)
        pictures.append(graph.rows(everything))
    assert pictures[0] == pictures[1]


# --- EC2 and ELB exposure ---


def instance(graph: Graph, id_: str, group: str = "sg-1", **properties: Any) -> None:
    run(
        graph,
        "MERGE (i:EC2Instance {id: $id}) SET i += $properties MERGE (g:EC2SecurityGroup {id: $group})"
        " MERGE (i)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)",
        id=id_,
        group=group,
        properties={"state": "running", "publicdnsname": f"{id_}.example.com", **properties},
    )


def rule(
    graph: Graph, group: str, *ranges: str, protocol: str | None = "tcp", ports: tuple[Any, Any] = (443, 443)
) -> None:
    run(
        graph,
        "MERGE (g:EC2SecurityGroup {id: $group})"
        " CREATE (p:IpRule:IpPermissionInbound {protocol: $protocol, fromport: $ports[0], toport: $ports[1]})"
        " CREATE (p)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)"
        " WITH p UNWIND $ranges AS range MERGE (r:IpRange {id: range}) SET r.range = range"
        " MERGE (r)-[:MEMBER_OF_IP_RULE]->(p)",
        group=group,
        ranges=ranges,
        protocol=protocol,
        ports=list(ports),
    )


def balancer(
    graph: Graph, id_: str, *groups: str, scheme: str | None = "internet-facing", behind: tuple[str, ...] = ()
) -> None:
    run(
        graph,
        "CREATE (b:LoadBalancer {id: $id, scheme: $scheme})"
        " CREATE (b)-[:ELB_LISTENER]->(:ELBListener {id: $id + '443', port: 443})"
        " FOREACH (id IN $groups | MERGE (g:EC2SecurityGroup {id: id}) MERGE (b)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g))"
        " FOREACH (id IN $behind | MERGE (i:EC2Instance {id: id}) MERGE (b)-[:EXPOSE]->(i))",
        id=id_,
        groups=groups,
        scheme=scheme,
        behind=behind,
    )


def exposed(graph: Graph) -> dict[str, Any]:
    """Everything flagged, with the way it is reached (a load balancer has none)."""
    analysed(graph, EXPOSURE)
    rows = graph.rows("MATCH (n {exposed_internet: true}) RETURN n.id AS id, n.exposed_internet_type AS how")
    return {row["id"]: row["how"] for row in rows}


def test_an_instance_with_a_public_address_in_an_open_group_is_exposed(graph: Graph) -> None:
    instance(graph, "i-open")
    instance(graph, "i-inside", publicdnsname="", privateipaddress="10.0.0.1")
    instance(graph, "i-closed", group="sg-2")
    rule(graph, "sg-1", "0.0.0.0/0")
    rule(graph, "sg-2", "10.0.0.0/8")
    assert exposed(graph) == {"i-open": ["direct"]}


def test_a_rule_opens_addresses_of_its_own_family(graph: Graph) -> None:
    """In 2020, and for long after, ::/0 opened instances that have no IPv6 address."""
    instance(graph, "i-v4")
    instance(graph, "i-v6", publicdnsname="", ipv6address="2600:1f18::1")
    instance(graph, "i-private", publicdnsname="", ipv6address="fd00::1")
    rule(graph, "sg-1", "::/0")
    assert exposed(graph) == {"i-v6": ["direct"]}


def test_an_address_goes_with_the_groups_of_its_own_interface(graph: Graph) -> None:
    """The instance's groups are those of its first interface, and not of the second."""
    instance(graph, "i-1", group="sg-closed", publicdnsname="")
    interface(graph, "i-1", "sg-closed", device_index=0, public_ips=["203.0.113.1"])
    interface(graph, "i-1", "sg-1", device_index=1, ipv6_addresses=["fd00::1"])
    rule(graph, "sg-1", "0.0.0.0/0", "::/0", protocol="-1", ports=(None, None))
    assert exposed(graph) == {}


@pytest.mark.parametrize(
    ("protocol", "ports", "opens"),
    [
        ("icmp", (-1, -1), False),
        ("icmpv6", (-1, -1), False),
        ("1", (None, None), False),
        ("58", (None, None), False),
        ("ICMP", (8, 0), False),
        ("udp", (53, 53), True),
        ("17", (53, 53), True),
        ("47", (None, None), True),
        ("-1", (None, None), True),
        (None, (None, None), True),
    ],
)
def test_an_instance_that_responses_pings_alone_is_not_exposed(
    graph: Graph, protocol: str | None, ports: tuple[Any, Any], opens: bool
) -> None:
    instance(graph, "i-1")
    rule(graph, "sg-1", "0.0.0.0/0", protocol=protocol, ports=ports)
    assert exposed(graph) == ({"i-1": ["direct"]} if opens else {})


def test_a_rule_for_another_group_or_for_its_own_members_lets_nobody_in(graph: Graph) -> None:
    """Whatever that other group lets in itself."""
    instance(graph, "i-open")
    instance(graph, "i-behind", group="sg-2")
    rule(graph, "sg-1", "0.0.0.0/0")
    run(
        graph,
        "MATCH (g:EC2SecurityGroup {id: 'sg-2'}), (o:EC2SecurityGroup {id: 'sg-1'})"
        " CREATE (g)-[:ALLOWS_TRAFFIC_FROM]->(o), (g)-[:ALLOWS_TRAFFIC_FROM]->(g)"
        " CREATE (:IpPermissionInbound {protocol: '-1', referenced_group_ids: ['sg-1', 'sg-2']})"
        "-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)",
    )
    assert exposed(graph) == {"i-open": ["direct"]}


def test_an_address_counts_wherever_it_is(graph: Graph) -> None:
    instance(graph, "i-ip", publicdnsname="", publicipaddress="203.0.113.1")
    instance(graph, "i-interface", group="sg-2", publicdnsname=None)
    run(
        graph,
        "MATCH (i:EC2Instance {id: 'i-interface'}) CREATE (n:NetworkInterface {public_ip: '203.0.113.2'})"
        " CREATE (i)-[:NETWORK_INTERFACE]->(n)"
        " MERGE (g:EC2SecurityGroup {id: 'sg-1'}) CREATE (n)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)",
    )
    rule(graph, "sg-1", "0.0.0.0/0")
    assert exposed(graph) == {"i-ip": ["direct"], "i-interface": ["direct"]}


def interface(graph: Graph, of: str, group: str, **properties: Any) -> None:
    """A second interface of an instance, in a group of its own."""
    run(
        graph,
        "MATCH (i:EC2Instance {id: $of}) CREATE (i)-[:NETWORK_INTERFACE]->(n:NetworkInterface) SET n = $properties"
        " MERGE (g:EC2SecurityGroup {id: $group}) CREATE (n)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g)",
        of=of,
        group=group,
        properties=properties,
    )


@pytest.mark.parametrize(
    ("properties", "anywhere", "found"),
    [
        ({"public_ips": ["203.0.113.2"]}, "0.0.0.0/0", True),
        ({"public_ips": []}, "0.0.0.0/0", False),
        ({"ipv6_addresses": ["2001:db8::1"]}, "::/0", True),
        ({"ipv6_addresses": ["2001:db8::1"]}, "0.0.0.0/0", False),
    ],
)
def test_a_second_interface_exposes_by_its_own_addresses_and_group(
    graph: Graph, properties: dict[str, Any], anywhere: str, found: bool
) -> None:
    instance(graph, "i-1", group="sg-2", publicdnsname="")
    interface(graph, "i-1", "sg-1", **properties)
    rule(graph, "sg-1", anywhere)
    assert exposed(graph) == ({"i-1": ["direct"]} if found else {})


def test_an_instance_whose_rules_were_not_read_is_not_known(graph: Graph) -> None:
    """Its group is a stub: shared by another account, or denied."""
    instance(graph, "i-public", group="sg-stub")
    instance(graph, "i-inside", group="sg-stub", publicdnsname="")
    instance(graph, "i-behind", group="sg-2", publicdnsname="")
    balancer(graph, "elb", "sg-stub", "sg-stub", behind=("i-behind",))
    run(graph, "MATCH (g:EC2SecurityGroup {id: 'sg-stub'}) SET g._scope = 'shared'")
    for type_ in types_read(EXPOSURE):
        seen(graph, type_)
    finding = analysed(graph, EXPOSURE)
    assert finding.lead == "exposed instances: not known for 2"
    assert "i-public" in str(finding)


def test_many_ways_in_are_named_once(graph: Graph) -> None:
    instance(graph, "i-1")
    instance(graph, "i-1", group="sg-2")
    for group in ("sg-1", "sg-2"):
        rule(graph, group, "0.0.0.0/0", "::/0")
        rule(graph, group, "0.0.0.0/0", ports=(22, 22))
        balancer(graph, f"elb of {group}", "sg-1", "sg-2", behind=("i-1",))
    assert exposed(graph)["i-1"] == ["direct", "elb"]


def test_behind_a_load_balancer_without_an_address_is_elb_only(graph: Graph) -> None:
    """In 2020 an instance that had any type got 'direct' as well, public address or not."""
    instance(graph, "i-1", publicdnsname="")
    instance(graph, "i-2")
    balancer(graph, "elb", "sg-1", behind=("i-1", "i-2"))
    rule(graph, "sg-1", "0.0.0.0/0")
    for run_id in ("before", "again"):
        analysed(graph, EXPOSURE, run_id)
    assert exposed(graph) == {"elb": None, "i-1": ["elb"], "i-2": ["direct", "elb"]}


@pytest.mark.parametrize(
    ("protocol", "ports", "opens"),
    [
        ("tcp", (443, 443), True),
        ("tcp", (0, 65535), True),
        ("6", (400, 500), True),
        ("-1", (None, None), True),
        ("all", (None, None), True),
        (None, (None, None), True),
        ("tcp", (None, None), True),
        ("tcp", (80, 80), False),
        ("tcp", (444, 65535), False),
        ("udp", (443, 443), False),
        ("icmp", (-1, -1), False),
    ],
)
def test_a_load_balancer_is_exposed_by_a_rule_for_its_listeners_port(
    graph: Graph, protocol: str | None, ports: tuple[Any, Any], opens: bool
) -> None:
    balancer(graph, "elb", "sg-1")
    rule(graph, "sg-1", "0.0.0.0/0", protocol=protocol, ports=ports)
    assert exposed(graph) == ({"elb": None} if opens else {})


def test_a_classic_load_balancer_has_no_ipv6_address(graph: Graph) -> None:
    balancer(graph, "elb", "sg-1")
    rule(graph, "sg-1", "::/0")
    assert exposed(graph) == {}


@pytest.mark.parametrize(
    ("type_", "anywhere", "opens"),
    [
        ("ipv4", "0.0.0.0/0", True),
        ("ipv4", "::/0", False),
        ("dualstack", "0.0.0.0/0", True),
        ("dualstack", "::/0", True),
        ("dualstack-without-public-ipv4", "0.0.0.0/0", False),
        ("dualstack-without-public-ipv4", "::/0", True),
        (None, "0.0.0.0/0", True),
        (None, "::/0", True),
    ],
)
def test_a_newer_load_balancer_is_reached_by_the_families_of_its_public_addresses(
    graph: Graph, type_: str | None, anywhere: str, opens: bool
) -> None:
    balancer_v2(graph, "alb", "sg-1")
    run(graph, "MATCH (b:LoadBalancerV2) SET b.ip_address_type = $type_", type_=type_)
    rule(graph, "sg-1", anywhere)
    assert exposed(graph) == ({"alb": None} if opens else {})


def test_a_load_balancer_is_judged_by_its_own_groups(graph: Graph) -> None:
    """In 2020 by every group that had the name of its source group."""
    balancer(graph, "elb", "sg-own")
    rule(graph, "sg-own", "10.0.0.0/8")
    rule(graph, "sg-same-name", "0.0.0.0/0")
    run(
        graph,
        "MATCH (b:LoadBalancer), (g:EC2SecurityGroup) SET g.name = 'default' MERGE (b)-[:SOURCE_SECURITY_GROUP]->(g)",
    )
    assert exposed(graph) == {}


def test_an_internal_load_balancer_exposes_nothing(graph: Graph) -> None:
    instance(graph, "i-1", group="sg-2")
    balancer(graph, "inside", "sg-1", scheme="internal", behind=("i-1",))
    balancer(graph, "inside without groups", scheme="internal")
    rule(graph, "sg-1", "0.0.0.0/0")
    assert exposed(graph) == {}


@pytest.mark.parametrize("scheme", ["internet-facing", "", None])
def test_in_ec2_classic_a_load_balancer_has_no_group_that_could_close_it(graph: Graph, scheme: str | None) -> None:
    balancer(graph, "classic", scheme=scheme)
    balancer(graph, "group not read", "sg-stub", scheme="internet-facing")
    assert exposed(graph) == {"classic": None}


def test_terminated_instances_are_not_exposed_and_unread_ones_are(graph: Graph) -> None:
    for state in ("running", "stopped", "terminated", "shutting-down"):
        instance(graph, f"i-{state}", group="sg-2", state=state, publicdnsname="")
    behind = ("i-running", "i-stopped", "i-terminated", "i-shutting-down", "i-unread")
    balancer(graph, "elb", behind=behind)
    assert set(exposed(graph)) == {"elb", "i-running", "i-stopped", "i-unread"}


def test_exposure_that_ended_is_gone(graph: Graph) -> None:
    """In 2020 the reset never matched anything: flags stuck for ever."""
    instance(graph, "i-1")
    rule(graph, "sg-1", "0.0.0.0/0")
    balancer(graph, "elb", "sg-1", behind=("i-1",))
    analysed(graph, EXPOSURE, "before")
    run(graph, "MATCH (:IpRange)-[r:MEMBER_OF_IP_RULE]->() DELETE r")
    assert exposed(graph) == {}
    assert value(graph, "MATCH (i:EC2Instance) RETURN i.exposed_internet_type") is None


# --- ALB, NLB, and auto scaling groups ---

VPC = "vpc-1"


def balancer_v2(
    graph: Graph,
    id_: str,
    *groups: str,
    type_: str = "application",
    scheme: str | None = "internet-facing",
    listener: tuple[str | None, int | None] = ("HTTPS", 443),
    behind: tuple[str, ...] = (),
) -> None:
    run(
        graph,
        "CREATE (b:LoadBalancerV2 {id: $id, arn: 'arn of ' + $id, type: $type, scheme: $scheme})"
        " CREATE (b)-[:ELBV2_LISTENER]->(:ELBV2Listener {protocol: $listener[0], port: $listener[1]})"
        " FOREACH (id IN $groups | MERGE (g:EC2SecurityGroup {id: id}) MERGE (b)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(g))"
        " FOREACH (id IN $behind | MERGE (i:EC2Instance {id: id}) MERGE (b)-[:EXPOSE]->(i))",
        id=id_,
        type=type_,
        scheme=scheme,
        listener=list(listener),
        groups=groups,
        behind=behind,
    )


def target_group(graph: Graph, of: str, kind: str, *targets: str, vpc: str = VPC) -> None:
    run(
        graph,
        "MATCH (b:LoadBalancerV2 {id: $of})"
        " CREATE (b)-[:ELBV2_TARGET_GROUP]->(:ELBV2TargetGroup {target_type: $kind, targets: $targets, vpc_id: $vpc})",
        of=of,
        kind=kind,
        targets=targets,
        vpc=vpc,
    )


def scaled(graph: Graph, group: str, *instances: str) -> None:
    run(
        graph,
        "MERGE (a:AutoScalingGroup {id: $group}) WITH a UNWIND $instances AS id"
        " MERGE (i:EC2Instance {id: id}) MERGE (i)-[:MEMBER_AUTO_SCALE_GROUP]->(a)",
        group=group,
        instances=instances,
    )


def inside(graph: Graph, id_: str, **properties: Any) -> None:
    """An instance without a public address, in a group of its own."""
    instance(graph, id_, group=f"sg of {id_}", publicdnsname="", **properties)


@pytest.mark.parametrize("anywhere", ["0.0.0.0/0", "::/0"])
def test_an_instance_behind_an_open_application_load_balancer_is_exposed(graph: Graph, anywhere: str) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "alb", "sg-1", behind=("i-1",))
    rule(graph, "sg-1", anywhere)
    assert exposed(graph) == {"alb": None, "i-1": ["elbv2"]}


def test_an_application_load_balancer_for_some_exposes_nothing(graph: Graph) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "alb", "sg-1", behind=("i-1",))
    rule(graph, "sg-1", "10.0.0.0/8")
    assert exposed(graph) == {}


@pytest.mark.parametrize(
    ("listener", "protocol", "ports", "opens"),
    [
        (("HTTP", 80), "tcp", (80, 80), True),
        (("HTTPS", 443), "6", (400, 500), True),
        (("TLS", 443), "tcp", (443, 443), True),
        (("TCP", 22), "tcp", (22, 22), True),
        (("TCP", 22), "tcp", (None, None), True),
        (("TCP", 22), "-1", (None, None), True),
        (("TCP", 22), "tcp", (80, 80), False),
        (("TCP", 53), "udp", (53, 53), False),
        (("HTTPS", 443), "udp", (443, 443), False),
        (("UDP", 53), "udp", (53, 53), True),
        (("UDP", 53), "17", (0, 65535), True),
        (("UDP", 53), "tcp", (53, 53), False),
        (("UDP", 53), "-1", (None, None), True),
        (("TCP_UDP", 53), "tcp", (53, 53), True),
        (("TCP_UDP", 53), "udp", (53, 53), True),
        (("TCP_UDP", 53), "icmp", (-1, -1), False),
        (("QUIC", 443), "udp", (443, 443), True),
        (("QUIC", 443), "tcp", (443, 443), False),
    ],
)
def test_a_newer_load_balancer_is_exposed_by_a_rule_for_its_listeners_port_and_protocol(
    graph: Graph, listener: tuple[str, int], protocol: str, ports: tuple[Any, Any], opens: bool
) -> None:
    balancer_v2(graph, "nlb", "sg-1", type_="network", listener=listener)
    rule(graph, "sg-1", "0.0.0.0/0", protocol=protocol, ports=ports)
    assert exposed(graph) == ({"nlb": None} if opens else {})


def test_nothing_filters_at_a_network_load_balancer_without_groups(graph: Graph) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "nlb", type_="network", listener=("TCP", 22), behind=("i-1",))
    balancer_v2(graph, "group not read", "sg-stub", type_="network")
    assert exposed(graph) == {"nlb": None, "i-1": ["elbv2"]}


def test_an_internal_newer_load_balancer_exposes_nothing(graph: Graph) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "alb", "sg-1", scheme="internal", behind=("i-1",))
    balancer_v2(graph, "nlb", type_="network", scheme="internal", behind=("i-1",))
    rule(graph, "sg-1", "0.0.0.0/0", protocol="-1", ports=(None, None))
    assert exposed(graph) == {}


@pytest.mark.parametrize("scheme", [None, "internet-facing"])
def test_a_gateway_load_balancer_exposes_nothing(graph: Graph, scheme: str | None) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "gwlb", type_="gateway", scheme=scheme, listener=(None, None), behind=("i-1",))
    assert exposed(graph) == {}


def test_each_way_in_is_named_once_in_order(graph: Graph) -> None:
    instance(graph, "i-1")
    rule(graph, "sg-1", "0.0.0.0/0", "::/0")
    rule(graph, "sg-1", "0.0.0.0/0", protocol="-1", ports=(None, None))
    balancer(graph, "elb", "sg-1", behind=("i-1",))
    balancer_v2(graph, "alb", "sg-1", behind=("i-1",))
    balancer_v2(graph, "nlb", type_="network", behind=("i-1",))
    analysed(graph, EXPOSURE, "before")
    assert exposed(graph)["i-1"] == ["direct", "elb", "elbv2"]


def test_behind_a_newer_load_balancer_terminated_instances_are_not_exposed_and_unread_ones_are(graph: Graph) -> None:
    for state in ("running", "stopped", "terminated", "shutting-down"):
        inside(graph, f"i-{state}", state=state)
    behind = ("i-running", "i-stopped", "i-terminated", "i-shutting-down", "i-unread")
    balancer_v2(graph, "nlb", type_="network", behind=behind)
    assert set(exposed(graph)) == {"nlb", "i-running", "i-stopped", "i-unread"}


def test_a_target_by_address_is_the_instance_that_has_it_in_that_vpc(graph: Graph) -> None:
    """In 2020 only targets by instance id counted. The second addresses of an instance are those of its containers."""
    for id_, vpc, addresses in (
        ("i-first", VPC, {"private_ip_addresses": ["10.0.0.1"]}),
        ("i-second", VPC, {"private_ip_addresses": ["10.0.0.2", "10.0.0.3"]}),
        ("i-ipv6", VPC, {"ipv6_addresses": ["2001:db8::1"]}),
        ("i-other", VPC, {"private_ip_addresses": ["10.0.0.9"]}),
        ("i-elsewhere", "vpc-2", {"private_ip_addresses": ["10.0.0.1"]}),
    ):
        inside(graph, id_)
        interface(graph, id_, f"sg of {id_}", vpc_id=vpc, **addresses)
    balancer_v2(graph, "nlb", type_="network")
    target_group(graph, "nlb", "ip", "10.0.0.1", "10.0.0.3", "2001:db8::1", "192.168.0.1")
    assert exposed(graph) == {"nlb": None, "i-first": ["elbv2"], "i-second": ["elbv2"], "i-ipv6": ["elbv2"]}


def test_behind_an_application_load_balancer_that_a_network_load_balancer_forwards_to(graph: Graph) -> None:
    """The inner one is internal: its own name leads nowhere from outside, so it isn't flagged."""
    inside(graph, "i-1")
    inside(graph, "i-2")
    interface(graph, "i-2", "sg of i-2", vpc_id=VPC, private_ip_addresses=["10.0.0.2"])
    balancer_v2(graph, "nlb", type_="network", listener=("TCP", 443))
    target_group(graph, "nlb", "alb", "arn of inner")
    balancer_v2(graph, "inner", "sg-inner", scheme="internal", behind=("i-1",))
    target_group(graph, "inner", "ip", "10.0.0.2")
    assert exposed(graph) == {"nlb": None, "i-1": ["elbv2"], "i-2": ["elbv2"]}


def test_what_is_behind_a_newer_load_balancer_whose_rules_were_not_read_is_not_known(graph: Graph) -> None:
    for id_ in ("i-instance", "i-address", "i-chain", "i-internal", "i-open"):
        inside(graph, id_)
    interface(graph, "i-address", "sg of i-address", vpc_id=VPC, private_ip_addresses=["10.0.0.1"])
    balancer_v2(graph, "alb", "sg-stub", behind=("i-instance", "i-open"))
    target_group(graph, "alb", "ip", "10.0.0.1")
    balancer_v2(graph, "nlb", "sg-stub", type_="network")
    target_group(graph, "nlb", "alb", "arn of inner")
    balancer_v2(graph, "inner", "sg-stub", scheme="internal", behind=("i-chain", "i-instance"))
    balancer_v2(graph, "internal", "sg-stub", scheme="internal", behind=("i-internal",))
    balancer_v2(graph, "open", type_="network", behind=("i-open",))
    run(graph, "MATCH (g:EC2SecurityGroup {id: 'sg-stub'}) SET g._scope = 'shared'")
    for type_ in types_read(EXPOSURE):
        seen(graph, type_)
    assert analysed(graph, EXPOSURE).lead == "1 exposed instance; 3 not known"


def test_an_auto_scaling_group_is_exposed_as_its_instances_are(graph: Graph) -> None:
    instance(graph, "i-direct")
    inside(graph, "i-behind")
    inside(graph, "i-safe")
    rule(graph, "sg-1", "0.0.0.0/0")
    balancer_v2(graph, "nlb", type_="network", behind=("i-behind", "i-direct"))
    scaled(graph, "both", "i-behind", "i-direct", "i-safe")
    scaled(graph, "one", "i-behind")
    scaled(graph, "none", "i-safe")
    scaled(graph, "empty")
    found = exposed(graph)
    assert {group: found.get(group) for group in ("both", "one", "none", "empty")} == {
        "both": ["direct", "elbv2"],
        "one": ["elbv2"],
        "none": None,
        "empty": None,
    }


def test_exposure_of_balancers_and_scaling_groups_that_ended_is_gone(graph: Graph) -> None:
    inside(graph, "i-1")
    balancer_v2(graph, "nlb", type_="network", behind=("i-1",))
    scaled(graph, "asg", "i-1")
    analysed(graph, EXPOSURE, "before")
    run(graph, "MATCH (b:LoadBalancerV2) SET b.scheme = 'internal'")
    assert exposed(graph) == {}
    assert value(graph, "MATCH (a:AutoScalingGroup) RETURN a.exposed_internet_type") is None


# --- key pairs ---

MD5 = "12:f8:7e:78:61:b4:bf:e2:de:24:15:96:4e:d4:72:53"
SHA1 = "1f:51:ae:28:bf:89:e9:d8:1f:25:5d:37:2d:7d:b8:ca:9f:f5:f1:6f"
ED25519 = "q1Gr+bTVaTmC5lpcEXAMPLE2rOhn3jPXmz8oXbBqYPk="


def key_pair(graph: Graph, id_: str, fingerprint: str | None, account: str = "1111") -> None:
    run(
        graph,
        "MERGE (a:AWSAccount {id: $account}) CREATE (a)-[:RESOURCE]->(k:EC2KeyPair {id: $id, keyname: $id})"
        " SET k.keyfingerprint = $fingerprint, k._scope = 'of ' + $account",
        id=id_,
        fingerprint=fingerprint,
        account=account,
    )


def flagged(graph: Graph, name: str) -> set[str]:
    return {row["id"] for row in graph.rows(f"MATCH (k:EC2KeyPair) WHERE k.{name} RETURN k.id AS id")}


def matches(graph: Graph) -> list[tuple[str, str]]:
    found = graph.rows("MATCH (a)-[:MATCHING_FINGERPRINT]->(b) RETURN a.id AS a, b.id AS b ORDER BY a, b")
    return [(row["a"], row["b"]) for row in found]


def test_an_imported_rsa_key_is_told_by_its_fingerprint(graph: Graph) -> None:
    """Of ED25519 keys nobody can tell; a key pair that is known by its name only has none."""
    for id_, fingerprint in (("imported", MD5), ("made by AWS", SHA1), ("ed25519", ED25519), ("deleted", None)):
        key_pair(graph, id_, fingerprint)
    analysed(graph, KEY_PAIRS)
    assert flagged(graph, "user_uploaded") == {"imported"}
    assert flagged(graph, "duplicate_keyfingerprint") == set()


def test_of_more_than_a_hundred_equal_keys_each_is_related_to_the_first(graph: Graph) -> None:
    run(graph, "UNWIND range(100, 200) AS n CREATE (:EC2KeyPair {id: toString(n), keyfingerprint: $md5})", md5=MD5)
    analysed(graph, KEY_PAIRS)
    assert matches(graph) == [("100", str(n)) for n in range(101, 201)]


def test_equal_keys_are_related_once_per_pair_over_all_accounts(graph: Graph) -> None:
    for id_, fingerprint, account in (
        ("c", MD5, "1111"), ("a", MD5, "2222"), ("b", MD5, "1111"), ("d", SHA1, "1111"), ("e", ED25519, "1111"),
        ("f", ED25519, "2222"), ("g", None, "1111"), ("h", None, "1111"), ("i", "", "1111"), ("j", "", "1111"),
    ):  # fmt: skip
        key_pair(graph, id_, fingerprint, account)
    analysed(graph, KEY_PAIRS)
    assert matches(graph) == [("a", "b"), ("a", "c"), ("b", "c"), ("e", "f")]
    assert flagged(graph, "duplicate_keyfingerprint") == {"a", "b", "c", "e", "f"}


def test_a_match_keeps_when_it_was_first_seen_and_goes_with_its_reason(graph: Graph) -> None:
    for id_ in ("a", "b", "c"):
        key_pair(graph, id_, MD5)
    analysed(graph, KEY_PAIRS, "before")
    run(graph, "MATCH ()-[m:MATCHING_FINGERPRINT]->() SET m.firstseen = 5, m.lastupdated = 5")
    run(graph, "MATCH (c:EC2KeyPair {id: 'c'}) SET c.keyfingerprint = $other", other=SHA1)
    analysed(graph, KEY_PAIRS)
    assert graph.rows("MATCH ()-[m:MATCHING_FINGERPRINT]->() RETURN properties(m) AS m") == [
        {"m": {"firstseen": 5, "lastupdated": TAG}}
    ]
    assert flagged(graph, "duplicate_keyfingerprint") == {"a", "b"}
    assert flagged(graph, "user_uploaded") == {"a", "b"}


def test_key_pairs_that_are_gone_are_not_known(graph: Graph) -> None:
    seen(graph, "aws.ec2.key_pairs")
    key_pair(graph, "a", MD5)
    key_pair(graph, "b", MD5, account="2222")
    run(graph, "CREATE (:EC2KeyPair {id: 'gone'})-[:SSH_LOGIN_TO]->(:EC2Instance {id: 'i-1'})")
    finding = analysed(graph, KEY_PAIRS)
    assert str(finding) == "2 duplicate key pairs; 1 not known"
    assert finding.examples == [
        {"pair": "a", "account": "1111", "region": None, "imported": True},
        {"pair": "b", "account": "2222", "region": None, "imported": True},
    ]


# --- S3 ---

GROUPS = "http://acs.amazonaws.com/groups"


def bucket(
    graph: Graph,
    name: str,
    *permissions: str,
    policy: list[str] | None,
    group: str = f"{GROUPS}/global/AllUsers",
    account: str = "1111",
    acl_seen: int = 2,
    of_account: str | None = "",
    **block: bool | str | None,
) -> None:
    """A bucket seen in run 2 with its owner's grant, and with grants to a group; `policy` None could not be read.

    Nothing blocks what it gives away, but for `block`, and for what its account has on: of_account=None wasn't read.
    """
    run(
        graph,
        "MERGE (a:AWSAccount {id: $account}) MERGE (b:S3Bucket {id: $name})"
        " SET b.policy_anonymous_actions = $policy, b.lastupdated = 2, b += $block"
        " MERGE (a)-[:RESOURCE]->(b)"
        " FOREACH (on IN $on | MERGE (o:S3AccountPublicAccessBlock {id: $account}) SET o.lastupdated = 2,"
        " o.ignore_public_acls = on = 'ignore', o.restrict_public_buckets = on = 'restrict')"
        " CREATE (:S3Acl {permission: 'FULL_CONTROL', type: 'CanonicalUser', granteeid: 'owner'})"
        "-[:APPLIES_TO {lastupdated: $acl_seen}]->(b)"
        " FOREACH (p IN $permissions | CREATE (:S3Acl {permission: p, type: 'Group', uri: $group})"
        "-[:APPLIES_TO {lastupdated: $acl_seen}]->(b))",
        acl_seen=acl_seen,
        name=name,
        permissions=permissions,
        policy=policy,
        group=group,
        account=account,
        on=[] if of_account is None else [of_account],
        block={"ignore_public_acls": False, "restrict_public_buckets": False, "object_ownership": "ObjectWriter"}
        | block,
    )


def access(graph: Graph, name: str) -> tuple[bool | None, list[str] | None]:
    [row] = graph.rows(
        "MATCH (b:S3Bucket {id: $name}) RETURN b.anonymous_access AS a, b.anonymous_actions AS l", {"name": name}
    )
    return row["a"], row["l"]


LISTING = ["s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"]


@pytest.mark.parametrize("group", [f"{GROUPS}/global/AllUsers", f"{GROUPS}/global/AuthenticatedUsers"])
@pytest.mark.parametrize(
    ("permission", "actions"),
    [
        ("READ", LISTING),
        ("WRITE", ["s3:DeleteObject", "s3:PutObject"]),
        ("READ_ACP", ["s3:GetBucketAcl"]),
        ("WRITE_ACP", ["s3:PutBucketAcl"]),
        ("FULL_CONTROL", ["s3:DeleteObject", "s3:GetBucketAcl", *LISTING, "s3:PutBucketAcl", "s3:PutObject"]),
    ],
)
def test_what_a_grant_to_everyone_allows(graph: Graph, group: str, permission: str, actions: list[str]) -> None:
    bucket(graph, "b", permission, policy=[], group=group)
    analysed(graph, S3)
    assert access(graph, "b") == (True, actions)


def test_grants_and_policy_are_one_list_without_duplicates(graph: Graph) -> None:
    bucket(graph, "b", "READ", "READ", policy=["s3:getobject", "s3:listbucket"])
    bucket(graph, "b", "READ_ACP", policy=["s3:getobject", "s3:listbucket"])
    analysed(graph, S3, "before")
    analysed(graph, S3)
    assert access(graph, "b") == (True, ["s3:GetBucketAcl", "s3:getobject", *LISTING])


def test_a_grant_to_the_log_delivery_group_is_not_public(graph: Graph) -> None:
    bucket(graph, "b", "WRITE", policy=[], group=f"{GROUPS}/s3/LogDelivery")
    analysed(graph, S3)
    assert access(graph, "b") == (None, None), "only its objects may be"


def test_an_acl_of_an_earlier_run_leaves_it_open_unless_something_says_yes(graph: Graph) -> None:
    bucket(graph, "quiet", policy=[], acl_seen=1)
    bucket(graph, "public by policy", policy=["s3:GetObject"], acl_seen=1)
    bucket(graph, "public by its last known grants", "READ_ACP", policy=[], acl_seen=1)
    bucket(graph, "read today", policy=[], object_ownership="BucketOwnerEnforced")
    analysed(graph, S3)
    assert access(graph, "quiet") == (None, None)
    assert access(graph, "public by policy") == (True, ["s3:GetObject"])
    assert access(graph, "public by its last known grants") == (True, ["s3:GetBucketAcl"])
    assert access(graph, "read today") == (False, [])


def test_a_bucket_whose_acl_was_never_read_is_not_known(graph: Graph) -> None:
    bucket(graph, "b", policy=[])
    run(graph, "MATCH (a:S3Acl) DETACH DELETE a")
    analysed(graph, S3)
    assert access(graph, "b") == (None, None)


def test_a_policy_that_was_not_read_leaves_it_open_unless_a_grant_says_yes(graph: Graph) -> None:
    bucket(graph, "quiet", policy=None)
    bucket(graph, "public", "READ_ACP", policy=None)
    analysed(graph, S3)
    assert access(graph, "quiet") == (None, None)
    assert access(graph, "public") == (True, ["s3:GetBucketAcl"])


def test_a_bucket_that_was_closed_is_no_longer_public(graph: Graph) -> None:
    bucket(graph, "b", "READ", policy=[])
    analysed(graph, S3, "before")
    run(graph, "MATCH (b:S3Bucket) SET b.ignore_public_acls = true")
    analysed(graph, S3)
    assert access(graph, "b") == (False, [])


def test_a_grant_of_an_earlier_reading_is_over(graph: Graph) -> None:
    """The scope was denied for another bucket, so nothing of it was deleted; this bucket's list was read again."""
    bucket(graph, "b", "READ", policy=[], acl_seen=1)
    run(
        graph,
        "MATCH (b:S3Bucket {id: 'b'}) CREATE (:S3Acl {type: 'CanonicalUser'})-[:APPLIES_TO {lastupdated: 2}]->(b)",
    )
    analysed(graph, S3)
    assert access(graph, "b") == (None, None), "what remains are its objects"


def test_what_a_block_takes_back(graph: Graph) -> None:
    """Either sees to its own: grants that are ignored leave the policy, a policy that is restricted the grants."""
    both: dict[str, Any] = {"policy": ["s3:GetObject"]}
    bucket(graph, "ignored", "READ_ACP", **both, ignore_public_acls=True)
    bucket(graph, "enforced", "READ_ACP", **both, object_ownership="BucketOwnerEnforced")
    bucket(graph, "restricted", "READ_ACP", **both, restrict_public_buckets=True)
    bucket(graph, "closed", "READ_ACP", **both, ignore_public_acls=True, restrict_public_buckets=True)
    bucket(graph, "no new ones", "READ_ACP", **both, block_public_acls=True, block_public_policy=True)
    analysed(graph, S3)
    assert access(graph, "ignored") == access(graph, "enforced") == (True, ["s3:GetObject"])
    assert access(graph, "restricted") == (True, ["s3:GetBucketAcl"])
    assert access(graph, "closed") == (False, [])
    assert access(graph, "no new ones") == (True, ["s3:GetBucketAcl", "s3:GetObject"])


def test_a_block_of_the_account_is_one_of_each_of_its_buckets(graph: Graph) -> None:
    bucket(graph, "by grant", "READ_ACP", policy=[], of_account="ignore")
    bucket(graph, "by policy", policy=["s3:GetObject"], of_account="ignore")
    bucket(graph, "of another", "READ_ACP", policy=[], account="2222")
    closed: dict[str, Any] = {"account": "3333", "of_account": "restrict", "object_ownership": "BucketOwnerEnforced"}
    bucket(graph, "restricted", policy=["s3:GetObject"], **closed)
    analysed(graph, S3)
    assert access(graph, "by grant") == access(graph, "restricted") == (False, [])
    assert access(graph, "by policy") == (True, ["s3:GetObject"])
    assert access(graph, "of another") == (True, ["s3:GetBucketAcl"])


@pytest.mark.parametrize("unread", [{"ignore_public_acls": None}, {"object_ownership": None}, {"of_account": None}])
def test_a_block_that_was_not_read_leaves_open_what_it_might_close(graph: Graph, unread: dict[str, Any]) -> None:
    bucket(graph, "by grant", "READ_ACP", policy=[], **unread)
    bucket(graph, "gives nothing", policy=[], **unread)
    bucket(graph, "ignored all the same", "READ_ACP", policy=[], **unread | {"ignore_public_acls": True})
    analysed(graph, S3)
    assert access(graph, "by grant") == access(graph, "gives nothing") == (None, None)
    assert access(graph, "ignored all the same") == (False, [])


CAN_BE_PUBLIC = "objects can be public by access control lists of their own"


def unknown(graph: Graph) -> dict[str, str]:
    """The buckets that the finding names as not known, and why."""
    findings = shipped(S3).findings
    assert findings
    [row] = graph.rows(findings.query)
    assert row["unknown"] >= len(row["unknown_examples"])
    return {one["bucket"]: one["why"] for one in row["unknown_examples"]}


def test_objects_may_be_public_where_lists_count(graph: Graph) -> None:
    """As S3 says of a bucket that gives nothing away itself: 'Objects can be public'."""
    bucket(graph, "as they all were before 2023", policy=[])
    bucket(graph, "of its account", policy=[], account="2222", of_account="ignore")
    bucket(graph, "public itself", "READ", policy=[])
    analysed(graph, S3)
    assert access(graph, "as they all were before 2023") == (None, None)
    assert access(graph, "of its account") == (False, [])
    assert access(graph, "public itself") == (True, LISTING)
    assert unknown(graph) == {"as they all were before 2023": CAN_BE_PUBLIC}


def test_a_policy_that_is_not_judged_is_named_with_its_reason(graph: Graph) -> None:
    bucket(graph, "b", policy=None, object_ownership="BucketOwnerEnforced", policy_not_known="not judged: operator X")
    bucket(graph, "c", policy=None, object_ownership="BucketOwnerEnforced")
    analysed(graph, S3)
    assert unknown(graph) == {"b": "its policy: not judged: operator X", "c": "its policy: it could not be read"}


def test_every_combination_of_what_was_read(graph: Graph) -> None:
    """Open by either way is open, closed by both is closed; all else is not known."""
    lists = {"ignored": False, "void": False, "granted": True, "quiet": None, "old": None, "block unread": None}
    policies = {"restricted": False, "none": False, "open": True, "unread": None, "open, block unread": None}
    for acl, policy in itertools.product(lists, policies):
        block: dict[str, Any] = {
            "ignore_public_acls": None if acl == "block unread" else acl == "ignored",
            "object_ownership": "BucketOwnerEnforced" if acl == "void" else "BucketOwnerPreferred",
            "restrict_public_buckets": None if policy == "open, block unread" else policy == "restricted",
        }
        grants = () if acl in ("quiet", "old") else ("READ_ACP",)
        actions = None if policy == "unread" else [] if policy == "none" else ["s3:GetObject"]
        bucket(graph, f"{acl}/{policy}", *grants, policy=actions, acl_seen=1 if acl == "old" else 2, **block)
    analysed(graph, S3)
    rows = graph.rows(
        "MATCH (b:S3Bucket) RETURN b.id AS id, b.anonymous_access AS a, b.anonymous_access_unknown AS why"
    )
    assert len(rows) == 30
    for row in rows:
        both = [lists[row["id"].split("/")[0]], policies[row["id"].split("/")[1]]]
        assert row["a"] is (True if True in both else None if None in both else False), row["id"]
        assert bool(row["why"]) is (row["a"] is None), row["id"]


def test_a_bucket_known_public_is_not_clean_after_a_denial(graph: Graph) -> None:
    """Run 1 read its policy, run 2 was denied it."""
    bucket(graph, "b", policy=["s3:GetObject"], object_ownership="BucketOwnerEnforced")
    analysed(graph, S3, "run-1")
    assert access(graph, "b") == (True, ["s3:GetObject"])
    run(graph, "MATCH (b:S3Bucket) SET b.policy_anonymous_actions = null, b.policy_not_known = 'it could not be read'")
    analysed(graph, S3, "run-2")
    assert access(graph, "b") == (None, None)
    assert unknown(graph) == {"b": "its policy: it could not be read"}


def test_a_block_of_the_account_that_was_read_earlier_says_nothing_about_today(graph: Graph) -> None:
    bucket(graph, "b", "READ_ACP", policy=[], of_account="ignore")
    run(graph, "MATCH (o:S3AccountPublicAccessBlock) SET o.lastupdated = 1")
    analysed(graph, S3)
    assert access(graph, "b") == (None, None)


# --- IAM ---


def user_in_group(graph: Graph, **own: Any) -> None:
    """alice, who has the policy `own` herself, is in a group with the policies `own` and `groups`."""
    run(
        graph,
        "CREATE (u:AWSPrincipal:AWSUser {arn: 'alice', _scope: 'users'})"
        "-[:MEMBER_AWS_GROUP {_scope: 'users'}]->(g:AWSPrincipal:AWSGroup {arn: 'g', _scope: 'groups'})"
        " CREATE (g)-[:POLICY {_scope: 'groups'}]->(:AWSPolicy {id: 'groups'})"
        " CREATE (g)-[:POLICY {_scope: 'groups'}]->(own:AWSPolicy {id: 'own'})"
        " CREATE (u)-[e:POLICY {_scope: 'users'}]->(own) SET e += $own",
        own=own,
    )


ALICES = "MATCH (:AWSUser {arn: 'alice'})-[e:POLICY]->(p) RETURN p.id AS policy, e._scope AS of, e.lastupdated AS seen"


def test_a_member_has_the_policies_of_the_group(graph: Graph) -> None:
    """Her own is left as her scope wrote it, also where that was in an earlier run."""
    user_in_group(graph, lastupdated=TAG - 1)
    analysed_without_verdict(graph, GROUP_POLICIES)
    assert graph.rows(f"{ALICES} ORDER BY policy") == [
        {"policy": "groups", "of": None, "seen": TAG},
        {"policy": "own", "of": "users", "seen": TAG - 1},
    ]


def test_who_leaves_a_group_loses_its_policies_and_keeps_her_own(graph: Graph) -> None:
    user_in_group(graph, lastupdated=TAG)
    analysed_without_verdict(graph, GROUP_POLICIES)
    run(graph, "MATCH (:AWSUser)-[e:MEMBER_AWS_GROUP]->() DELETE e")
    analysed_without_verdict(graph, GROUP_POLICIES, "run-2", TAG + 1)
    assert graph.rows(ALICES) == [{"policy": "own", "of": "users", "seen": TAG}]


# --- EKS ---


def clusters(graph: Graph, **public: tuple[bool | None, bool | None]) -> None:
    """By name: is the endpoint public, and are its ranges wide."""
    for name, (access, wide) in public.items():
        run(
            graph,
            "MERGE (a:AWSAccount {id: '1111'}) MERGE (c:EKSCluster {id: $name}) MERGE (a)-[:RESOURCE]->(c)"
            " SET c.name = $name, c.endpoint_public_access = $access, c.public_access_wide = $wide",
            name=name,
            access=access,
            wide=wide,
        )


def exposed_clusters(graph: Graph) -> set[str]:
    return {row["n"] for row in graph.rows("MATCH (c:EKSCluster {exposed_internet: true}) RETURN c.name AS n")}


def test_a_cluster_is_exposed_if_its_endpoint_is_public_and_lets_in_anybody(graph: Graph) -> None:
    seen(graph, "aws.eks.clusters")
    clusters(
        graph, open=(True, True), office=(True, False), inner=(False, True),
        older=(True, None), unread=(None, None), inner_older=(False, None), creating=(None, False),
    )  # fmt: skip
    finding = analysed(graph, EKS)
    assert exposed_clusters(graph) == {"open"}
    assert finding.lead == "1 exposed EKS cluster; 2 not known", (
        "older and unread; the others are closed whatever the rest"
    )
    assert [example["cluster"] for example in finding.examples] == ["open"]
    [found] = graph.rows(shipped(EKS).findings.query)  # type: ignore[union-attr]
    assert {example["cluster"]: example["why"] for example in found["unknown_examples"]} == {
        "older": "whom its endpoint lets in was not read",
        "unread": "whether its endpoint is public was not read",
    }


def test_a_cluster_that_was_closed_is_no_longer_exposed(graph: Graph) -> None:
    clusters(graph, closing=(True, True), other=(True, True))
    analysed(graph, EKS, "before")
    clusters(graph, closing=(True, False))
    analysed(graph, EKS)
    assert exposed_clusters(graph) == {"other"}


# --- verdicts ---


def test_a_verdict_counts_shows_and_says_what_it_did_not_see(graph: Graph) -> None:
    instance(graph, "i-1", region="eu-west-1")
    rule(graph, "sg-1", "0.0.0.0/0")
    for type_ in types_read(EXPOSURE):
        seen(graph, type_)
    seen(graph, "aws.ec2.instances", "denied", region="eu-south-1", reason="AccessDenied ec2:DescribeInstances")
    seen(graph, "aws.ec2.instances", "skipped", region="ap-east-1", reason="not enabled")
    seen(graph, "aws.rds.instances", "failed")
    finding = analysed(graph, EXPOSURE)
    gap = "eu-south-1 of 1111 (AccessDenied ec2:DescribeInstances)"
    assert str(finding) == f"1 exposed instance; 1 of 10 scopes not seen: {gap}"
    assert finding.examples == [{"instance": "i-1", "account": None, "region": "eu-west-1", "how": ["direct"]}]
    assert finding.judged


def test_a_verdict_names_a_tenant_whose_plan_was_denied(graph: Graph) -> None:
    """No scope of it is known, of any type."""
    for type_ in types_read(EXPOSURE):
        seen(graph, type_)
    why = "AccessDenied ec2:DescribeRegions: its regions are not known"
    seen(graph, "aws.regions", "denied", tenant="2222", region="global", reason=why)
    seen(graph, "aws.tenants", tenant="aws", region="global")
    assert str(analysed(graph, EXPOSURE)) == (
        f"exposed instances: none in what was seen; 1 of 10 scopes not seen: 2222 ({why})"
    )


def test_a_verdict_says_what_this_run_did_not_plan(graph: Graph) -> None:
    """A region not selected, one that is gone, and one that was never seen."""
    for type_ in types_read(EXPOSURE):
        seen(graph, type_, lastupdated=TAG)
    seen(graph, "aws.ec2.instances", region="us-east-1", lastupdated=TAG - 1)
    seen(graph, "aws.ec2.instances", "retired", region="us-west-2", lastupdated=TAG - 1, complete_at=1)
    seen(graph, "aws.ec2.instances", "skipped", region="me-south-1", lastupdated=TAG - 1)
    finding = analysed(graph, EXPOSURE)
    assert (finding.scopes, finding.earlier) == (10, 2)
    assert str(finding) == "0 exposed instances; 2 scopes as earlier runs saw them"


def test_a_type_that_never_was_complete_is_not_judged(graph: Graph) -> None:
    for type_ in types_read(EXPOSURE):
        if type_ not in ("aws.ec2.security_groups", "aws.elb.load_balancers"):
            seen(graph, type_)
    seen(graph, "aws.ec2.security_groups", "denied", complete_at=7)
    seen(graph, "aws.elb.load_balancers", "failed")
    assert analysed(graph, EXPOSURE).never_seen == ["aws.elb.load_balancers"]
    run(graph, "MATCH (s:SyncScope) DELETE s")
    assert analysed(graph, EXPOSURE, "run-2").never_seen == list(shipped(EXPOSURE).reads)


def test_a_type_that_shows_further_ways_is_named_and_what_was_seen_is_judged(graph: Graph) -> None:
    """A denied accelerator leaves the verdict on all else as it is; so does a type that nobody asked for."""
    instance(graph, "i-1")
    rule(graph, "sg-1", "0.0.0.0/0")
    for type_ in shipped(EXPOSURE).reads:
        seen(graph, type_)
    seen(graph, "aws.ec2.prefix_lists")
    why = "AccessDenied globalaccelerator:ListAccelerators"
    seen(graph, "aws.globalaccelerator.accelerators", "denied", region="global", reason=why)
    seen(graph, "aws.globalaccelerator.custom_routing_accelerators", "skipped", region="global")
    finding = analysed(graph, EXPOSURE)
    assert finding.judged
    told = f"1 exposed instance; 1 of 7 scopes not seen: 1111 ({why}); aws.cloudfront.vpc_origins never seen"
    assert str(finding) == told


def test_buckets_not_known_are_told_apart_from_private_ones(graph: Graph) -> None:
    seen(graph, "aws.s3.buckets", region="global")
    seen(graph, "aws.s3.acls", region="global")
    seen(graph, "aws.s3.account_public_access_block", region="global")
    bucket(graph, "private", policy=[], ignore_public_acls=True)
    bucket(graph, "policy not read", policy=None)
    bucket(graph, "open", "READ_ACP", policy=[])
    finding = analysed(graph, S3)
    assert finding.lead == "1 public bucket; 1 not known"
    assert finding.examples == [{"bucket": "open", "account": "1111", "actions": ["s3:GetBucketAcl"]}]
