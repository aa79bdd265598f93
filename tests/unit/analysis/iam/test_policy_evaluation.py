"""IAM's rules by example: what a principal's policies say of one action, for each of some roles."""

from __future__ import annotations

import json
import time
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.iam.policy_evaluation import ALWAYS, Access, Statement, access
from analysis.iam.resources import Patterns, Resources

ACTION = "sts:AssumeRole"
DEV, PROD, ADMIN = (f"arn:aws:iam::111122223333:role/{name}" for name in ("dev", "prod", "team/admin"))
ROLES = (DEV, PROD, ADMIN)
MFA = '[{"Bool": {"aws:MultiFactorAuthPresent": "true"}}]'


def statement(effect: str = "Allow", **elements: Any) -> Statement:
    """As the graph has it; every action on every resource unless it says otherwise."""
    node = dict.fromkeys(("action", "notaction", "resource", "notresource", "condition")) | {"effect": effect}
    if "notaction" not in elements:
        node["action"] = ["*"]
    if "notresource" not in elements:
        node["resource"] = ["*"]
    return Statement.of(node | elements)


def result(*statements: Statement) -> Access:
    return access(statements, ACTION, Resources(ROLES))


def allowed(*statements: Statement) -> set[str]:
    """The roles that are allowed whatever the request, and not denied."""
    found = result(*statements)
    return {arn for arn, conditions in found.allow.items() if conditions == ALWAYS and arn not in found.deny}


# --- actions ---


@pytest.mark.parametrize(
    ("action", "matches"),
    [
        ("sts:AssumeRole", True),
        ("STS:assumerole", True),
        ("sts:*", True),
        ("sts:Assume*", True),
        ("*:AssumeRole", True),
        ("*", True),
        ("sts:AssumeRol?", True),
        ("sts:AssumeRole?", False),
        ("sts:Assume?ole", True),
        ("sts:AssumeRoleWithSAML", False),
        ("sts:Assume", False),
        ("sts.AssumeRole", False),
        ("s3:*", False),
    ],
)
def test_actions(action: str, matches: bool) -> None:
    assert allowed(statement(action=[action])) == (set(ROLES) if matches else set())
    assert allowed(statement(notaction=[action])) == (set() if matches else set(ROLES))


def test_all_but_some_actions_are_those_that_none_of_them_names() -> None:
    assert allowed(statement(notaction=["iam:*", "sts:*"])) == set()
    assert allowed(statement(notaction=["iam:*", "s3:*"])) == set(ROLES)


# --- resources ---


@pytest.mark.parametrize(
    ("resource", "matching"),
    [
        (DEV, {DEV}),
        ("*", set(ROLES)),
        ("arn:aws:iam::*:role/*", set(ROLES)),
        ("arn:aws:iam::111122223333:role/???", {DEV}),
        ("arn:aws:iam::111122223333:role/*d*", {DEV, PROD, ADMIN}),
        ("arn:aws:iam::111122223333:role/team/*", {ADMIN}),
        ("arn:aws:iam::111122223333:role/DEV", set()),
        ("arn:aws:iam::444455556666:role/*", set()),
        ("arn:aws:iam::111122223333:role/d[e]v", set()),
        ("arn:aws:iam::111122223333:role/d.v", set()),
    ],
)
def test_resources(resource: str, matching: set[str]) -> None:
    assert allowed(statement(resource=[resource])) == matching
    assert allowed(statement(notresource=[resource])) == set(ROLES) - matching


def test_several_resources_are_any_of_them() -> None:
    assert allowed(statement(resource=[DEV, "*/prod"])) == {DEV, PROD}
    assert allowed(statement(notresource=[DEV, "*/prod"])) == {ADMIN}


def test_a_policy_variable_may_match() -> None:
    own = "arn:aws:iam::*:role/${aws:username}"
    found = result(statement(resource=[own, PROD], condition=MFA))
    assert found.allow[PROD] == {MFA}
    [condition] = found.allow[DEV]
    assert json.loads(condition) == [{"Bool": {"aws:MultiFactorAuthPresent": "true"}, "Resource": [own]}]
    found = result(statement("Deny", notresource=[own]))
    assert all(json.loads(*conditions) == [{"NotResource": [own]}] for conditions in found.deny.values())


def test_a_star_that_is_meant_as_such_matches_nothing_else() -> None:
    resources = Resources(["arn:aws:s3:::a*b", "arn:aws:s3:::axb", "arn:aws:s3:::a$b"])
    assert resources.matching(Patterns(("arn:aws:s3:::a${*}b",))).always == {"arn:aws:s3:::a*b"}
    assert resources.matching(Patterns(("arn:aws:s3:::a${$}b",))).always == {"arn:aws:s3:::a$b"}


# --- allow, deny, conditions ---


def test_what_nothing_allows_is_not_allowed() -> None:
    assert allowed() == set()
    assert allowed(statement("Deny", resource=[DEV])) == set()


@pytest.mark.parametrize("order", [1, -1])
def test_an_explicit_deny_wins_wherever_it_stands(order: int) -> None:
    statements = [statement(), statement("Deny", action=["sts:*"], resource=["*/prod"])]
    assert allowed(*statements[::order]) == {DEV, ADMIN}


def test_a_condition_is_never_taken_for_granted() -> None:
    found = result(statement(resource=[DEV], condition=MFA), statement("Deny", resource=[PROD], condition=MFA))
    assert found.allow == {DEV: frozenset({MFA})}
    assert found.deny == {PROD: frozenset({MFA})}


def test_what_is_allowed_without_a_condition_needs_none() -> None:
    conditional, plain = statement(condition=MFA), statement(resource=[DEV])
    for statements in ([conditional, plain], [plain, conditional]):
        assert result(*statements).allow == {DEV: ALWAYS, PROD: {MFA}, ADMIN: {MFA}}


def test_any_of_several_conditions_is_enough() -> None:
    other = '[{"StringEquals": {"sts:ExternalId": "x"}}]'
    assert result(statement(condition=MFA), statement(condition=other)).allow[DEV] == {MFA, other}


# --- patterns ---


@given(st.text("ab:*?", max_size=12), st.lists(st.text("ab:", max_size=8), max_size=8))
def test_patterns_match_as_those_of_file_names_do(word: str, arns: list[str]) -> None:
    """Of which IAM has no sets in brackets."""
    expected = {arn for arn in arns if fnmatchcase(arn, word)}
    assert Resources(arns).matching(Patterns((word,))).always == expected


def test_no_pattern_takes_long() -> None:
    start = time.monotonic()
    found = Resources(["a" * 2_000]).matching(Patterns(("*a" * 1_000 + "*b",)))
    assert found.always == set()
    assert time.monotonic() - start < 2
