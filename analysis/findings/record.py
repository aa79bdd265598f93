"""Findings in the graph: when each was first found, whether it still is, and how old what it rests on is.

A finding ends only when it was judged again and is gone. Where something that its rule rests on was not seen, it stays,
and says so. The nodes have no relationships: queries of variable length over what was found keep their results.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from analysis.findings.evidence import MAX_REASONS, Evidence, Gap
from loaders.graph import BulkRows
from loaders.pages import pages

if TYPE_CHECKING:
    from analysis.findings.judge import Found, Judgement
    from loaders.graph import Graph

ROWS_PER_TRANSACTION: Final = 1_000


class Status(StrEnum):
    """Of a finding. `NOT_JUDGED`: it was open, and whether it still is isn't known."""

    OPEN = "open"
    NOT_JUDGED = "not judged"
    RESOLVED = "resolved"


class Verdict(StrEnum):
    """Of a rule."""

    FOUND = "found"
    NONE = "none found"
    NOT_JUDGED = "not judged"
    FAILED = "failed"


_OPEN: Final = """
MATCH (f:SyncFinding {rule: $rule}) WHERE f.status <> 'resolved'
RETURN f.id AS id, f.resource_label AS label, f.resource_key AS key, f.tenant AS tenant, f.region AS region
"""
_TENANTS: Final = "MATCH (f:SyncFinding) WHERE f.status <> 'resolved' RETURN DISTINCT f.tenant AS tenant"
_OPEN_IN: Final = "MATCH (f:SyncFinding {tenant: $tenant}) WHERE f.status <> 'resolved' RETURN f.id AS id"
_FOUND: Final = """
UNWIND $rows AS row
MERGE (f:SyncFinding {id: row.id})
  ON CREATE SET f.firstseen = $now
SET f.first_found_at = CASE WHEN f.status IS NULL OR f.status = 'resolved' THEN $now ELSE f.first_found_at END,
    f.first_found_by = CASE WHEN f.status IS NULL OR f.status = 'resolved' THEN $run ELSE f.first_found_by END
SET f += row, f.status = 'open', f.judged_at = $now, f.lastupdated = $tag
REMOVE f.resolved_at, f.resolved_by, f.resolved_because, f.not_judged_because
"""
_NOT_JUDGED: Final = """
UNWIND $rows AS row
MATCH (f:SyncFinding {id: row.id})
SET f.status = 'not judged', f.not_judged_because = row.because, f.evidence_at = row.evidence_at, f.lastupdated = $tag
"""
_RESOLVED: Final = """
UNWIND $rows AS row
MATCH (f:SyncFinding {id: row.id})
SET f.status = 'resolved', f.resolved_at = $now, f.resolved_by = $run, f.resolved_because = row.because,
    f.lastupdated = $tag
REMOVE f.not_judged_because
"""
_RULE: Final = """
MERGE (r:SyncRule {id: $rule.id})
  ON CREATE SET r.firstseen = $now
SET r += $rule, r.lastupdated = $tag
"""
_GONE_RULES: Final = """
MATCH (r:SyncRule) WHERE NOT r.id IN $rules
OPTIONAL MATCH (f:SyncFinding {rule: r.id}) WHERE f.status <> 'resolved'
RETURN r.id AS rule, collect(f.id) AS findings
"""
_FORGET_RULES: Final = "MATCH (r:SyncRule) WHERE r.id IN $rules DELETE r"
_OLD: Final = """
MATCH (f:SyncFinding {status: 'resolved'}) WHERE f.lastupdated < $oldest
WITH f LIMIT $limit DELETE f RETURN count(*)
"""
_OF_TENANT: Final = """
MATCH (f:SyncFinding {tenant: $tenant})
WITH f LIMIT $limit DELETE f RETURN count(*)
"""
_OLDEST_RUN: Final = "MATCH (r:SyncRun) RETURN min(r.tag) AS tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """The run that judges, and the time, by the ledger's clock."""

    run: str
    tag: int
    now_ms: int


def finding_id(rule: str, label: str, key: str) -> str:
    """One rule and one resource are one finding, in all runs."""
    return f"{rule}|{label}|{key}"


def write(graph: Graph, judgement: Judgement, evidence: Evidence, when: When) -> None:
    """Record what came of one rule. Repeating it changes nothing."""
    rule = judgement.rule
    found = {finding_id(rule.id, one.resource.label, one.resource.key): _row(judgement, one) for one in judgement.found}
    ended, kept = [], []
    for row in graph.rows(_OPEN, {"rule": rule.id}):
        if row["id"] in found:
            continue
        reason, since = _not_judged(judgement, evidence, row)
        if reason:
            kept.append({"id": row["id"], "because": reason, "evidence_at": since})
        else:
            ended.append({"id": row["id"], "because": "no longer found"})
    for query, rows in ((_FOUND, list(found.values())), (_NOT_JUDGED, kept), (_RESOLVED, ended)):
        _write(graph, query, rows, when)
    parameters = {"rule": _rule_row(judgement), "now": when.now_ms, "tag": when.tag}
    graph.write(lambda tx: tx.run(_RULE, parameters).consume())


def end_with_tenants(graph: Graph, evidence: Evidence, when: When) -> None:
    """What was found in tenants of which the graph has no coverage any more ends with them."""
    gone = [row["tenant"] for row in graph.rows(_TENANTS) if not evidence.knows(row["tenant"])]
    because = "its tenant is no longer in the graph"
    for tenant in gone:
        rows = [{"id": row["id"], "because": because} for row in graph.rows(_OPEN_IN, {"tenant": tenant})]
        _write(graph, _RESOLVED, rows, when)


def forget_other_rules(graph: Graph, rules: Iterable[str], when: When) -> None:
    """The findings of rules other than these, which are no longer there, end with them."""
    gone = graph.rows(_GONE_RULES, {"rules": sorted(rules)})
    rows = [{"id": id_, "because": "its rule is gone"} for row in gone for id_ in row["findings"]]
    _write(graph, _RESOLVED, rows, when)
    if gone:
        graph.write(lambda tx: tx.run(_FORGET_RULES, rules=[row["rule"] for row in gone]).consume())


def forget_old(graph: Graph) -> None:
    """Findings that were resolved before the oldest run that the graph still knows."""
    [row] = graph.rows(_OLDEST_RUN)
    if row["tag"] is not None:
        graph.write_until_done(_OLD, {"oldest": row["tag"]}, limit=ROWS_PER_TRANSACTION)


def forget_tenant(graph: Graph, tenant: str) -> None:
    """`aws/111122223333`: its findings are deleted, resolved ones too, since they name what it had."""
    graph.write_until_done(_OF_TENANT, {"tenant": tenant}, limit=ROWS_PER_TRANSACTION)


def _write(graph: Graph, query: str, rows: Sequence[Mapping[str, Any]], when: When) -> None:
    for page in pages(rows, ROWS_PER_TRANSACTION):
        parameters = {"rows": BulkRows(page), "now": when.now_ms, "run": when.run, "tag": when.tag}
        graph.write(lambda tx, parameters=parameters: tx.run(query, parameters).consume())  # type: ignore[misc]


def _not_judged(judgement: Judgement, evidence: Evidence, row: Mapping[str, Any]) -> tuple[str, int | None]:
    """Why a finding that was not found again is not resolved, and how old what is known of it is."""
    if judgement.error:
        return f"the rule failed: {judgement.error}", None
    if judgement.count > len(judgement.found):
        return f"more than {len(judgement.found)} findings of one rule", None
    if why := judgement.unknown.get((row["label"], row["key"])):
        return why, None
    rule, tenant = judgement.rule, row["tenant"]
    gaps = [*evidence.never_seen(tenant, rule.reads), *evidence.not_seen(tenant, rule.reads, row["region"])]
    return _reasons(gaps), _oldest(gaps)


def _row(judgement: Judgement, found: Found) -> dict[str, Any]:
    rule, resource = judgement.rule, found.resource
    return {
        "id": finding_id(rule.id, resource.label, resource.key),
        "rule": rule.id,
        "title": rule.title,
        "severity": str(rule.severity),
        "tenant": resource.tenant,
        "region": resource.region,
        "resource_label": resource.label,
        "resource_key": resource.key,
        "resource_name": resource.name,
        "detail": found.detail,
        "path": json.dumps(found.path),
        "unseen": _reasons(found.unseen) or None,
        "evidence_at": _oldest(found.unseen),
    }


def _rule_row(judgement: Judgement) -> dict[str, Any]:
    rule = judgement.rule
    gaps = [*judgement.not_judged, *judgement.unseen]
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": str(rule.severity),
        "reads": list(rule.reads),
        "why": rule.why,
        "fix": rule.fix,
        "references": list(rule.references),
        "frameworks": json.dumps({name: list(numbers) for name, numbers in sorted(rule.frameworks.items())}),
        "verdict": str(verdict(judgement)),
        "count": judgement.count,
        "unknown": len(judgement.unknown),
        "unknown_because": sorted(set(judgement.unknown.values()))[:MAX_REASONS],
        "not_judged": len(judgement.not_judged),
        "unseen": len(judgement.unseen),
        "gaps": json.dumps([gap.as_json() for gap in gaps[:MAX_REASONS]]),
        "error": judgement.error or None,
    }


def verdict(judgement: Judgement) -> Verdict:
    """`NONE` says no more than that nothing was found in what was seen; the gaps say what wasn't."""
    if judgement.error:
        return Verdict.FAILED
    if judgement.count:
        return Verdict.FOUND
    tenants = {gap.tenant for gap in judgement.not_judged}
    return Verdict.NOT_JUDGED if tenants and tenants == set(judgement.tenants) else Verdict.NONE


def _reasons(gaps: Sequence[Gap]) -> str:
    named = "; ".join(dict.fromkeys(str(gap) for gap in gaps[:5]))
    return f"not seen: {named}" + (f" and {len(gaps) - 5} more" if len(gaps) > 5 else "") if gaps else ""


def _oldest(gaps: Sequence[Gap]) -> int | None:
    return min((gap.since for gap in gaps if gap.since is not None), default=None)
