"""The organization that an account manages: its tree of units, and the accounts in each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from loaders.model import Source, incoming, key, outgoing, prop
from tasks.aws.client.access import AwsAccess
from tasks.aws.client.client import AwsApi
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.responses import values_at
from tasks.failures import CallFailed, Failure
from tasks.resource import Item, Per, ResourceType


class OrganizationTree:
    """From the root down, a unit at a time: two calls for each.

    Every member may ask which organization it is in; its tree is told by the account that manages it, or, where
    aws_organization_account_ids leaves that one out, by the one that it names. Any other account tells none.
    """

    calls = (
        "organizations:DescribeOrganization",
        "organizations:ListRoots",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListAccountsForParent",
    )
    made: Final = {
        "organizations:DescribeOrganization": "1",
        "organizations:ListRoots": "1 per page, by the account that tells the tree",
        "organizations:ListOrganizationalUnitsForParent": "1 per page of each root and unit",
        "organizations:ListAccountsForParent": "1 per page of each root and unit",
    }

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        asked = AwsAccess.from_json(api.tenant.access).asked_for_organization.split(",")
        if asked != [""] and api.tenant.id not in asked:
            told = "aws_organization_account_ids names other accounts"
            raise CallFailed(Failure.NOT_ENABLED, "organizations:DescribeOrganization", told, code="NotAsked")
        try:
            response = await api.call("organizations:DescribeOrganization")
        except CallFailed as error:
            if error.code == "AWSOrganizationsNotInUseException":
                return
            raise
        organization = response.get("Organization") or {}
        manager = _told(organization, "MasterAccountId", "organizations:DescribeOrganization")
        if manager != api.tenant.id and (manager in asked or api.tenant.id not in asked):
            return
        above = {"OrganizationId": _told(organization, "Id", "organizations:DescribeOrganization")}
        yield Item({"Organization": organization}, key=organization["Id"])
        waiting = [
            {"Root": root, "ParentId": root["Id"], "RootId": root["Id"], **above}
            async for root in _listed(api, "organizations:ListRoots", "Roots")
            if _told(root, "Id", "organizations:ListRoots")
        ]
        while waiting:
            place = waiting.pop()
            parent = place["ParentId"]
            accounts = _listed(api, "organizations:ListAccountsForParent", "Accounts", ParentId=parent)
            found = [account async for account in accounts]
            yield Item({**place, "Accounts": found}, key=_within(place["OrganizationId"], parent))
            units = _listed(
                api, "organizations:ListOrganizationalUnitsForParent", "OrganizationalUnits", ParentId=parent
            )
            waiting += [
                {"Unit": unit, "ParentId": unit["Id"], "Above": parent, "RootId": place["RootId"], **above}
                async for unit in units
                if _told(unit, "Id", "organizations:ListOrganizationalUnitsForParent")
            ]


async def _listed(api: AwsApi, action: str, key: str, **parameters: str) -> AsyncIterator[Mapping[str, Any]]:
    async for page in api.pages(action, **parameters):
        for item in values_at(key, page, action):
            yield item


def _told(item: Mapping[str, Any], name: str, action: str) -> Any:
    """What leads further down the tree. Raises CallFailed without it: what can't be gone through is not all."""
    if not item.get(name):
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"an item has no {name}")
    return item[name]


class AWSOrganization(AWSNode, label="AWSOrganization", arn=None):
    id: str = key("Id")
    arn: str | None = prop("Arn")
    feature_set: str | None = prop("FeatureSet", "ALL or CONSOLIDATED_BILLING.")
    management_account_id: str | None = prop("MasterAccountId")
    management_account_arn: str | None = prop("MasterAccountArn")
    management_account_email: str | None = prop("MasterAccountEmail")


def _within(organization: str, id: str) -> str:
    """Ids of roots and units are unique within their organization only."""
    return f"{organization}/{id}"


def place_id(place: Source) -> str:
    return _within(place.item["OrganizationId"], place.item["ParentId"])


def root_of(place: Source) -> str:
    return _within(place.item["OrganizationId"], place.item["RootId"])


def unit_above(place: Source) -> str | None:
    """The unit above, None directly below the root."""
    above = place.item["Above"]
    return None if above == place.item["RootId"] else _within(place.item["OrganizationId"], above)


def root_above(place: Source) -> str | None:
    return root_of(place) if unit_above(place) is None else None


def roots(place: Source) -> list[Any]:
    return [place.item] if "Root" in place.item else []


def units(place: Source) -> list[Any]:
    return [place.item] if "Unit" in place.item else []


class AWSOrganizationRoot(AWSNode, label="AWSOrganizationRoot", arn=None):
    id: str = key(place_id)
    root_id: str = prop("Root.Id")
    arn: str | None = prop("Root.Arn")
    name: str | None = prop("Root.Name")
    org_id: str = prop("OrganizationId")
    relationships = (
        incoming("RESOURCE", "AWSOrganization", "OrganizationId"),
        outgoing("PARENT", "AWSOrganization", "OrganizationId"),
        outgoing("RESOURCE", "AWSAccount", "Accounts[].Id"),
        incoming("PARENT", "AWSAccount", "Accounts[].Id"),
    )


class AWSOrganizationalUnit(AWSNode, label="AWSOrganizationalUnit", arn=None):
    id: str = key(place_id)
    ou_id: str = prop("Unit.Id")
    arn: str | None = prop("Unit.Arn")
    name: str | None = prop("Unit.Name")
    org_id: str = prop("OrganizationId")
    root_id: str = prop(root_of)
    parent_root_id: str | None = prop(root_above, "None below another unit.")
    parent_ou_id: str | None = prop(unit_above, "None directly below the root.")
    relationships = (
        incoming("RESOURCE", "AWSOrganizationRoot", root_of),
        outgoing("PARENT", "AWSOrganizationRoot", root_above),
        incoming("RESOURCE", "AWSOrganizationalUnit", unit_above),
        outgoing("PARENT", "AWSOrganizationalUnit", unit_above),
        outgoing("RESOURCE", "AWSAccount", "Accounts[].Id"),
        incoming("PARENT", "AWSAccount", "Accounts[].Id"),
    )


class OrganizationAccount(AWSNode, label="AWSAccount", shared=True):
    """An account as its organization tells of it, whether it is fetched or not. At the barrier, `name` follows."""

    id: str = key("Id", "12 digits.")
    organization_name: str | None = prop("Name", "Its name in the organization.")


ORGANIZATIONS: Final = ResourceType(
    "aws.organizations",
    Per.TENANT,
    fetch=OrganizationTree(),
    yields=(
        AWSOrganization.each("Organization"),
        AWSOrganizationRoot.each(roots),
        AWSOrganizationalUnit.each(units),
        OrganizationAccount.each("Accounts[]"),
    ),
    aliases=("organizations",),
)
