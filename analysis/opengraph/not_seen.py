"""What was not seen, as nodes of their own: whoever looks at the export sees where an absent edge says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from analysis.opengraph import elements
from loaders.iso_time import iso_time

if TYPE_CHECKING:
    from analysis.coverage import Coverage

KIND: Final = "NotSeen"


def nodes(coverage: Coverage) -> Iterator[dict[str, Any]]:
    """A scope each, then each type that was never seen."""
    for scope in coverage.not_seen:
        age = iso_time(scope.complete_at)
        yield _node(scope.type, scope.tenant, scope.region, scope.reason, status=scope.status, seen_at=age)
    for gap in coverage.gaps:
        yield _node(gap.type, gap.tenant, gap.region, gap.reason, status="details not seen")
    for type_ in coverage.never:
        yield _node(type_, "", "", "never seen", status="never seen")


def _node(type_: str, tenant: str, region: str, reason: str, **properties: str | None) -> dict[str, Any]:
    place = "/".join(filter(None, (type_, tenant, region)))
    return elements.node(
        elements.node_id(KIND, f"{place}/{properties['status']}"),
        (KIND,),
        f"not seen: {place}: {reason}",
        {"type": type_, "tenant": tenant or None, "region": region or None, "reason": reason, **properties},
    )
