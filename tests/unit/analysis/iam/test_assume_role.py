"""Who may assume which role, by example: the rules of AWS for trust, identity policies, boundaries and conditions."""

from __future__ import annotations

import json
import time
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.iam.assume_role import edges
from analysis.iam.policy_evaluation import Statement
from analysis.iam.principals import Principal
from analysis.iam.trust import Role
from tests.unit.analysis.iam.naive_policies import Request, holds, may_assume
from tests.unit.analysis.iam.test_permissions import HOME, conditions, context

HERE, THERE = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{HERE}:role/team/deploy"
ALICE, MALLORY = f"arn:aws:iam::{HERE}:user/people/alice", f"arn:aws:iam::{THERE}:user/mallory"
WORKER = f"arn:aws:iam::{HERE}:role/team/worker"
ROOT, ROOT_THERE = f"arn:aws:iam::{HERE}:root", f"arn:aws:iam::{THERE}:root"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
ID = {"StringEquals": {"sts:ExternalId": "4711"}}


def trusts(*names: str, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole", **elements}


def may(effect: str = "Allow", resource: str = "*", condition: Any = None, action: str = "sts:*") -> Statement:
    """A statement of a principal's own policies, or of its boundary."""
    node = {"effect": effect, "action": [action], "notaction": None, "resource": [resource], "notresource": None}
    return Statement.of(node | {"condition": json.dumps([condition]) if condition else None})


def verdict(who: str, *own: Statement, trust: list[dict[str, Any]], boundary: list[Statement] | None = None) -> Any:
    """False where there is no edge; True where it has no conditions; else its conditions."""
    source = Principal(who, ":role/" in who, own, None if boundary is None else tuple(boundary))
    found = list(edges([source], [Role.of(ROLE, json.dumps(trust))]))
    if not found:
        return False
    [edge] = found
    assert (edge.source, edge.target) == (who, ROLE)
    return True if edge.conditions is None else json.loads(edge.conditions)


# --- within an account ---


@pytest.mark.parametrize("who", [ALICE, WORKER])
def test_trust_in_the_principal_itself_is_enough(who: str) -> None:
    assert verdict(who, trust=[trusts(who)])


@pytest.mark.parametrize("account", [ROOT, HERE])
def test_trust_in_the_account_leaves_it_to_the_principals_own_policies(account: str) -> None:
    assert not verdict(ALICE, trust=[trusts(account)])
    assert not verdict(ALICE, may(action="s3:*"), trust=[trusts(account)])
    assert not verdict(ALICE, may(resource=f"{ROLE}-2"), trust=[trusts(account)])
    assert verdict(ALICE, may(resource=ROLE), trust=[trusts(account)])


def test_without_trust_no_policy_of_ones_own_is_enough() -> None:
    assert not verdict(ALICE, may(action="*"), trust=[trusts(WORKER), trusts(ROOT_THERE)])
    assert not verdict(ALICE, may(action="*"), trust=[])


def test_only_trust_in_assuming_the_role_counts() -> None:
    assert not verdict(ALICE, may(), trust=[trusts(ALICE, Action="sts:TagSession")])
    assert not verdict(ALICE, may(), trust=[trusts(ALICE, Action="sts:AssumeRoleWithSAML")])
    assert verdict(ALICE, trust=[trusts(ALICE, Action=["sts:TagSession", "sts:Assume*"])])


def test_services_and_federated_identities_are_nobody_here() -> None:
    for principal in ({"Service": "ec2.amazonaws.com"}, {"Federated": ALICE}):
        assert not verdict(ALICE, may(), trust=[trusts() | {"Principal": principal}])


@pytest.mark.parametrize("anybody", ["*", {"AWS": "*"}, {"AWS": ["*"]}])
def test_trust_in_anybody(anybody: Any) -> None:
    trust = [trusts() | {"Principal": anybody}]
    assert verdict(ALICE, trust=trust)
    assert not verdict(MALLORY, trust=trust)
    assert verdict(MALLORY, may(), trust=trust)


def test_trust_in_all_but_some() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ALICE}, "Action": "sts:AssumeRole"}
    assert not verdict(ALICE, may(), trust=[statement])
    assert verdict(WORKER, trust=[statement])


def test_trust_in_a_session_of_a_role() -> None:
    """Its ARN has no path, and only a session of that name is trusted."""
    session = f"arn:aws:sts::{HERE}:assumed-role/worker/nightly"
    assert verdict(WORKER, trust=[trusts(session)]) == {"any_of": [{"trust": [{"Principal": [session]}]}]}
    assert not verdict(ALICE, may(), trust=[trusts(session)])


# --- across accounts ---


@pytest.mark.parametrize("named", [MALLORY, ROOT_THERE, THERE])
def test_across_accounts_both_sides_must_allow_it(named: str) -> None:
    assert not verdict(MALLORY, trust=[trusts(named)])
    assert verdict(MALLORY, may(resource=f"arn:aws:iam::{HERE}:role/*"), trust=[trusts(named)])
    assert not verdict(MALLORY, may(), trust=[trusts(ROOT)])


# --- what denies ---


def test_an_explicit_deny_wins_wherever_it_stands() -> None:
    assert not verdict(ALICE, may(), may("Deny"), trust=[trusts(ALICE)])
    assert not verdict(ALICE, may(), trust=[trusts(ALICE), trusts(ALICE, effect="Deny")])
    assert not verdict(ALICE, may(), trust=[trusts(ALICE), trusts(ROOT, effect="Deny")])
    assert not verdict(ALICE, may(), trust=[trusts(ALICE), trusts("*", effect="Deny")])
    assert not verdict(ALICE, may(), trust=[trusts(ALICE)], boundary=[may(), may("Deny")])
    assert verdict(ALICE, may(), may("Deny", resource=f"{ROLE}-2"), trust=[trusts(ROOT)])
    assert verdict(ALICE, may(), trust=[trusts(ALICE), trusts(WORKER, ROOT_THERE, effect="Deny")])


def test_a_deny_of_all_but_some_spares_these() -> None:
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": [ALICE, ROOT]}, "Action": "sts:AssumeRole"}
    assert verdict(ALICE, trust=[trusts(ALICE), deny])
    assert not verdict(MALLORY, may(), trust=[trusts(MALLORY), deny])
    assert not verdict(WORKER, may(), trust=[trusts(WORKER), deny]), (
        "that its account is named spares only whom it names"
    )
    spared = {**deny, "NotPrincipal": {"AWS": [ROOT, ROOT_THERE]}}
    assert verdict(WORKER, may(), trust=[trusts(WORKER), spared])


def test_a_deny_of_all_but_some_spares_nobody_under_a_boundary() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    deny = {"Effect": "Deny", "NotPrincipal": {"AWS": [ALICE, WORKER, ROOT]}, "Action": "sts:AssumeRole"}
    for who in (ALICE, WORKER):
        assert verdict(who, may(), trust=[trusts(who), deny])
        assert not verdict(who, may(), trust=[trusts(who), deny], boundary=[may()])
        conditional = {**deny, "Condition": MFA}
        assert verdict(who, may(), trust=[trusts(who), conditional], boundary=[may()]) == {"unless": [MFA]}


# --- boundaries ---


def test_a_boundary_must_allow_what_the_principals_own_policies_do() -> None:
    assert verdict(ALICE, may(), trust=[trusts(ROOT)], boundary=[may()])
    assert not verdict(ALICE, may(), trust=[trusts(ROOT)], boundary=[may(action="s3:*")])
    assert not verdict(ALICE, trust=[trusts(ROOT)], boundary=[may()]), "it grants nothing"
    assert not verdict(MALLORY, may(), trust=[trusts(MALLORY)], boundary=[may(action="s3:*")])


def test_a_boundary_limits_trust_in_a_role_by_its_arn_but_not_in_a_user() -> None:
    """A role's boundary limits its sessions, and these make the call; a user's does not limit what others grant it."""
    assert not verdict(WORKER, trust=[trusts(WORKER)], boundary=[may(action="s3:*")])
    assert verdict(WORKER, trust=[trusts(WORKER)], boundary=[may()])
    assert verdict(ALICE, trust=[trusts(ALICE)], boundary=[may(action="s3:*")])


def test_a_boundary_that_was_not_read_allows_nothing() -> None:
    assert not verdict(ALICE, may(), trust=[trusts(ROOT)], boundary=[])


# --- conditions ---


def test_conditions_stand_on_the_edge_under_the_policy_that_has_them() -> None:
    assert verdict(ALICE, trust=[trusts(ALICE, Condition=MFA)]) == {"any_of": [{"trust": [MFA]}]}
    assert verdict(
        MALLORY, may(condition=MFA), trust=[trusts(ROOT_THERE, Condition=ID)], boundary=[may(condition=MFA)]
    ) == {"any_of": [{"trust": [ID], "identity": [MFA], "boundary": [MFA]}]}


@pytest.mark.parametrize(
    ("condition", "who"),
    [
        ({"ArnEquals": {"aws:PrincipalArn": WORKER}}, WORKER),
        ({"ArnLike": {"AWS:principalarn": f"arn:aws:iam::{HERE}:role/team/*"}}, WORKER),
        ({"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::*:user/people/*"]}}, ALICE),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, ALICE),
        ({"Null": {"aws:username": "true"}}, WORKER),
        ({"StringEquals": {"aws:username": "alice"}}, ALICE),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}, ALICE),
    ],
)
def test_a_condition_on_who_asks_leaves_those_whom_it_means(condition: Any, who: str) -> None:
    """As Terraform writes trust in an account, and whom of it in a condition."""
    for one in (ALICE, WORKER):
        assert verdict(one, may(), trust=[trusts(ROOT, Condition=condition)]) is (one == who)
        denied = [trusts(ROOT), trusts(ROOT, effect="Deny", Condition=condition)]
        assert verdict(one, may(), trust=denied) is (one != who)
    both = condition | MFA
    assert verdict(who, may(), trust=[trusts(ROOT, Condition=both)]) == {"any_of": [{"trust": [MFA]}]}


def test_accounts_and_organizations_of_both_sides() -> None:
    def verdicts(condition: Any, own: Any = None) -> list[bool]:
        trust = json.dumps([trusts("*", Condition=condition)])
        sources = [
            Principal(who, ":role/" in who, (may(condition=own),), organization=organization)
            for who, organization in ((WORKER, "o-mine"), (MALLORY, "o-theirs"))
        ]
        found = {edge.source: edge.conditions for edge in edges(sources, [Role.of(ROLE, trust, None, "o-mine")])}
        assert not any(found.values())
        return [source.arn in found for source in sources]

    assert verdicts({"StringEquals": {"aws:PrincipalOrgID": "o-mine"}}) == [True, False]
    assert verdicts({"StringEquals": {"aws:PrincipalAccount": [THERE]}}) == [False, True]
    assert verdicts({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}) == [True, False]
    everybody = {"StringLike": {"aws:PrincipalArn": "*"}}
    assert verdicts(everybody, {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}) == [True, False]
    assert verdicts(everybody, {"StringNotEquals": {"aws:ResourceOrgID": "o-mine"}}) == [True, False], (
        "of the own account, what trusts anybody needs no policy of one's own"
    )


def test_in_a_trust_policy_of_before_2012_a_variable_is_a_text() -> None:
    trust = json.dumps([trusts(ROOT, Condition={"StringEquals": {"aws:username": "${aws:username}"}})])
    for version, allowed in (("2012-10-17", 1), ("2008-10-17", 0)):
        source = Principal(ALICE, is_role=False, statements=(may(),))
        assert len(list(edges([source], [Role.of(ROLE, trust, version)]))) == allowed


def test_one_way_without_conditions_is_enough() -> None:
    assert verdict(ALICE, may(condition=MFA), may(), trust=[trusts(ROOT)]) is True
    assert verdict(ALICE, may(), trust=[trusts(ALICE, Condition=ID), trusts(ROOT)]) is True


def test_several_ways_are_told_apart() -> None:
    assert verdict(ALICE, may(condition=MFA), trust=[trusts(ALICE, Condition=ID), trusts(ROOT)]) == {
        "any_of": [{"trust": [ID]}, {"identity": [MFA]}]
    }


def test_a_conditional_deny_may_not_hold_and_is_said() -> None:
    deny = may("Deny", condition=MFA)
    assert verdict(ALICE, may(), deny, trust=[trusts(ROOT)]) == {"unless": [MFA]}
    assert verdict(ALICE, trust=[trusts(ALICE, Condition=ID), trusts("*", effect="Deny", Condition=MFA)]) == {
        "any_of": [{"trust": [ID]}],
        "unless": [MFA],
    }


# --- against an evaluation of single requests ---


@st.composite
def trust_statements(draw: st.DrawFn) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(["*", ALICE, WORKER, ROOT, ROOT_THERE]), min_size=1, max_size=2))
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    found = trusts(*names, effect=effect)
    if effect == "Deny" and "*" not in names and draw(st.booleans()):
        found["NotPrincipal"] = found.pop("Principal")
    condition = draw(conditions())
    return {**found, "Condition": condition} if condition else found


@settings(max_examples=200, deadline=None)
@given(
    st.lists(trust_statements(), max_size=3),
    conditions(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([ALICE, WORKER]),
)
def test_for_each_request_the_edge_says_what_aws_would(
    trust: list[dict[str, Any]], condition: dict[str, Any], has_policy: bool, bounded: bool, who: str
) -> None:
    own = [may(condition=condition)] if has_policy else []
    found = verdict(who, *own, trust=trust, boundary=[may()] if bounded else None)
    own_nodes = [{"condition": json.dumps([condition])}] if has_policy else []
    tags: dict[str, str] = {"team": "red"}
    for true, session in product(([], [MFA], [HOME], [MFA, HOME]), ("nightly", "x")):
        request = Request("sts:AssumeRole", ROLE, true, context(Principal(who, ":role/" in who), tags, session))
        promised = found is True or (found is not False and holds(found, request))
        assert promised is may_assume(request, who, trust, own_nodes, bounded=bounded), request


# --- other partitions, many at once ---


def test_other_partitions() -> None:
    role, user = f"arn:aws-cn:iam::{HERE}:role/r", f"arn:aws-cn:iam::{HERE}:user/u"
    trust = json.dumps([trusts(f"arn:aws-cn:iam::{HERE}:root")])
    [edge] = edges([Principal(user, is_role=False, statements=(may(resource=role),))], [Role.of(role, trust)])
    assert (edge.source, edge.target) == (user, role)


def test_a_thousand_principals_and_two_thousand_roles_take_seconds() -> None:
    """All roles trust the account; every principal has statements of its own, and one in ten may assume them all."""
    roles = [Role.of(f"{ROLE}-{number}", json.dumps([trusts(ROOT)])) for number in range(2_000)]
    sources = [
        Principal(
            f"{ALICE}-{number}",
            is_role=False,
            statements=(
                may(resource="*" if number % 10 == 0 else f"{ROLE}-{number % 7}*"),
                may(resource=f"{ROLE}-{number}", condition=MFA),
                may("Deny", resource=f"*-{number}"),
            ),
        )
        for number in range(1_000)
    ]
    start = time.process_time()
    found = sum(1 for _ in edges(sources, roles))
    assert found > 100 * 1_900
    assert time.process_time() - start < 15
