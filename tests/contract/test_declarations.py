"""The contract of every resource type. A new declaration is found by itself; what it needs beside its file is a sample:

    tests/responses/<provider>/<type name>.json    {"s3:ListBuckets": [page, ...], "s3:GetBucketPolicy": {bucket:
    answer}}

written by hand from the provider's documentation, without secrets, so rich that each property and relationship of the
declaration is filled at least once, and of two items or more. How it is served: tests/contract/providers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from loaders.model import Link
from tasks.aws.client.paging import unclear
from tasks.aws.vocabulary.arn import kind_of
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.resource import ResourceType
from tests.contract import providers, shapes
from tests.contract.samples import ends, items_in, other_sample, rows_over_http, sample, where
from tests.contract.stand_in import StandIn

every_type = pytest.mark.parametrize("type_", registry.types().values(), ids=registry.types().keys())
every_aws_type = pytest.mark.parametrize("type_", registry.of("aws"), ids=lambda type_: type_.name)
MODELS: dict[str, shapes.ServiceModel] = {
    name: model for name in registry.providers() if (model := providers.stand_in_class(name).model)
}
every_type_with_a_model = pytest.mark.parametrize(
    "type_", [t for t in registry.types().values() if t.provider in MODELS], ids=lambda type_: type_.name
)


# --- what the declaration says, against the service's model ---


def test_there_are_types_to_check() -> None:
    assert registry.types()


@every_type
def test_its_provider_has_a_server_of_samples(type_: ResourceType) -> None:
    assert providers.known(type_.provider), (
        f"no server answers samples of {type_.provider}: write tests/contract/providers/{type_.provider}.py"
    )


@every_type_with_a_model
def test_its_calls_exist(type_: ResourceType) -> None:
    model = MODELS[type_.provider]
    for action in type_.fetch.calls:
        model.operation(action)
    if isinstance(type_.fetch, Listing):
        check_calls(type_, type_.fetch, model)


@every_aws_type
def test_its_calls_are_read_to_their_end(type_: ResourceType) -> None:
    """By a paginator, or by the names in the call's model. Else a first page would be taken for all."""
    found = {action: unclear(action) for action in type_.fetch.calls}
    assert not any(found.values()), {action: told for action, told in found.items() if told}


def check_calls(type_: ResourceType, fetch: Listing, model: shapes.ServiceModel) -> None:
    """Its parameters exist, and what it takes from the items to make or to look up another call is there, as text."""
    for action, parameters in (
        (fetch.action, [name for name, _ in fetch.parameters]),
        *((detail.action, [name for name, _ in (*detail.parameters, *detail.constants)]) for detail in fetch.details),
        *((together.action, [together.parameter]) for together in fetch.batch_details),
    ):
        takes = model.operation(action).input_shape
        known = takes.members if takes else {}
        assert set(parameters) <= set(known), f"{type_.name}: {action} takes {', '.join(known)}"
    item = shapes.item_of(fetch, model)
    for detail in fetch.details:
        place = shapes.walk(detail.each, item)[0] if detail.each else item
        for name, path in detail.parameters:
            assert_text(place, path, f"{type_.name}: {detail.action}: {name}={path!r}")
        for path, _ in detail.only:
            assert_text(place, path, f"{type_.name}: {detail.action}: only={path!r}")
    for beside in fetch.lookups:
        check_calls(type_, beside.listing, model)
        said = f"{type_.name}: {beside.listing.action}: by={beside.key!r}"
        assert_text(shapes.item_of(beside.listing, model), beside.key, said, many="[]" in beside.key)
    for together in fetch.batch_details:
        said = f"{type_.name}: {together.action}: "
        assert_text(item, together.path, f"{said}{together.parameter}={together.path!r}")
        response: Any = model.operation(together.action).output_shape
        assert_text(response, together.key, f"{said}by={together.key!r}", many=True)


def assert_text(place: shapes.Place, path: str, said: str, *, many: bool = False) -> None:
    shape, is_many = shapes.walk(path, place)
    assert (shape.type_name, is_many) == ("string", many), said


@every_type_with_a_model
def test_its_paths_lead_to_values_that_fit_the_fields(type_: ResourceType) -> None:
    if not isinstance(type_.fetch, Listing):
        pytest.skip("its fetch is code: what the paths lead to is checked by the sample alone")
    wrong = shapes.wrong_paths(type_, MODELS[type_.provider])
    assert not wrong, "\n".join(wrong)


# --- the sample ---


@every_type
def test_its_sample_responses_each_call(type_: ResourceType) -> None:
    assert set(sample(type_)) == set(type_.fetch.calls), (
        f"{where(type_)} must answer {', '.join(type_.fetch.calls)}, and no other"
    )


@every_type_with_a_model
def test_its_sample_is_a_possible_response(type_: ResourceType) -> None:
    wrong: list[str] = []
    for action, found in sample(type_).items():
        shape: Any = MODELS[type_.provider].operation(action).output_shape
        for name, page in pages_of(found):
            if not isinstance(page, str):
                wrong += shapes.violations(shape, page, f"{where(type_)}: {action}[{name!r}]")
    assert not wrong, "\n".join(wrong)


def pages_of(found: list[Any] | dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every page of a call's responses, by its number or by the word that tells the items' calls apart."""
    if isinstance(found, list):
        yield from enumerate(found)
        return
    for name, response in found.items():
        yield from ((name, page) for page in (response if isinstance(response, list) else [response]))


@every_type
def test_its_sample_has_more_than_one_item(type_: ResourceType, stand_in: StandIn) -> None:
    if isinstance(type_.fetch, Listing) and (paths := stand_in.items_paths(type_.fetch)):
        items = [item for page in sample(type_)[type_.fetch.action] for path in paths for item in items_in(page, path)]
        assert len(items) > 1, f"add a second item to {where(type_)}: then the cleanup can be checked"


@every_type
def test_its_sample_fills_every_property_and_relationship(
    type_: ResourceType, stand_in: StandIn, broker: redis.Redis
) -> None:
    rows = rows_over_http(type_, stand_in, broker)
    others = rows_over_http(type_, stand_in, broker, responses=other_sample(type_))
    missing: dict[str, Any] = {}
    for each in type_.each:
        model, found = each.node.model, rows[each.node.model] + others[each.node.model]
        for declared in model.properties:
            if not any(row["p"].get(declared.name) is not None for row in found):
                missing[f"property {model.label}.{declared.name}"] = declared.source
        for relationship in model.relationships:
            if not any(ends(model, relationship, row) for row in found):
                name = f"relationship {model.label} {relationship.type} {relationship.label}"
                missing[name] = getattr(relationship, "keys", relationship)
    assert not missing, "\n".join(
        f"{type_.name}: {what} is filled by no sample: add {_said(source)} to {where(type_)}"
        for what, source in missing.items()
    )


@every_aws_type
def test_it_says_of_which_kind_its_arns_are(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> None:
    """Tags are listed by ARN: a node whose kind nobody says would be one without tags."""
    rows = rows_over_http(type_, stand_in, broker)
    for node in type_.nodes:
        model = node.model
        if model.shared or not issubclass(node, AWSNode) or any(r.type == "TAGGED" for r in model.references):
            continue
        arns = {row["p"].get("arn", row["k"]) for row in rows[model] if isinstance(row["p"].get("arn", row["k"]), str)}
        kinds = {kind for arn in arns if (kind := kind_of(arn))}
        if not node.declares_arn:
            assert "arn" not in {p.name for p in model.properties}, (
                f"{type_.name}: {model.label} has an arn: say arn={min(kinds, default=None)!r} in its class line, "
                "or arn=None if the tagging API never lists it"
            )
        elif node.arn_kind and not node.found_by_id:
            assert kinds == {node.arn_kind}, f"{type_.name}: {model.label} says arn={node.arn_kind!r}, it has {arns}"


def _said(source: Any) -> str:
    if isinstance(source, Link):
        return " and ".join(f"what fills {mine}" for mine, _ in source.on)
    path = getattr(source, "parent_path", source)
    return path if isinstance(path, str) else f"what {source.__name__}() looks for"
