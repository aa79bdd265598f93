"""What can go wrong between a worker and an API: one table of classes for all providers."""

from __future__ import annotations

from enum import StrEnum


class Failure(StrEnum):
    """The class of a failed call decides what follows; its text never does."""

    THROTTLED = "throttled"  # wait and go on
    TRANSIENT = "transient"  # try again
    DENIED = "denied"  # the scope is denied, with the action that is missing
    NOT_ENABLED = "not enabled"  # not in this region, or not in this tenant: the scope is skipped
    NOT_FOUND = "not found"  # vanished between the list and the detail: the item is skipped
    EXPIRED = "expired"  # credentials: renewed once
    INVALID_RESPONSE = "invalid response"  # the scope fails, with the field
    UNEXPECTED = "unexpected"  # a call that the API refused for another reason: the scope fails


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
    """The scope must wait longer than a worker should: it goes back to the ledger, and no crash is counted."""

    def __init__(self, reason: str, *, after_seconds: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds


class InvalidRecord(Exception):
    """An item that doesn't fit its declaration: rejected with its reason, and its scope deletes nothing."""


class NotConfigured(Exception):
    """A provider without configuration: skipped, with one line that says which setting enables it."""
