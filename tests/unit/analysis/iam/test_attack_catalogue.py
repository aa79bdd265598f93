"""The catalogue of ways names real actions and things that its start has; what the actor chooses has one name."""

from __future__ import annotations

import json

import pytest

from analysis.iam import attack_catalogue, service_authorization
from analysis.iam.attack_account import Account
from analysis.iam.attack_catalogue import NEW, Start
from analysis.iam.attack_paths import Accounts, find
from analysis.iam.policy_evaluation import Statement
from analysis.iam.principals import Principal

PREFIX = "arn:aws:iam::111122223333:"
NAMES = {
    Start.SELF: {"self"},
    Start.OWN_GROUP: {"group"},
    Start.OWN_POLICY: {"policy"},
    Start.GROUP: {"group"},
    Start.USER: {"user"},
    Start.ROLE: {"role"},
    Start.ROLE_WITH_POLICY: {"role", "policy"},
    Start.PASSABLE_ROLE: {"role"},
    Start.FUNCTION: {"function", "role"},
    Start.INSTANCE: {"instance", "role"},
}


def test_every_way_of_the_public_catalogue_is_evaluated_or_left_out_with_a_reason() -> None:
    evaluated = [way.id for way in attack_catalogue.ways()]
    assert len(evaluated) == len(set(evaluated))
    assert not set(evaluated) & attack_catalogue.left_out().keys()
    assert len(evaluated) + len(attack_catalogue.left_out()) == 65


@pytest.mark.parametrize("way", attack_catalogue.ways(), ids=lambda way: way.id)
def test_a_way_names_actions_of_aws_and_things_of_its_start(way: attack_catalogue.Way) -> None:
    for action in (*(one.action for one in way.requires), *way.by_itself):
        assert [str(known) for known in service_authorization.actions(action)] == [action]
    assert {one.on for one in way.requires if not one.on.startswith("arn:")} <= NAMES[way.start] | {NEW}


def _statement(*actions: str, on: str = "*") -> Statement:
    return Statement.of(
        {"effect": "Allow", "action": actions, "notaction": None, "resource": (on,), "notresource": None,
         "condition": None}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("created", "invoked", "is_path"),
    [
        ("function:dev-*", "function:dev-*", True),
        ("function:dev-*", "function:*-x", True),
        ("function:dev-*", "function:prod-*", False),
    ],
)
def test_a_new_function_must_have_a_name_that_all_actions_are_allowed_on(
    created: str, invoked: str, is_path: bool
) -> None:
    anywhere = "arn:aws:lambda:*:*:"
    statements = (
        _statement("iam:PassRole"),
        _statement("lambda:CreateFunction", on=anywhere + created),
        _statement("lambda:InvokeFunction", on=anywhere + invoked),
    )
    user, role = f"{PREFIX}user/dev", f"{PREFIX}role/admin"
    trust = [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
    account = Account(
        PREFIX,
        users={user: Principal(user, is_role=False, statements=statements)},
        roles={role: Principal(role, is_role=True, statements=(_statement("*"),))},
        groups={},
        trust={role: (json.dumps(trust), "2012-10-17")},
    )
    found = find(Accounts((PREFIX,), lambda _: account))
    assert [path.source for path in found.paths] == [user] * is_path
