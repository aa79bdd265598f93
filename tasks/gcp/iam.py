"""Service accounts and their keys, custom roles of a project, and who has which role in the project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tasks.gcp.kinds import PROJECT
from tasks.gcp.storage import EVERYONE
from tasks.provider import (
    CallFailed,
    Failure,
    Item,
    Node,
    Per,
    ResourceType,
    Source,
    at,
    elements,
    incoming,
    key,
    link_through,
    listing,
    outgoing,
    parent,
    prop,
    scope_tenant,
)

if TYPE_CHECKING:
    from tasks.clients.google import GoogleApi

_POLICY: Final = "resourcemanager:projects.getIamPolicy"
BASIC: Final = {"roles/owner", "roles/editor", "roles/viewer"}


def email(account: Source) -> str | None:
    address: str | None = account.item.get("email")
    return address.lower() if address else None


class GCPServiceAccount(Node, label="GCPServiceAccount", tenant="GCPProject"):
    id: str = key("uniqueId")
    unique_id: str = prop("uniqueId")
    email: str = prop(email, "In lower case.", index=True)
    display_name: str | None = prop("displayName")
    disabled: bool | None = prop("disabled", "None: no.")
    oauth2_client_id: str | None = prop("oauth2ClientId")
    project_id: str = prop("projectId")
    relationships = (
        link_through("SyncGCPGrant", "_BY", "HAS_ALLOW_POLICY", "GCPPolicyBinding", on={"email": "email"}),
    )


class GCPServiceAccountKey(Node, label="GCPServiceAccountKey", tenant="GCPProject"):
    """A key of the account. Google neither keeps nor returns the private key."""

    id: str = key("name", "projects/<project>/serviceAccounts/<email>/keys/<key>")
    name: str = prop("name")
    service_account_email: str = prop(parent("email"), index=True)
    key_type: str | None = prop("keyType", "USER_MANAGED: created by a user; SYSTEM_MANAGED: used by Google alone.")
    key_origin: str | None = prop("keyOrigin")
    key_algorithm: str | None = prop("keyAlgorithm")
    valid_after_time: str | None = prop("validAfterTime")
    valid_before_time: str | None = prop("validBeforeTime", "9999-12-31 if it never expires.")
    disabled: bool | None = prop("disabled")
    relationships = (incoming("HAS_KEY", "GCPServiceAccount", parent("uniqueId")),)


SERVICE_ACCOUNTS: Final = ResourceType(
    "gcp.iam.service_accounts",
    Per.TENANT,
    fetch=listing(
        "iam:projects.serviceAccounts.list",
        name="projects/{project}",
        pageSize=100,
        not_found_codes=("NOT_FOUND", "notFound"),
    ).detail("iam:projects.serviceAccounts.keys.list", name="name"),
    yields=(GCPServiceAccount, GCPServiceAccountKey.each("keys.keys[]")),
    aliases=("iam",),
    tenant_kind=PROJECT,
)


def role_type(role: Source) -> str:
    """By its name: BASIC, PREDEFINED or CUSTOM."""
    name: str = role.item["name"]
    if not name.startswith("roles/"):
        return "CUSTOM"
    return "BASIC" if name in BASIC else "PREDEFINED"


class GCPRole(Node, label="GCPRole", tenant="GCPProject"):
    """A custom role of a project. Google's roles and an organization's are only named by bindings: `roles/editor`."""

    id: str = key("name")
    name: str = prop("name")
    title: str | None = prop("title")
    description: str | None = prop("description")
    permissions: list[str] | None = prop("includedPermissions[]")
    role_type: str = prop(role_type, "CUSTOM: the project's own.")
    stage: str | None = prop("stage", "GA, BETA, DISABLED, ...")
    etag: str | None = prop("etag")
    project_id: str = prop(scope_tenant)


ROLES: Final = ResourceType(
    "gcp.iam.roles",
    Per.TENANT,
    fetch=listing("iam:projects.roles.list", parent="projects/{project}", view="FULL", pageSize=300),
    yields=(GCPRole,),
    aliases=("iam",),
    tenant_kind=PROJECT,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """The bindings of the project's own policy, without those inherited from folders and the organization."""

    calls: tuple[str, ...] = (_POLICY,)
    made: ClassVar[Mapping[str, str]] = {_POLICY: "1"}

    def parts(self, api: GoogleApi) -> None:
        return None

    async def items(self, api: GoogleApi, part: str) -> AsyncIterator[Item]:
        with_conditions = {"options": {"requestedPolicyVersion": 3}}
        async for policy in api.pages(_POLICY, resource="projects/{project}", body=with_conditions):
            if policy.get("bindings") is None and not policy.get("etag"):  # an empty policy has an etag, too
                raise CallFailed(Failure.INVALID_RESPONSE, _POLICY, "the policy has neither bindings nor an etag")
            if not isinstance(policy.get("bindings"), list | None):
                raise CallFailed(Failure.INVALID_RESPONSE, _POLICY, "bindings is not a list")
            for binding in merged(policy.get("bindings") or ()):
                yield Item(binding)


def _is_binding(binding: Any) -> bool:
    """Whether it can be told from others, and merged with them."""
    if not isinstance(binding, Mapping) or not isinstance(binding.get("role"), str):
        return False
    members = binding.get("members")
    is_list = members is None or (isinstance(members, list) and all(isinstance(member, str) for member in members))
    return is_list and isinstance(binding.get("condition"), Mapping | None)


def merged(bindings: Iterable[Any]) -> list[Any]:
    """One binding per role and condition, with all members: a policy may list a role more than once."""
    found: dict[tuple[str, str], Any] = {}
    for number, binding in enumerate(bindings):
        if not _is_binding(binding):
            found[f"{number}", ""] = binding  # it fits no declaration, and is rejected as such
            continue
        first = found.setdefault((binding["role"], _condition(binding)), {**binding, "members": []})
        first["members"] = list(dict.fromkeys((*first["members"], *elements(binding.get("members")))))
    return list(found.values())


def _condition(binding: Mapping[str, Any]) -> str:
    """What identifies a condition; "" for none."""
    condition = binding.get("condition")
    return (condition.get("expression") or json.dumps(condition, sort_keys=True)) if condition else ""


def binding_id(binding: Source) -> str | None:
    """By role and project, and by the condition if there is one."""
    if not binding.item or not binding.item.get("role"):
        return None
    condition = _condition(binding.item)
    mark = f"_{hashlib.sha256(condition.encode()).hexdigest()[:8]}" if condition else ""
    return f"//cloudresourcemanager.googleapis.com/{resource(binding)}_{binding.item['role']}{mark}"


def resource(binding: Source) -> str:
    return f"projects/{binding.scope.tenant}"


def is_public(binding: Source) -> bool:
    return bool(EVERYONE & set(elements(binding.item.get("members"))))


def has_condition(binding: Source) -> bool:
    return bool(binding.item.get("condition"))


class GCPPolicyBinding(Node, label="GCPPolicyBinding", tenant="GCPProject"):
    id: str = key(binding_id, "<full name of the project>_<role>, and of a condition _<a hash of it>")
    role: str = prop("role", index=True)
    resource: str = prop(resource)
    members: list[str] | None = prop("members", "As in the policy: user:<email>, domain:<domain>, allUsers, ...")
    is_public: bool = prop(is_public, "Whether it names everybody, or everybody with a Google account.")
    has_condition: bool = prop(has_condition)
    condition_title: str | None = prop("condition.title")
    condition_expression: str | None = prop("condition.expression")
    relationships = (outgoing("GRANTS_ROLE", "GCPRole", "role"),)


def grants(binding: Source) -> Iterator[Mapping[str, str]]:
    """Each member with an e-mail address; not deleted ones (`deleted:user:...?uid=...`)."""
    if (own := binding_id(binding)) is None:
        return
    for member in at("members[]", binding.item) or ():
        kind, _, email = str(member).partition(":")
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
    aliases=("policy_bindings",),
    tenant_kind=PROJECT,
)
