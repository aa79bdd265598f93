"""What a resource's policy lets anybody do: the properties of every resource that has a policy of its own.

Anybody: a caller without an account, or of any account that the policy doesn't name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from analysis.iam.arn import account_of
from analysis.iam.resource_policy import Resource, Verdict, verdict
from loaders.model import Source

_KEPT_SECONDS: Final = 60  # a verdict: conditions may name the time

ANONYMOUS_ACTIONS: Final = "What its policy allows anybody to do. None: not known, see policy_not_known."
NOT_KNOWN: Final = "Why it is not known what its policy allows anybody to do."


@dataclass(frozen=True, slots=True)
class PublicPolicy:
    """Properties of a resource by the verdict on its policy."""

    verdict: Callable[[Source], Verdict]

    def anonymous_actions(self, source: Source) -> list[str] | None:
        """By its policy; [] without one."""
        actions = self.verdict(source).actions
        return None if actions is None else list(actions)

    def anonymous_access(self, source: Source) -> bool | None:
        """By its policy."""
        actions = self.verdict(source).actions
        return None if actions is None else bool(actions)

    def not_known(self, source: Source) -> str | None:
        """By its policy."""
        return self.verdict(source).reason


def resource(service: str, arn: str, *, separator: str = "", account: str | None = None) -> Resource:
    """The resource of a policy. `separator`: between its ARN and the names of what it contains, if it does."""
    forms = (arn, f"{arn}{separator}*") if separator else (arn,)
    return Resource(service, forms, account or account_of(arn) or None)


def verdict_on(document: str, resource: Resource) -> Verdict:
    return _verdict_on(document, resource, int(time.time() // _KEPT_SECONDS))


@lru_cache(maxsize=1_000)
def _verdict_on(document: str, resource: Resource, minute: int) -> Verdict:
    return verdict(document, resource, float(minute * _KEPT_SECONDS))


def verdict_on_response(response: Mapping[str, str] | None, resource: Resource) -> Verdict:
    """On the response of a call for a policy: {} where there is none, None where it could not be read."""
    if response is None:
        return Verdict(None, "it could not be read")
    return verdict_on(response["Policy"], resource) if response else Verdict(())
