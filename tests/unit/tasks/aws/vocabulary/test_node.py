"""Bases of node models: what they declare is part of every model that derives from them."""

from __future__ import annotations

from loaders.model import key, outgoing, prop
from tasks.aws.vocabulary.node import RegionalNode


class Listener(RegionalNode):
    port: int = prop("Port")
    relationships = (outgoing("PART_OF", "LoadBalancer", "LoadBalancerArn"),)


class TestListener(Listener, label="TestListener", arn="test:listener"):
    __test__ = False
    arn: str = key("ListenerArn")
    port: int = prop("ListenerPort")
    name: str | None = prop("Name")


def test_a_model_has_the_fields_and_relationships_of_its_bases() -> None:
    model = TestListener.model
    assert [(declared.name, declared.source) for declared in model.properties[:3]] == [
        ("arn", "ListenerArn"),
        ("port", "ListenerPort"),
        ("name", "Name"),
    ]
    assert [declared.name for declared in model.properties[3:]] == ["region"]
    assert [relationship.type for relationship in model.relationships] == ["PART_OF", "TAGGED"]


def test_a_base_is_not_a_node() -> None:
    assert not hasattr(Listener, "model")
    assert TestListener.model.identity is TestListener.model
    assert TestListener.model.labels == ("TestListener", "AWSTestListener")
