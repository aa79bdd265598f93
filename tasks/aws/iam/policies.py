"""Policies, managed and inline, with the statements of their default versions. Principals say which they have."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from analysis.iam.arn import account_of
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.policy_document import element_list, language_version, listed, sid_in_id, statements
from tasks.provider import Per, ResourceType, Source, constant, incoming, key, listing, parent, prop

_INLINE: Final = ("UserPolicyList", "GroupPolicyList", "RolePolicyList")


def managed_policy_id(arn: str, account: str) -> str:
    """The ARN; for an AWS managed policy with the account: each account has a node of its own for those it uses."""
    return f"{account}/{arn}" if _is_managed_by_aws(arn) else arn


def inline_policy_id(principal_arn: str, name: str) -> str:
    return f"{principal_arn}/inline_policy/{name}"


def policies_of(principal: Source) -> list[str]:
    """Ids of the policies that a user, group or role has, attached or inline, without its permissions boundary, which
    grants nothing.
    """
    item, account = principal.item, principal.scope.tenant
    attached = [managed_policy_id(policy["PolicyArn"], account) for policy in item.get("AttachedManagedPolicies", ())]
    return attached + [inline_policy_id(item["Arn"], policy["PolicyName"]) for policy in _inline(item)]


def _is_managed_by_aws(arn: str) -> bool:
    return account_of(arn) == "aws"


def _inline(principal: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [policy for kind in _INLINE for policy in principal.get(kind, ())]


class AWSPolicy(AWSNode, label="AWSPolicy"):
    id: str = key("id")
    name: str = prop("name", index=True)
    type: str = prop("type", "managed or inline.")
    language_version: str | None = prop(
        "language_version", "Version of the policy language: policies before 2012-10-17 have no variables."
    )


def managed_policies(item: Source) -> list[Mapping[str, Any]]:
    """The item, if it is a managed policy: every policy of the account, AWS managed policies only if in use."""
    policy = item.item
    if "PolicyVersionList" not in policy:
        return []
    in_use = policy.get("AttachmentCount") or policy.get("PermissionsBoundaryUsageCount")
    return [policy] if in_use or not _is_managed_by_aws(policy["Arn"]) else []


def managed_id(policy: Source) -> str:
    return managed_policy_id(policy.item["Arn"], policy.scope.tenant)


def managed_name(policy: Source) -> str:
    name: str = policy.item["Arn"].rpartition("/")[2]
    return name


def managed_version(policy: Source) -> str | None:
    documents = [version["Document"] for version in policy.item["PolicyVersionList"] if version["IsDefaultVersion"]]
    return language_version(documents[0]) if documents else None


class AWSManagedPolicy(AWSPolicy, label="AWSManagedPolicy", arn="iam:policy"):
    id: str = key(managed_id, "The ARN; <account>/<ARN> for AWS managed policies, which every account has.")
    arn: str = prop("Arn", index=True)
    name: str = prop(managed_name)
    type: str = prop(constant("managed"))
    language_version: str | None = prop(managed_version)


def inline_id(policy: Source) -> str:
    return inline_policy_id(parent("Arn")(policy), policy.item["PolicyName"])


def inline_version(policy: Source) -> str | None:
    return language_version(policy.item["PolicyDocument"])


class AWSInlinePolicy(AWSPolicy, label="AWSInlinePolicy"):
    id: str = key(inline_id)
    name: str = prop("PolicyName")
    type: str = prop(constant("inline"))
    language_version: str | None = prop(inline_version)


def documents(item: Source) -> Iterator[tuple[str, Any]]:
    """Id and document of each policy that the item is, or has. Raises ValueError without a default version."""
    for policy in managed_policies(item):
        [document] = [version["Document"] for version in policy["PolicyVersionList"] if version["IsDefaultVersion"]]
        yield managed_policy_id(policy["Arn"], item.scope.tenant), document
    for policy in _inline(item.item):
        yield inline_policy_id(item.item["Arn"], policy["PolicyName"]), policy["PolicyDocument"]


def all_statements(item: Source) -> Iterator[Mapping[str, Any]]:
    """Each statement of each policy that the item is, or has, with the policy's id and a name unique in the policy."""
    for policy_id, document in documents(item):
        in_order = statements(document)
        for name, statement in zip(_names(in_order), in_order, strict=True):
            yield {**statement, "policy": policy_id, "name": name}


def _names(of: list[Mapping[str, Any]]) -> Iterator[str]:
    """The Sid, or a number from 1 for statements without one. Each name once, even if Sids repeat or are numbers."""
    sids = {statement.get("Sid") for statement in of}
    numbers = (str(number) for number in itertools.count(1) if str(number) not in sids)
    used: set[str] = set()
    for statement in of:
        sid: str | None = statement.get("Sid")
        name = sid if sid and sid not in used else next(numbers)
        used.add(name)
        yield sid_in_id(name)


def statement_id(statement: Source) -> str:
    return f"{statement.item['policy']}/statement/{statement.item['name']}"


def action(statement: Source) -> list[str] | None:
    return element_list(statement.item, "Action")


def not_action(statement: Source) -> list[str] | None:
    return element_list(statement.item, "NotAction")


def resource(statement: Source) -> list[str] | None:
    return element_list(statement.item, "Resource")


def not_resource(statement: Source) -> list[str] | None:
    return element_list(statement.item, "NotResource")


def condition(statement: Source) -> str | None:
    """As JSON, in a list: the form that the graph has always had."""
    element = statement.item.get("Condition")
    return json.dumps(listed(element)) if element else None


class AWSPolicyStatement(AWSNode, label="AWSPolicyStatement"):
    id: str = key(statement_id)
    sid: str | None = prop("Sid")
    effect: str = prop("Effect", "Allow or Deny.")
    action: list[str] | None = prop(action, "None: it has NotAction.")
    notaction: list[str] | None = prop(not_action)
    resource: list[str] | None = prop(resource, "None: it has NotResource.")
    notresource: list[str] | None = prop(not_resource)
    condition: str | None = prop(condition, "JSON, a list of the condition. None: unconditional.")
    relationships = (incoming("STATEMENT", "AWSPolicy", "policy"),)


POLICIES: Final = ResourceType(
    "aws.iam.policies",
    Per.TENANT,
    fetch=listing("iam:GetAccountAuthorizationDetails"),
    yields=(
        AWSManagedPolicy.each(managed_policies),
        *(AWSInlinePolicy.each(f"{kind}[]") for kind in _INLINE),
        AWSPolicyStatement.each(all_statements),
    ),
)
