"""The calls that a type makes, with the IAM action that each needs and how often it is made: read off its fetch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tasks.aws import credentials
from tasks.aws.permissions import permissions
from tasks.listing import Listing
from tasks.resource import Call, Fetch


def of(fetch: Fetch) -> tuple[Call, ...]:
    """Each call that is made, a listing's own first. A fetch that is code states in `made` how often."""
    if isinstance(fetch, Listing):
        return tuple(_of_listing(fetch, "item"))
    stated: Mapping[str, str] = getattr(fetch, "made", {})
    return tuple(replace(_call(action, per=None), made=stated.get(action, "")) for action in fetch.calls)


def _of_listing(listing: Listing, item: str) -> Iterator[Call]:
    """`item`: what an item of the listing is called."""
    yield _call(listing.action, per="scope")
    for beside in listing.besides:
        own, *details = _of_listing(beside.listing, f"item of {beside.name}")
        yield replace(own, made=f"{own.made}, if there is an item")
        yield from details
    for together in listing.togethers:
        yield _call(together.action, per=f"{together.most} {item.replace('item', 'items', 1)}")
    for detail in listing.details:
        per = item if detail.each is None else f"element of {detail.each.removesuffix('[]')}"
        call = _call(detail.action, per=per)
        only = " and ".join(f"{path} is {value}" for path, value in detail.only)
        yield replace(call, made=f"{call.made} whose {only}") if only else call


def _call(action: str, *, per: str | None) -> Call:
    service, operation = action.split(":")
    paged = credentials.paging(service, operation) is not None
    if per is None:
        made = ""
    elif per == "scope":
        made = "1 per page" if paged else "1"
    else:
        made = f"1 per page of each {per}" if paged else f"1 per {per}"
    return Call(call=action, permission=next(iter(permissions([action])), None), per=per, paged=paged, made=made)
