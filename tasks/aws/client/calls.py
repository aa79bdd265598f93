"""The calls that a type makes: the IAM action that each requires, and how often it is made."""

from __future__ import annotations

from tasks.aws.client.paging import paging
from tasks.aws.client.permissions import permissions
from tasks.engine import calls
from tasks.resource import Call, Fetch


def of(fetch: Fetch) -> tuple[Call, ...]:
    return calls.of(fetch, _described)


def _described(action: str) -> Call:
    paged = paging(action) is not None
    return Call(call=action, permission=next(iter(permissions([action])), None), paged=paged)
