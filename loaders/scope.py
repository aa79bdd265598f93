"""Scopes, the units of a run: what they are called, and which tenant they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

GLOBAL = "global"  # the region of a resource type that has none
ALL_REGIONS = "*"  # the region of a line that stands for a whole tenant
_LONGEST_PART = 40  # characters of a part in texts for people


def tenants_type(provider: str) -> str:
    """The planning unit that lists a provider's tenants: the name of its task, and its type in the coverage."""
    return f"{provider}.tenants"


def regions_type(provider: str) -> str:
    """The planning unit that lists one tenant's regions and plans its scopes."""
    return f"{provider}.regions"


def provider_of(type_name: str) -> str:
    """`aws` of `aws.ec2.instances`."""
    return type_name.partition(".")[0]


def is_planning(type_name: str) -> bool:
    """Whether the units of the type plan the run."""
    provider = provider_of(type_name)
    return type_name in (tenants_type(provider), regions_type(provider))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Tenant x region x resource type: the unit of a task, a retry, an error, a deletion, a line of the report.

    `part`: one part of a scope whose type plans parts (a page, a range of ids); empty for the scope itself.
    """

    type: str
    tenant: str
    region: str = GLOBAL
    part: str = ""

    @property
    def provider(self) -> str:
        return provider_of(self.type)

    @property
    def tenant_key(self) -> str:
        """`aws/111122223333`: its tenant, of all providers' tenants."""
        return f"{self.provider}/{self.tenant}"

    @property
    def has_region(self) -> bool:
        return self.region != GLOBAL

    @property
    def plans(self) -> bool:
        """Is it a planning unit? Such a unit owns nothing in the graph."""
        return is_planning(self.type)

    @property
    def id(self) -> str:
        """`aws.ec2.instances/111122223333/eu-west-1`, and `...#part` for a part: in the ledger, and as `_scope`."""
        return f"{self.type}/{self.tenant}/{self.region}" + (f"#{self.part}" if self.part else "")

    @property
    def shown(self) -> str:
        """Its id in texts for people: a long part, such as a list of ids, is truncated."""
        return self.id if len(self.part) <= _LONGEST_PART else f"{self.whole.id}#{self.part[:_LONGEST_PART]}..."

    @property
    def whole(self) -> Scope:
        """The scope that a part belongs to, which owns the rows of all its parts."""
        return Scope(type=self.type, tenant=self.tenant, region=self.region) if self.part else self

    @classmethod
    def parse(cls, scope_id: str) -> Self:
        whole, _, part = scope_id.partition("#")
        type_, _, rest = whole.partition("/")
        tenant, _, region = rest.rpartition("/")
        if not (type_ and tenant and region):
            raise ValueError(f"{scope_id!r} is not a scope: expected type/tenant/region or type/tenant/region#part")
        return cls(type=type_, tenant=tenant, region=region, part=part)
