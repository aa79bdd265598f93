"""What the newest state of each scope is, by tenant and family of types: where the graph can be trusted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from loaders.graph import Graph

_CELLS: Final = """
MATCH (scope:SyncScope) WHERE NOT scope.status IN ['retired']
RETURN scope.provider + '/' + scope.tenant AS tenant, scope.type AS type, scope.status AS status,
       scope.lastupdated = $tag AS now, count(*) AS scopes, min(scope.complete_at) AS since,
       head(collect(scope.reason)) AS reason
"""
_NOT_COUNTED: Final = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The scopes of one tenant and one family: how many the newest run saw, and why it did not see the others.

    since  when what it did not see was last seen, in milliseconds since 1970; None: never, or nothing is missing
    """

    seen: int
    scopes: int
    reasons: Sequence[str]
    since: int | None

    @property
    def level(self) -> str:
        """`all`, `some`, `none`, or `skipped` where the settings expect nothing."""
        if not self.scopes:
            return "skipped"
        return "all" if self.seen == self.scopes else "some" if self.seen else "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """`cells`: by tenant and family."""

    tenants: Sequence[str]
    families: Sequence[str]
    cells: Mapping[tuple[str, str], Cell]


def read(graph: Graph, tag: int) -> HeatMap:
    """As the run with this tag left it."""
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in graph.stream(_CELLS, {"tag": tag}):
        rows[row["tenant"], _family(row["type"])].append(row)
    return HeatMap(
        tenants=sorted({tenant for tenant, _ in rows}),
        families=sorted({family for _, family in rows}),
        cells={place: _cell(of_place) for place, of_place in rows.items()},
    )


def _family(type_name: str) -> str:
    """`aws.ec2` of `aws.ec2.instances`, `okta.users` of itself."""
    parts = type_name.split(".")
    return ".".join(parts[:2])


def _cell(rows: Sequence[Mapping[str, Any]]) -> Cell:
    counted = [row for row in rows if row["status"] != _NOT_COUNTED]
    missing = [row for row in counted if not (row["now"] and row["status"] == "complete")]
    return Cell(
        seen=sum(row["scopes"] for row in counted) - sum(row["scopes"] for row in missing),
        scopes=sum(row["scopes"] for row in counted),
        reasons=list(dict.fromkeys(str(row["reason"] or f"{row['type']}: not in this run") for row in missing)),
        since=min((row["since"] for row in missing if row["since"] is not None), default=None),
    )
