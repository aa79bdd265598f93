"""What an attempt could not read of an item stays in the graph as it is; what the list no longer has goes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import redis

from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState, State
from loaders.scope import Scope
from loaders.writer import Writer
from tasks.engine import registry
from tests.contract import providers
from tests.contract.loading import Runs
from tests.contract.samples import scope_of
from tests.contract.stand_in import StandIn
from workers import embedded

ECR = "aws.ecr.repositories"
ACLS = "aws.s3.acls"


@pytest.fixture
def aws() -> Iterator[StandIn]:
    with providers.running("aws") as stand_in:
        yield stand_in


@pytest.fixture
def runs(graph: Graph, services: embedded.Services, broker: redis.Redis, aws: StandIn) -> Iterator[Runs]:
    indexes.ensure(graph, registry.schema())
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield Runs(writer, broker, {"aws": aws})
    writer.release()
    writer.close()


def repositories(*names: str) -> list[dict[str, Any]]:
    found = [
        {
            "repositoryArn": f"arn:aws:ecr:eu-west-1:111122223333:repository/{name}",
            "repositoryName": name,
            "repositoryUri": f"example.test/{name}",
        }
        for name in names
    ]
    return [{"repositories": found}]


def images(*tags: str) -> dict[str, Any]:
    return {"imageDetails": [{"imageDigest": f"sha256:{tag}", "imageTags": [tag]} for tag in tags]}


def pulled(graph: Graph) -> list[str]:
    return [row["uri"] for row in graph.rows("MATCH (i:ECRRepositoryImage) RETURN i.uri AS uri ORDER BY uri")]


def run(runs: Runs, type_name: str, aws: StandIn, responses: dict[str, Any]) -> list[str]:
    """One run of the type; the gaps of its scope."""
    ledger: Ledger = runs.load({type_name: responses})
    unit = ledger.unit(scope_of(registry.types()[type_name], aws))
    assert unit is not None
    ledger.forget()
    gaps: list[str] = unit.outcome.get("gaps", [])
    return gaps


def test_a_detail_that_fails_keeps_what_the_graph_has_of_it_and_nothing_else(
    runs: Runs, graph: Graph, aws: StandIn
) -> None:
    first = {"app": images("a1", "a2"), "web": images("w1", "w2"), "old": images("o1")}
    assert (
        run(
            runs, ECR, aws, {"ecr:DescribeRepositories": repositories("app", "web", "old"), "ecr:DescribeImages": first}
        )
        == []
    )

    second = {"app": "AccessDeniedException", "web": images("w1")}
    gaps = run(runs, ECR, aws, {"ecr:DescribeRepositories": repositories("app", "web"), "ecr:DescribeImages": second})
    assert gaps == ["ecr:DescribeImages: AccessDeniedException (1 item)"]
    assert pulled(graph) == ["example.test/app:a1", "example.test/app:a2", "example.test/web:w1"]
    assert graph.rows("MATCH (r:ECRRepository) RETURN r.name AS name, r.lastupdated AS seen ORDER BY name") == [
        {"name": "app", "seen": 2},
        {"name": "web", "seen": 2},
    ]
    kept = (
        "MATCH (:ECRRepository {name: 'app'})-[e:REPO_IMAGE]->(i) RETURN i.lastupdated AS image, e.lastupdated AS edge"
    )
    assert graph.rows(kept) == [{"image": 1, "edge": 1}] * 2, "as old as they are"

    third = {"app": images("a1"), "web": images("w1")}
    assert (
        run(runs, ECR, aws, {"ecr:DescribeRepositories": repositories("app", "web"), "ecr:DescribeImages": third}) == []
    )
    assert pulled(graph) == ["example.test/app:a1", "example.test/web:w1"], "seen again, it goes by the list again"


def test_a_detail_that_never_succeeds_does_not_keep_what_the_list_no_longer_has(
    runs: Runs, graph: Graph, aws: StandIn
) -> None:
    for names in (("app", "old"), ("app",)):
        responses = dict.fromkeys(names, "AccessDeniedException")
        run(runs, ECR, aws, {"ecr:DescribeRepositories": repositories(*names), "ecr:DescribeImages": responses})
    assert [row["name"] for row in graph.rows("MATCH (r:ECRRepository) RETURN r.name AS name")] == ["app"]


def test_an_element_without_its_key_costs_itself(runs: Runs, graph: Graph, aws: StandIn) -> None:
    """And what the graph has of the item stays: the element may be any of it."""
    responses: dict[str, Any] = {
        "ecr:DescribeRepositories": repositories("app"),
        "ecr:DescribeImages": {"app": images("a1", "a2")},
    }
    run(runs, ECR, aws, responses)
    bad = deepcopy(responses)
    listed = bad["ecr:DescribeImages"]["app"]["imageDetails"]
    listed[0] = {"imageDigest": "sha256:a3", "imageTags": ["a3"]}
    listed.append({"imageTags": []})
    gaps = run(runs, ECR, aws, bad)
    assert gaps
    assert all(gap.startswith("rejected: ") for gap in gaps)
    assert pulled(graph) == ["example.test/app:a1", "example.test/app:a2", "example.test/app:a3"]


def test_grants_of_a_bucket_whose_list_is_denied_stay_though_other_buckets_have_the_same(
    runs: Runs, graph: Graph, aws: StandIn
) -> None:
    """Equal grants are one node: that one bucket no longer has it says nothing of the other."""
    everybody = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
    public = {"Owner": {"ID": "o"}, "Grants": [{"Grantee": everybody, "Permission": "READ"}]}
    private = {
        "Owner": {"ID": "o"},
        "Grants": [{"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "READ"}],
    }
    listed = [{"Buckets": [{"Name": name, "BucketRegion": "eu-west-1"} for name in ("one", "two")]}]
    assert run(runs, ACLS, aws, {"s3:ListBuckets": listed, "s3:GetBucketAcl": {"one": public, "two": public}}) == []
    run(runs, ACLS, aws, {"s3:ListBuckets": listed, "s3:GetBucketAcl": {"one": private, "two": "AccessDenied"}})
    query = (
        "MATCH (a:S3Acl)-[e:APPLIES_TO]->(b)"
        " RETURN b.arn AS bucket, a.type AS type, e.lastupdated AS seen ORDER BY bucket"
    )
    assert graph.rows(query) == [
        {"bucket": "arn:aws:s3:::one", "type": "CanonicalUser", "seen": 2},
        {"bucket": "arn:aws:s3:::two", "type": "Group", "seen": 1},
    ]


def test_resume_reads_again_what_was_complete_but_for_a_detail(runs: Runs, graph: Graph, aws: StandIn) -> None:
    """And what the detail no longer has goes then: nothing is kept any more."""
    scope: Scope = scope_of(registry.types()[ECR], aws)
    run(
        runs,
        ECR,
        aws,
        {"ecr:DescribeRepositories": repositories("app"), "ecr:DescribeImages": {"app": images("a1", "a2")}},
    )
    responses = {
        "ecr:DescribeRepositories": repositories("app"),
        "ecr:DescribeImages": {"app": "AccessDeniedException"},
    }
    ledger = runs.load({ECR: responses})
    assert pulled(graph) == ["example.test/app:a1", "example.test/app:a2"]
    assert ledger.open_barrier("test", lease_seconds=60)
    ledger.close("test", RunState.COMPLETE, {})

    assert scope in ledger.resume({})
    unit = ledger.unit(scope)
    assert unit is not None
    assert (str(unit.state), unit.outcome.get("gaps")) == ("planned", None)
    responses["ecr:DescribeImages"] = {"app": images("a1")}
    runs.again(ledger, {ECR: responses})
    unit = ledger.unit(scope)
    assert unit is not None
    assert (unit.state, unit.outcome.get("gaps")) == (State.CLEANED, None)
    assert pulled(graph) == ["example.test/app:a1"]
    ledger.forget()


def test_which_item_a_shared_grant_is_from_does_not_depend_on_their_order(
    runs: Runs, graph: Graph, aws: StandIn
) -> None:
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": "o"}, "Permission": "READ"}
    acls = {name: {"Owner": {"ID": "o"}, "Grants": [grant]} for name in ("one", "two", "three")}
    found = set()
    for names in (("one", "two", "three"), ("three", "two", "one"), ("two", "three", "one")):
        listed = [{"Buckets": [{"Name": name, "BucketRegion": "eu-west-1"} for name in names]}]
        run(runs, ACLS, aws, {"s3:ListBuckets": listed, "s3:GetBucketAcl": acls})
        found |= {row["item"] for row in graph.rows("MATCH (a:S3Acl) RETURN a._item AS item")}
    assert len(found) == 1
