"""What was not seen of the resource types that a query reads: an empty result is then not "none"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from analysis import shipped
from analysis.coverage import Coverage, coverage
from analysis.queries.resource_types import read_types
from loaders.iso_time import iso_time
from loaders.reason import counted
from loaders.scope import Scope
from tasks.engine import registry

if TYPE_CHECKING:
    from analysis.coverage import Gap, UnseenScope
    from loaders.graph import Graph
    from loaders.read_only import Operator

_NEWEST_RUN: Final = """
MATCH (run:SyncRun) WHERE run.tag IS NOT NULL
RETURN run.id AS id, run.tag AS tag, run.started_at AS started_at ORDER BY run.tag DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryCoverage:
    """`run`, `started_at`: of the newest run, if there was one."""

    seen: Coverage
    run: str | None
    started_at: str | None
    expected_gaps: Sequence[str]

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing but what the setting expected_gaps names."""
        places: list[UnseenScope | Gap] = [*self.seen.not_seen, *self.seen.gaps]
        return not self.seen.never_seen and all(map(self._is_expected, places))

    def __str__(self) -> str:
        if not self.seen.types:
            return "the query reads nothing that a resource type loads"
        if missing := str(self.seen):
            return missing
        return f"all of {counted(self.seen.scopes, 'scope')} seen ({', '.join(self.seen.types)})"

    def as_json(self) -> dict[str, Any]:
        return {
            "complete": self.is_complete,
            "run": self.run,
            "started_at": self.started_at,
            "types": list(self.seen.types),
            "scopes": self.seen.scopes,
            "not_seen": [
                _place(scope)
                | {"status": scope.status, "reason": scope.reason, "last_complete": iso_time(scope.complete_at)}
                for scope in self.seen.not_seen
            ],
            "details_not_seen": [_place(gap) | {"reason": gap.reason} for gap in self.seen.gaps],
            "never_seen": list(self.seen.never),
            "as_earlier_runs_saw": self.seen.earlier,
        }

    def _is_expected(self, place: UnseenScope | Gap) -> bool:
        scope = Scope(**_place(place))
        return any(fnmatchcase(scope.id, pattern) for pattern in self.expected_gaps)


def of(graph: Graph, query: str, plan: Iterable[Operator], expected_gaps: Sequence[str]) -> QueryCoverage:
    read = read_types(query, plan, registry.schema(), shipped.jobs())
    return of_types(graph, read.types, expected_gaps, also=read.also)


def of_types(
    graph: Graph, types: Sequence[str], expected_gaps: Sequence[str], *, also: Sequence[str] = ()
) -> QueryCoverage:
    """`also`: those without which there is a result, too."""
    run: Mapping[str, Any] = next(iter(graph.rows(_NEWEST_RUN)), {"id": None, "tag": 0, "started_at": None})
    return QueryCoverage(
        seen=coverage(graph, types, also, run["tag"]),
        run=run["id"],
        started_at=iso_time(run["started_at"]),
        expected_gaps=expected_gaps,
    )


def _place(place: UnseenScope | Gap) -> dict[str, str]:
    return {"type": place.type, "tenant": place.tenant, "region": place.region}
