"""The calls that a type makes and how often it makes them, derived from its fetch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from tasks.engine.listing import Listing
from tasks.resource import Call, Fetch

Described = Callable[[str], Call]  # what a provider knows about an action: its permission, and whether it pages


def of(fetch: Fetch, described: Described) -> tuple[Call, ...]:
    """Every call, a listing's own first. A fetch that is code states the frequencies in `made`."""
    if isinstance(fetch, Listing):
        return tuple(_of_listing(fetch, "item", described))
    stated: Mapping[str, str] = getattr(fetch, "made", {})
    return tuple(replace(described(action), frequency=stated.get(action, "")) for action in fetch.calls)


def _of_listing(listing: Listing, item: str, described: Described) -> Iterator[Call]:
    """`item`: what an item of the listing is called."""
    yield _with_frequency(described(listing.action), "scope")
    if listing.partitioned and listing.partitioned.refetch:
        yield _with_frequency(described(listing.partitioned.refetch.action), item)
    for lookup in listing.lookups:
        own, *details = _of_listing(lookup.listing, f"item of {lookup.name}", described)
        yield replace(own, frequency=f"{own.frequency}, if there is an item")
        yield from details
    for batch_detail in listing.batch_details:
        yield _with_frequency(
            described(batch_detail.action), f"{batch_detail.max_batch} {item.replace('item', 'items', 1)}"
        )
    for detail in listing.details:
        per = item if detail.each is None else f"element of {detail.each.removesuffix('[]')}"
        call = _with_frequency(described(detail.action), per)
        only = " and ".join(f"{path} is {value}" for path, value in detail.only)
        yield replace(call, frequency=f"{call.frequency} whose {only}") if only else call


def _with_frequency(call: Call, per: str) -> Call:
    if per == "scope":
        frequency = "1 per page" if call.paged else "1"
    else:
        frequency = f"1 per page of each {per}" if call.paged else f"1 per {per}"
    return replace(call, per=per, frequency=frequency)
