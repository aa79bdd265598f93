"""Which groups of Okta are roles of AWS, and who may assume those: by the role's trust, and by who can sign in."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.graph import Graph
from tests.integration.test_analysis import TAG, analysed, analysed_without_verdict, run

JOB = "okta_aws_roles"
ACCOUNT = "111122223333"
OKTA, OTHER = f"arn:aws:iam::{ACCOUNT}:saml-provider/okta", f"arn:aws:iam::{ACCOUNT}:saml-provider/other"
ELSEWHERE = "arn:aws:iam::999988887777:saml-provider/okta"


def company(
    graph: Graph, *, trusts: list[str] | None, says: list[str] | None = None, user: str = "ACTIVE", app: str = "ACTIVE"
) -> None:
    """Ada is in a group that by its name is the role `admin`, which lets these SAML providers in. `says`: as which of
    them Okta's application signs people in.
    """
    run(
        graph,
        """
        CREATE (role:AWSRole:AWSPrincipal {arn: $role, saml_providers: $trusts, _scope: 's'})
        CREATE (app:OktaApplication {id: 'app', name: 'amazon_aws', status: $app, aws_saml_providers: $says,
                                     _scope: 's'})
        CREATE (group:OktaGroup {id: 'group', name: 'aws#x#admin#1', aws_role_name: 'admin', aws_account_id: $account,
                                 _scope: 's'})
        CREATE (ada:OktaUser {id: 'ada', status: $user, _scope: 's'})
        CREATE (:Human {email: 'ada@example.com', _scope: 'shared'})-[:IDENTITY_OKTA]->(ada)
        CREATE (ada)-[:MEMBER_OF_OKTA_GROUP]->(group)
        CREATE (group)-[:APPLICATION]->(app)
        """,
        role=f"arn:aws:iam::{ACCOUNT}:role/admin",
        account=ACCOUNT,
        trusts=trusts,
        says=says,
        user=user,
        app=app,
    )


def edges(graph: Graph) -> list[str]:
    query = "MATCH ()-[r:ALLOWED_BY|CAN_ASSUME_ROLE]->(:AWSRole) RETURN type(r) AS type ORDER BY type"
    return [row["type"] for row in graph.rows(query)]


BOTH = ["ALLOWED_BY", "CAN_ASSUME_ROLE"]


@pytest.mark.parametrize(
    ("estate", "found", "unknown"),
    [
        ({"trusts": [OKTA]}, BOTH, 0),
        ({"trusts": [OKTA], "says": ["okta"]}, BOTH, 0),
        ({"trusts": [OTHER]}, BOTH, 0),  # it may be Okta's: nothing says which is
        ({"trusts": ["*"], "says": ["okta"]}, BOTH, 0),
        ({"trusts": [OTHER], "says": ["okta"]}, [], 0),
        ({"trusts": [ELSEWHERE]}, [], 0),
        ({"trusts": []}, [], 0),
        ({"trusts": None}, [], 1),  # a role whose trust wasn't read
        ({"trusts": [OKTA], "user": "SUSPENDED"}, ["ALLOWED_BY"], 0),
        ({"trusts": [OKTA], "user": "DEPROVISIONED"}, ["ALLOWED_BY"], 0),
        ({"trusts": [OKTA], "user": "STAGED"}, ["ALLOWED_BY"], 0),
        ({"trusts": [OKTA], "user": "LOCKED_OUT"}, BOTH, 0),  # for a while
        ({"trusts": [OKTA], "user": "PASSWORD_EXPIRED"}, BOTH, 0),
        ({"trusts": [OKTA], "app": "INACTIVE"}, [], 0),
    ],
)
def test_a_role_is_for_a_group_if_it_trusts_oktas_provider(
    graph: Graph, estate: dict[str, Any], found: list[str], unknown: int
) -> None:
    company(graph, **estate)
    told = analysed(graph, JOB)
    assert edges(graph) == found
    assert (told.count, told.unknown) == (1 if "ALLOWED_BY" in found else 0, unknown)


def test_a_role_that_isnt_there_is_not_known(graph: Graph) -> None:
    company(graph, trusts=[OKTA])
    run(graph, "MATCH (role:AWSRole) REMOVE role:AWSRole")
    told = analysed(graph, JOB)
    assert (edges(graph), told.count, told.unknown) == ([], 0, 1)


def test_trust_that_is_taken_back_takes_the_edges_along(graph: Graph) -> None:
    company(graph, trusts=[OKTA])
    analysed(graph, JOB)
    run(graph, "MATCH (role:AWSRole) SET role.saml_providers = []")
    analysed_without_verdict(graph, JOB, "run-2", TAG + 1)
    assert edges(graph) == []
