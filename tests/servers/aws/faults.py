"""Faults: which calls of the simulated AWS fail, and how."""

from __future__ import annotations

import uuid
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.servers.aws.calls import Call


class Effect(StrEnum):
    DENY = "deny"
    THROTTLE = "throttle"
    NOT_ENABLED = "not_enabled"  # the account hasn't enabled the region
    EXPIRED = "expired"
    ERROR = "error"
    DISCONNECT = "disconnect"  # closes the connection without a response
    DELAY = "delay"  # then continues with the next matching fault, or the real response
    PAUSE = "pause"  # holds the call until the fault is removed, then continues
    MALFORMED = "malformed"  # the real response without one field, or truncated
    KILL_CLIENT = "kill_client"  # SIGKILL to the process that makes the call
    KILL_PARENT = "kill_parent"  # SIGKILL to the parent of that process


@dataclass(frozen=True)
class Fault:
    """A condition that is None matches every call. The first fault that gives a response wins."""

    effect: Effect
    _: KW_ONLY
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    # conditions
    service: str | None = None  # boto3's name of the client
    action: str | None = None  # API operation, e.g. DescribeInstances
    region: str | None = None
    account: str | None = None
    bucket: str | None = None  # S3
    param: str | None = None  # part of the decoded path, query or body, e.g. "RoleName=auditor"
    after: int = 0  # number of matching calls that pass first
    times: int | None = None  # number of calls affected; None: all that follow
    # details of the effect
    seconds: float = 0.0  # DELAY
    retry_after_seconds: int | None = None  # any error: the header Retry-After
    code: str | None = None  # any error: instead of the usual code
    status: int | None = None  # any error: instead of the usual HTTP status
    lacks: str | None = None  # MALFORMED: missing element or key, as on the wire. None: the response is truncated
    value: str | None = None  # MALFORMED: of several, the element or key with this value. None: the first

    def matches(self, call: Call) -> bool:
        names = ("service", "action", "region", "account", "bucket")
        return all(getattr(self, name) in (None, getattr(call, name)) for name in names) and (
            self.param is None or self.param in call.text
        )


def fault_of(document: dict[str, Any]) -> Fault:
    return Fault(**document | {"effect": Effect(document.get("effect", ""))})
