"""What the credentials of a provider may do, as `chartfleet doctor` checks it before a first run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Access(StrEnum):
    """What is known of an action in one region of a tenant."""

    ALLOWED = "allowed"
    DENIED = "denied"
    NOT_ENABLED = "not enabled"  # the region, or the service in it: a run skips it as well
    NOT_TRIED = "not tried"  # there was nothing to try it on
    FAILED = "failed"  # tried without a result: no response, or an unexpected one


class How(StrEnum):
    """How it is known."""

    CALL = "call"
    DRY_RUN = "dry run"  # the API reported what it would do
    SIMULATION = "simulation"  # of the policies: it doesn't cover everything that a real call meets


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of an action in a region. `reason`: that of the API, with its code; or why it was not tried."""

    access: Access
    how: How | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """A policy statement to add. `to`: where."""

    to: str
    statement: dict[str, Any]


class Reached(StrEnum):
    """Whether a tenant could be reached."""

    YES = "yes"
    NO = "no"
    SKIPPED = "skipped"  # as in a run: a suspended account


@dataclass(slots=True, kw_only=True)
class Examined:
    """A tenant. `identity`: the identity of the credentials in it; `actions`: action -> region -> finding."""

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
            yield from ((action, region, finding) for region, finding in regions.items() if finding.access in wanted)

    @property
    def lacks(self) -> bool:
        """Whether a run would miss something of it, as far as is known."""
        missing = next(self.found(Access.DENIED, Access.FAILED), None)
        return self.reached is Reached.NO or missing is not None


@dataclass(slots=True, kw_only=True)
class Examination:
    """A provider's tenants, and what the list of them says.

    failure    why the tenants could not be listed
    unseen     why the list is incomplete
    remedies   for the list itself
    """

    tenants: list[Examined] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    unseen: str = ""
    failure: str = ""
    remedies: list[Remedy] = field(default_factory=list)

    @property
    def lacks(self) -> bool:
        return bool(self.unseen or self.failure) or any(tenant.lacks for tenant in self.tenants)
