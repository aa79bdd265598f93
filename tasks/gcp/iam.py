"""Service accounts and their keys, roles of a project's own, and who has which role in the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from loaders.model import Node, Source, incoming, key, link_through, outgoing, parent, prop, scope_tenant
from tasks.gcp.api import PROJECT
from tasks.gcp.storage import EVERYONE
from tasks.google_api import GoogleApi
from tasks.listing import listing
from tasks.resource import Item, Per, ResourceType

_POLICY: Final = "resourcemanager:projects.getIamPolicy"


class GCPServiceAccount(Node, label="GCPServiceAccount", tenant="GCPProject"):
    id: str = key("uniqueId")
    unique_id: str = prop("uniqueId")
    email: str = prop("email", index=True)
    display_name: str | None = prop("displayName")
    disabled: bool | None = prop("disabled", "None: no.")
    oauth2_client_id: str | None = prop("oauth2ClientId")
    project_id: str = prop("projectId")
    relationships = (
        link_through("SyncGCPGrant", "_BY", "HAS_ALLOW_POLICY", "GCPPolicyBinding", on={"email": "email"}),
    )


class GCPServiceAccountKey(Node, label="GCPServiceAccountKey", tenant="GCPProject"):
    """What signs in as the account. Of the key itself Google keeps, and says, nothing that would."""

    id: str = key("name", "projects/<project>/serviceAccounts/<email>/keys/<key>")
    name: str = prop("name")
    service_account_email: str = prop(parent("email"), index=True)
    key_type: str | None = prop("keyType", "USER_MANAGED: somebody has it; SYSTEM_MANAGED: only Google.")
    key_origin: str | None = prop("keyOrigin")
    key_algorithm: str | None = prop("keyAlgorithm")
    valid_after_time: str | None = prop("validAfterTime")
    valid_before_time: str | None = prop("validBeforeTime", "9999-12-31 of one that never ends.")
    disabled: bool | None = prop("disabled")
    relationships = (incoming("HAS_KEY", "GCPServiceAccount", parent("uniqueId")),)


SERVICE_ACCOUNTS: Final = ResourceType(
    "gcp.iam.service_accounts",
    Per.TENANT,
    fetch=listing(
        "iam:projects.serviceAccounts.list", name="projects/{project}", pageSize=100, gone_if=("NOT_FOUND", "notFound")
    ).then("iam:projects.serviceAccounts.keys.list", name="name"),
    yields=(GCPServiceAccount, GCPServiceAccountKey.each("keys.keys[]")),
    also=("iam",),
    of=PROJECT,
)


class GCPRole(Node, label="GCPRole", tenant="GCPProject"):
    """A project's own role. One of Google's, or of an organization, is only named, by bindings: `roles/editor`."""

    id: str = key("name")
    name: str = prop("name")
    title: str | None = prop("title")
    description: str | None = prop("description")
    permissions: list[str] | None = prop("includedPermissions[]")
    role_type: str | None = prop("stage", "GA, BETA, DISABLED, ...")
    etag: str | None = prop("etag")
    project_id: str = prop(scope_tenant)


ROLES: Final = ResourceType(
    "gcp.iam.roles",
    Per.TENANT,
    fetch=listing("iam:projects.roles.list", parent="projects/{project}", view="FULL", pageSize=300),
    yields=(GCPRole,),
    also=("iam",),
    of=PROJECT,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The bindings of the project's own policy; what folders and the organization give besides isn't in it."""

    calls: tuple[str, ...] = (_POLICY,)
    made: ClassVar[Mapping[str, str]] = {_POLICY: "1"}

    def parts(self, api: GoogleApi) -> None:
        return None

    async def items(self, api: GoogleApi, part: str) -> AsyncIterator[Item]:
        with_conditions = {"options": {"requestedPolicyVersion": 3}}
        async for policy in api.pages(_POLICY, resource="projects/{project}", body=with_conditions):
            for binding in policy.get("bindings") or ():
                yield Item(binding)


def binding_id(binding: Source) -> str:
    """Of the role in the project; of a binding with a condition, of that as well."""
    return _binding_id(binding.scope.tenant, binding.item)


def _binding_id(project: str, binding: Mapping[str, Any]) -> str:
    condition = binding.get("condition")
    told = json.dumps(condition, sort_keys=True).encode() if condition else b""
    mark = f"#{hashlib.sha256(told).hexdigest()[:16]}" if told else ""
    return f"projects/{project}/{binding['role']}{mark}"


def resource(binding: Source) -> str:
    return f"projects/{binding.scope.tenant}"


def is_public(binding: Source) -> bool:
    return bool(EVERYONE & set(binding.item.get("members") or ()))


def has_condition(binding: Source) -> bool:
    return bool(binding.item.get("condition"))


class GCPPolicyBinding(Node, label="GCPPolicyBinding", tenant="GCPProject"):
    id: str = key(binding_id)
    role: str = prop("role", index=True)
    resource: str = prop(resource)
    members: list[str] | None = prop("members", "As the policy has them: user:<email>, domain:<domain>, allUsers, ...")
    is_public: bool = prop(is_public, "It names anybody, or anybody with an account of Google's.")
    has_condition: bool = prop(has_condition)
    condition_title: str | None = prop("condition.title")
    condition_expression: str | None = prop("condition.expression")
    relationships = (outgoing("GRANTS_ROLE", "GCPRole", "role"),)


def grants(binding: Source) -> Iterator[Mapping[str, str]]:
    """Each member with an e-mail address; of one that is deleted, `deleted:user:...?uid=...`, nothing is left."""
    own = binding_id(binding)
    for member in binding.item.get("members") or ():
        kind, _, email = member.partition(":")
        if kind in ("user", "group", "serviceAccount") and "@" in email:
            yield {"id": f"{own}/{member}", "email": email.lower(), "binding": own}


class SyncGCPGrant(Node, label="SyncGCPGrant"):
    id: str = key("id")
    email: str = prop("email", index=True)
    relationships = (outgoing("_BY", "GCPPolicyBinding", "binding"),)


POLICY_BINDINGS: Final = ResourceType(
    "gcp.iam.policy_bindings",
    Per.TENANT,
    fetch=Policy(),
    yields=(GCPPolicyBinding, SyncGCPGrant.each(grants)),
    also=("policy_bindings",),
    of=PROJECT,
)
