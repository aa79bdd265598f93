"""Which resource types a query reads: what was not seen of these, its result doesn't hold."""

from __future__ import annotations

import pytest

from analysis import shipped
from analysis.queries import catalog
from analysis.queries.resource_types import ReadTypes, read_types
from loaders.read_only import Operator
from tasks.engine import registry

SCHEMA = registry.schema()


def types(query: str, *plan: Operator) -> set[str]:
    found = read_types(query, plan, SCHEMA, shipped.jobs())
    return {*found.types, *found.also}


def test_labels_name_the_types_that_own_them() -> None:
    query = "MATCH (:AWSAccount)-[:RESOURCE]->(d:RDSInstance) RETURN d // S3Bucket"
    assert types(query) == {"aws.account", "aws.iam.account_summary", "aws.organizations", "aws.rds.instances"}


def test_every_spelling_of_a_label_counts() -> None:
    assert "aws.rds.instances" in types("MATCH (d:`AWSRDSInstance`) RETURN d")


def test_texts_name_nothing() -> None:
    assert types("MATCH (scope:SyncScope) WHERE scope.type = 'RDSInstance' RETURN scope") == set()


def test_without_a_label_a_relationship_names_its_types() -> None:
    assert "aws.tags" in types("MATCH ()-[r:TAGGED]->() RETURN r")


def test_with_one_label_a_relationship_names_the_types_at_its_other_end() -> None:
    found = types("MATCH (:OktaOrganization)-[:RESOURCE]->(x) RETURN x")
    assert {"okta.users", "okta.groups"} <= found
    assert not any(name.startswith("aws.") for name in found)


def test_a_relationship_of_any_type_names_all_its_neighbours() -> None:
    for pattern in ("--", "-->", "-[*..2]-", "-[r]->", "<--"):
        assert "aws.s3.acls" in types(f"MATCH (b:S3Bucket){pattern}(x) RETURN x"), pattern
    assert "aws.s3.acls" not in types("MATCH (b:S3Bucket) WHERE b.size - 1 > -2 RETURN b")


def test_a_property_of_a_job_rests_on_what_the_job_reads() -> None:
    plain, exposed = "MATCH (i:EC2Instance) RETURN i.id", "MATCH (i:EC2Instance {exposed_internet: true}) RETURN i.id"
    assert "aws.ec2.security_groups" not in types(plain)
    assert {"aws.ec2.security_groups", "aws.elb.load_balancers"} <= types(exposed)


@pytest.mark.parametrize(
    ("query", "operator"),
    [
        ("MATCH (n) RETURN n", Operator("AllNodesScan", "n")),
        ("MATCH (n:$($l)), (:S3Bucket) RETURN n", Operator("AllNodesScan", "n")),
        ("MATCH (n) RETURN count(n)", Operator("NodeCountFromCountStore", "count( () ) AS `count(n)`")),
        ("MATCH (n) WHERE elementId(n) = $id RETURN n", Operator("NodeByElementIdSeek", "n WHERE elementId(n) = $id")),
        ("CALL db.labels()", Operator("ProcedureCall", "db.labels() :: (label :: STRING)")),
        ("MATCH (n:Mine) RETURN n", Operator("NodeByLabelScan", "n:Mine")),
    ],
)
def test_what_no_declared_label_bounds_reads_everything(query: str, operator: Operator) -> None:
    found = read_types(query, [Operator("ProduceResults", ""), operator], SCHEMA, shipped.jobs())
    assert found == ReadTypes(tuple(registry.types()))


def test_what_reads_no_graph_reads_nothing() -> None:
    assert types("UNWIND [1, 2] AS x RETURN x", Operator("Unwind", "[1, 2] AS x"), Operator("EmptyRow", "")) == set()


def test_the_count_of_a_label_reads_its_types() -> None:
    query, details = "MATCH (b:S3Bucket) RETURN count(b)", "count( (:S3Bucket) ) AS `count(b)`"
    assert types(query, Operator("NodeCountFromCountStore", details)) == {"aws.s3.buckets"}


def test_every_sample_query_but_those_about_the_coverage_reads_something() -> None:
    nothing = {query.name for query in catalog.shipped().values() if not types(query.text)}
    assert nothing == {"samples.scopes-not-seen"}
