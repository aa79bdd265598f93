"""What AWS networks expose: answers through the real loader, judged by the job and, at random, by a judge apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.engine import run_shipped, shipped_jobs, verdict
from loaders.graph import Graph
from tests.integration.estates import networks
from tests.integration.estates.networks import Judge, Maker, Network
from tests.integration.runs import Sync, scope

NETWORKS, SEED = 250, 17
JOB = next(job for job in shipped_jobs() if job.name == "aws_ec2_asset_exposure")


def judged(sync: Sync, graph: Graph, answers: Mapping[str, list[dict[str, Any]]]) -> None:
    sync.run({scope(type_): items for type_, items in answers.items()})
    run_shipped(graph, JOB, f"run-{sync.tag}", sync.tag)


def instances(graph: Graph, where: str) -> set[str]:
    return {row["id"] for row in graph.rows(f"MATCH (i:EC2Instance) WHERE {where} RETURN i.id AS id")}


def test_random_networks_are_judged_as_packets_would_go(sync: Sync, graph: Graph) -> None:
    """In one graph, each with ids of its own. None exposed is missed, none not known is called closed."""
    made = [Maker(number, SEED).network_of_its_own() for number in range(NETWORKS)]
    judged(sync, graph, networks.answers(made))
    surely = {id_ for network in made for id_ in Judge(network, hopeful=False).exposed()}
    perhaps = {id_ for network in made for id_ in Judge(network, hopeful=True).exposed()} - surely
    assert min(len(surely), len(perhaps)) > 20, "the networks are too much alike"
    exposed = instances(graph, "i.exposed_internet")
    assert (surely - exposed, exposed - surely) == (set(), set()), shown(made, surely ^ exposed)
    unknown = instances(graph, "i.exposed_internet_unknown IS NOT NULL")
    assert (perhaps - unknown, unknown - perhaps) == (set(), set()), shown(made, perhaps ^ unknown)
    finding = verdict(graph, JOB, sync.tag)
    assert (finding.count, finding.unknown) == (len(surely), len(perhaps))


def shown(made: list[Network], differing: set[str]) -> str:
    """The first network that was judged otherwise."""
    return next((repr(network) for network in made if differing & network.instances.keys()), "")
