"""Faults in Neo4j's plan of a statement: what makes its time grow faster than the graph.

- AllNodesScan, which reads the whole graph for a part of it
- NodeByLabelScan, although the values that it looks for are indexed
- any scan that is repeated for each row of what comes before
- CartesianProduct of two sides of which neither is a single row
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from loaders.graph import Graph

Index = tuple[str, str]  # label, property

_SCANS: Final = re.compile(r"AllNodesScan|NodeByLabelScan|\w*IndexScan|\w*RelationshipTypeScan|UnionNodeByLabelsScan")
# Operators whose second child runs once for each row of the first.
_FOR_EACH_ROW: Final = re.compile(r"\w*Apply|CartesianProduct|Foreach|SubqueryForeach|TransactionForeach")
_PASSES_ROWS_ON: Final = re.compile(
    r"Projection|CacheProperties|Optional|Sort|Filter|ProduceResults|Eager|Limit|Top\w*"
)
_ONE_ROW: Final = re.compile(r"Argument|NodeByElementIdSeek|\w+CountFromCountStore")
_AGGREGATES: Final = re.compile(r"(count|collect|min|max|sum|avg)\(")  # what it groups by comes before
_LABEL_SCAN: Final = re.compile(r"^(?P<variable>`[^`]+`|\w+):(?P<label>`[^`]+`|\w+)")


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of a plan, with those that it reads from."""

    name: str
    details: str
    children: tuple[Operator, ...]

    @classmethod
    def of(cls, plan: Mapping[str, Any]) -> Operator:
        """Of a plan as the driver gives it."""
        args = plan.get("args", {})
        return cls(
            name=str(plan["operatorType"]).partition("@")[0],
            details=str(args.get("Details", "")),
            children=tuple(map(cls.of, plan.get("children", ()))),
        )

    @property
    def is_scan(self) -> bool:
        return bool(_SCANS.fullmatch(self.name))

    @property
    def is_one_row(self) -> bool:
        """Whether it can't yield more than one row each time that it runs, however large the graph."""
        if _PASSES_ROWS_ON.fullmatch(self.name):
            return len(self.children) == 1 and self.children[0].is_one_row
        if self.name.endswith("Apply") or self.name == "CartesianProduct":
            return all(child.is_one_row for child in self.children)
        if self.name == "EagerAggregation":
            return bool(_AGGREGATES.match(self.details))
        if self.name.startswith("NodeUniqueIndexSeek"):
            return " = " in self.details
        return bool(_ONE_ROW.fullmatch(self.name))

    def with_ancestors(self, above: tuple[Operator, ...] = ()) -> Iterator[tuple[Operator, tuple[Operator, ...]]]:
        """Every operator of the plan, with those that it is below of, the nearest last."""
        yield self, above
        for child in self.children:
            yield from child.with_ancestors((*above, self))


def indexed(graph: Graph) -> set[Index]:
    """Labels and properties with an index or a constraint of their own."""
    rows = graph.rows("SHOW INDEXES YIELD labelsOrTypes, properties WHERE size(properties) = 1 RETURN *")
    return {(row["labelsOrTypes"][0], row["properties"][0]) for row in rows}


def faults(plan: Operator, indexes: Collection[Index]) -> Iterator[str]:
    for operator, above in plan.with_ancestors():
        if operator.name == "AllNodesScan":
            yield f"AllNodesScan {operator.details}"
        if operator.name == "NodeByLabelScan" and (index := _index_for(operator, above, indexes)):
            yield f"NodeByLabelScan {operator.details}, although {index[0]}.{index[1]} is indexed"
        if operator.name == "CartesianProduct" and not any(child.is_one_row for child in operator.children):
            yield "CartesianProduct"
        if operator.is_scan and (each := _repeated_by(operator, above)):
            yield f"{operator.name} {operator.details} for each row of {each.name} {each.details}".rstrip()


def _index_for(scan: Operator, above: tuple[Operator, ...], indexes: Collection[Index]) -> Index | None:
    """An index by which the nodes could be found that the operators above keep."""
    found = _LABEL_SCAN.match(scan.details)
    if found is None:
        return None
    variable, label = found["variable"], found["label"].strip("`")
    compares = re.compile(rf"(?:cache\[)?{re.escape(variable)}\.(\w+)\]? (?:=|IN|STARTS WITH|<|>|<=|>=) ")
    kept = [part for one in above if one.name == "Filter" for part in one.details.split(" AND ")]
    names = [compared[1] for part in kept if (compared := compares.match(part))]
    return next(((label, name) for name in names if (label, name) in indexes), None)


def _repeated_by(scan: Operator, above: tuple[Operator, ...]) -> Operator | None:
    """The operator whose rows the scan is repeated for; None if it runs once."""
    below = scan
    for operator in reversed(above):
        repeats = _FOR_EACH_ROW.fullmatch(operator.name) and len(operator.children) == 2
        if repeats and operator.children[1] is below and not operator.children[0].is_one_row:
            return operator.children[0]
        below = operator
    return None
