"""What can go wrong between a worker and an API: the same classes of failure for all providers."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """The class of a failed call. It alone decides what follows, never the text of the error."""

    THROTTLED = "throttled"  # wait and continue
    TRANSIENT = "transient"  # retry
    DENIED = "denied"  # the scope is denied; the reason names the missing permission
    NOT_ENABLED = "not enabled"  # in this region, or for this tenant: the scope is skipped
    NOT_FOUND = "not found"  # the item was deleted between the list and the detail: it is skipped
    EXPIRED = "expired"  # the credentials: renewed once
    INVALID_RESPONSE = "invalid response"  # the scope fails; the reason names the field
    UNEXPECTED = "unexpected"  # the API rejected the call for another reason: the scope fails


class CallFailed(Exception):
    """A call that failed for good. `action`: the permission or endpoint that was called."""

    def __init__(
        self, failure: Failure, action: str, reason: str, *, code: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(f"{action}: {reason}")
        self.failure = failure
        self.action = action
        self.reason = reason
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class RetryLater(Exception):
    """The scope has to wait longer than a worker should: it goes back to the ledger, without counting as a crash.

    action     the permission or endpoint that was called
    throttled  the API throttles: a scope waits so for a set time in all (`max_wait_seconds`), and then it fails
    """

    def __init__(self, reason: str, *, after_seconds: float, action: str = "", throttled: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
        self.action = action
        self.throttled = throttled


class InvalidRecord(Exception):
    """An item that doesn't match its declaration. It is rejected with the reason, and its scope deletes nothing."""


class NotConfigured(Exception):
    """A provider without configuration: it is skipped. The message says which setting enables it."""
