"""The calls that a type makes, with the IAM action that each needs and how often it is made."""

from __future__ import annotations

from tasks import calls
from tasks.aws.paging import paging
from tasks.aws.permissions import permissions
from tasks.resource import Call, Fetch


def of(fetch: Fetch) -> tuple[Call, ...]:
    return calls.of(fetch, _described)


def _described(action: str) -> Call:
    paged = paging(action) is not None
    return Call(call=action, permission=next(iter(permissions([action])), None), paged=paged)
