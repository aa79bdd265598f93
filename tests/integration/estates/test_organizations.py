"""The tree of an organization from a simulated AWS to the graph."""

from __future__ import annotations

from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, Client, Load, found

PLACES = """
MATCH (account:AWSAccount)-[:PARENT]->(place)
OPTIONAL MATCH (place)-[:PARENT]->(above:AWSOrganizationalUnit)
OPTIONAL MATCH (top:AWSOrganizationRoot)-[:RESOURCE*]->(place)
RETURN account.organization_name, place.name, above.name, top.name
"""


def test_an_account_is_in_its_unit_also_after_a_move(client: Client, load: Load, graph: Graph) -> None:
    organizations = client("organizations", "us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    outer, inner = root, root
    for name in ("products", "shop"):
        made = organizations.create_organizational_unit(ParentId=inner, Name=name)
        outer, inner = inner, made["OrganizationalUnit"]["Id"]
    made = organizations.create_account(AccountName="web", Email="web@example.com")["CreateAccountStatus"]
    web = made["AccountId"]
    organizations.move_account(AccountId=web, SourceParentId=root, DestinationParentId=inner)

    load("aws.account", "aws.organizations")
    whole = (
        "MATCH (o:AWSOrganization)-[:RESOURCE]->(:AWSOrganizationRoot) RETURN o.management_account_id, o.feature_set"
    )
    assert found(graph, whole) == {(ACCOUNT, "ALL")}
    assert found(graph, PLACES) == {("web", "shop", "products", "Root"), ("master", "Root", None, None)}

    organizations.move_account(AccountId=web, SourceParentId=inner, DestinationParentId=outer)
    load("aws.account", "aws.organizations")
    assert found(graph, PLACES) == {("web", "products", None, "Root"), ("master", "Root", None, None)}
