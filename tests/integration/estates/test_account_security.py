"""What an account says of its own security: its root user, its password policy, its users' second factors."""

from __future__ import annotations

from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, Client, Load, found


def test_a_root_user_without_a_second_factor_is_0_not_unknown(client: Client, load: Load, graph: Graph) -> None:
    client("iam").create_user(UserName="alice")
    load("aws.account", "aws.iam.account_summary")
    root = "MATCH (a:AWSAccount) RETURN a.id, a.account_mfa_enabled, a.account_access_keys_present, a.users"
    assert found(graph, root) == {(ACCOUNT, 0, 0, 1)}


def test_an_account_without_a_password_policy_says_so(client: Client, load: Load, graph: Graph) -> None:
    client("iam").list_users()
    load("aws.iam.account_summary")
    policy = (
        "MATCH (:AWSAccount)-[:RESOURCE]->(p:AWSPasswordPolicy) RETURN p.is_set, p.minimum_password_length, "
        "p.require_symbols"
    )
    assert found(graph, policy) == {(False, None, None)}
    client("iam").update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    load("aws.iam.account_summary")
    assert found(graph, policy) == {(True, 14, True)}
