"""What the credentials of a provider may do, as `chartfleet doctor` finds it before a first run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Access(StrEnum):
    """What is known of an action in one region of a tenant."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_ENABLED = "not enabled"  # the region, or the service in it: a run skips it, too
    NOT_TRIED = "not tried"  # nothing was there to try it on
    FAILED = "failed"  # it was tried, and isn't known: no response, or an unexpected one


class How(StrEnum):
    """By what it is known."""

    CALL = "call"
    DRY_RUN = "dry run"  # the API said what it would do
    SIMULATION = "simulation"  # of the policies: it doesn't see all that a call meets


@dataclass(frozen=True, slots=True)
class Finding:
    """`reason`: the API's own, with its code; of what is not tried, why."""

    access: Access
    how: How | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """`statement`: what to add, `to`: where."""

    to: str
    statement: dict[str, Any]


class Reached(StrEnum):
    """Whether a tenant could be reached."""

    YES = "yes"
    NO = "no"
    SKIPPED = "skipped"  # as a run skips it: a suspended account


@dataclass(slots=True, kw_only=True)
class Examined:
    """A tenant. `identity`: who the credentials are there; `actions`: action -> region -> what was found."""

    tenant: str
    name: str = ""
    identity: str = ""
    reached: Reached = Reached.YES
    reason: str = ""  # why it wasn't reached
    actions: dict[str, dict[str, Finding]] = field(default_factory=dict)
    remedies: list[Remedy] = field(default_factory=list)
    calls: int = 0

    def found(self, *wanted: Access) -> Iterator[tuple[str, str, Finding]]:
        """(action, region, finding) of every finding of these kinds."""
        for action, regions in self.actions.items():
            yield from ((action, region, one) for region, one in regions.items() if one.access in wanted)

    @property
    def lacks(self) -> bool:
        """Would a run leave something of it unseen, as far as is known?"""
        missing = next(self.found(Access.DENIED, Access.FAILED), None)
        return self.reached is Reached.NO or missing is not None


@dataclass(slots=True, kw_only=True)
class Examination:
    """A provider's tenants, and what its list of them says beside.

    failure    why there is no list of tenants at all
    unseen     what of the list could not be told
    remedies   of the list itself
    """

    tenants: list[Examined] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    unseen: str = ""
    failure: str = ""
    remedies: list[Remedy] = field(default_factory=list)

    @property
    def lacks(self) -> bool:
        return bool(self.unseen or self.failure) or any(tenant.lacks for tenant in self.tenants)
