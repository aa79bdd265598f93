"""Organizations: the tree of organizational units, and the accounts in each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from tasks.aws.client.access import AwsAccess
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.responses import values_at
from tasks.provider import CallFailed, Failure, Item, Per, ResourceType, Source, incoming, key, outgoing, prop

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

_DESCRIBE: Final = "organizations:DescribeOrganization"
_ROOTS: Final = "organizations:ListRoots"
_UNITS: Final = "organizations:ListOrganizationalUnitsForParent"
_ACCOUNTS: Final = "organizations:ListAccountsForParent"

Json = Mapping[str, Any]


class OrganizationTree:
    """The tree from the root down: two calls for each root and unit.

    Every member account may ask which organization it belongs to. The tree is read by the management account or, where
    aws_organization_account_ids doesn't include it, by the account that the option names; by no other account.
    """

    calls = (_DESCRIBE, _ROOTS, _UNITS, _ACCOUNTS)
    made: Final = {
        _DESCRIBE: "1",
        _ROOTS: "1 per page, by the account that reads the tree",
        _UNITS: "1 per page of each root and unit",
        _ACCOUNTS: "1 per page of each root and unit",
    }

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        organization = await _organization(api)
        if organization is None:
            return
        of = {"OrganizationId": _required(organization, "Id", _DESCRIBE)}
        yield Item({"Organization": organization}, key=organization["Id"])
        waiting = [
            {"Root": root, "ParentId": root["Id"], "RootId": root["Id"], **of}
            async for root in _listed(api, _ROOTS, "Roots")
            if _required(root, "Id", _ROOTS)
        ]
        seen = {place["ParentId"] for place in waiting}
        while waiting:
            place = waiting.pop()
            parent = place["ParentId"]
            accounts = [account async for account in _listed(api, _ACCOUNTS, "Accounts", ParentId=parent)]
            yield Item({**place, "Accounts": accounts}, key=_within(place["OrganizationId"], parent))
            units = [
                {"Unit": unit, "ParentId": unit["Id"], "Above": parent, "RootId": place["RootId"], **of}
                async for unit in _listed(api, _UNITS, "OrganizationalUnits", ParentId=parent)
                if _required(unit, "Id", _UNITS) not in seen  # a unit can't lie below itself
            ]
            seen |= {unit["ParentId"] for unit in units}
            waiting += units


async def _organization(api: AwsApi) -> Json | None:
    """The organization whose tree this account reads; None if it reads none."""
    selected = AwsAccess.from_json(api.tenant.access).asked_for_organization.split(",")
    if selected != [""] and api.tenant.id not in selected:
        reason = "aws_organization_account_ids names other accounts"
        raise CallFailed(Failure.NOT_ENABLED, _DESCRIBE, reason, code="NotAsked")
    try:
        response = await api.call(_DESCRIBE)
    except CallFailed as error:
        if error.code == "AWSOrganizationsNotInUseException":
            return None
        raise
    organization: Json = response.get("Organization") or {}
    manager = _required(organization, "MasterAccountId", _DESCRIBE)
    reads_tree = manager == api.tenant.id or (manager not in selected and api.tenant.id in selected)
    return organization if reads_tree else None


async def _listed(api: AwsApi, action: str, key: str, **parameters: str) -> AsyncIterator[Json]:
    async for page in api.pages(action, **parameters):
        for item in values_at(key, page, action):
            yield item


def _required(item: Json, name: str, action: str) -> str:
    """A member that the rest of the tree depends on. Raises CallFailed without it: the tree would be incomplete."""
    if not item.get(name):
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"an item has no {name}")
    value: str = item[name]
    return value


class AWSOrganization(AWSNode, label="AWSOrganization", arn=None):
    id: str = key("Id")
    arn: str | None = prop("Arn")
    feature_set: str | None = prop("FeatureSet", "ALL or CONSOLIDATED_BILLING.")
    management_account_id: str | None = prop("MasterAccountId")
    management_account_arn: str | None = prop("MasterAccountArn")
    management_account_email: str | None = prop("MasterAccountEmail")


def _within(organization: str, id: str) -> str:
    """Ids of roots and units are only unique within their organization."""
    return f"{organization}/{id}"


def place_id(place: Source) -> str:
    return _within(place.item["OrganizationId"], place.item["ParentId"])


def root_of(place: Source) -> str:
    return _within(place.item["OrganizationId"], place.item["RootId"])


def unit_above(place: Source) -> str | None:
    """The parent unit; None directly below the root."""
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
    parent_root_id: str | None = prop(root_above, "The root, if the unit is directly below it.")
    parent_ou_id: str | None = prop(unit_above, "The parent unit. None directly below the root.")
    relationships = (
        incoming("RESOURCE", "AWSOrganizationRoot", root_of),
        outgoing("PARENT", "AWSOrganizationRoot", root_above),
        incoming("RESOURCE", "AWSOrganizationalUnit", unit_above),
        outgoing("PARENT", "AWSOrganizationalUnit", unit_above),
        outgoing("RESOURCE", "AWSAccount", "Accounts[].Id"),
        incoming("PARENT", "AWSAccount", "Accounts[].Id"),
    )


class OrganizationAccount(AWSNode, label="AWSAccount", shared=True):
    """An account as its organization lists it, synced or not. `name` is derived from it after all scopes are loaded."""

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
)
