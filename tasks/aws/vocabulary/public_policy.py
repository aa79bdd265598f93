"""What a resource's policy lets anybody do; None where that isn't known, and why.

Anybody: somebody without an account, or of an account of their own that nothing in the policy names.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from analysis.iam.resource_policy import Resource, Verdict, verdict

_KEPT_SECONDS: Final = 60  # a verdict: conditions may name the time


def resource(service: str, arn: str, *, inside: str = "", account: str | None = None) -> Resource:
    """The resource of a policy. `inside`: what stands between its ARN and the name of what is in it."""
    forms = (arn, f"{arn}{inside}*") if inside else (arn,)
    return Resource(service, forms, account or arn.split(":")[4] or None)


def anonymous(document: str, of: Resource) -> Verdict:
    return _anonymous(document, of, int(time.time() // _KEPT_SECONDS))


@lru_cache(maxsize=1_000)
def _anonymous(document: str, of: Resource, minute: int) -> Verdict:
    return verdict(document, of, float(minute * _KEPT_SECONDS))


def anonymous_of(response: Mapping[str, Any] | None, of: Resource) -> Verdict:
    """The same of the response to a call for a policy: nothing without one, not known where it could not be read."""
    if response is None:
        return Verdict(None, "it could not be read")
    return anonymous(response["Policy"], of) if response else Verdict(())


def actions(found: Verdict) -> list[str] | None:
    return None if found.actions is None else list(found.actions)


def anonymous_actions(document: str, service: str) -> list[str] | None:
    """The actions that anybody may call, sorted: `<service>:*` for a statement that allows all but some."""
    return actions(anonymous(document, Resource(service)))


def anonymous_actions_of(response: Mapping[str, Any] | None, service: str) -> list[str] | None:
    """The same of the response to a call for a policy: [] without one, None where it could not be read."""
    return actions(anonymous_of(response, Resource(service)))
