"""The rules' part of the analysis: puts them to the graph, records what they find, and sums it up for the report."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis.findings import judge as judges
from analysis.findings import record, rule_file
from analysis.findings.evidence import Evidence
from analysis.findings.rule import Rule, Severity
from loaders import read_only
from loaders.ledger import RunInfo
from loaders.schema import GraphSchema
from tasks.engine import registry

if TYPE_CHECKING:
    from loaders.graph import Graph
    from workers.fleet.steps import Steps
    from workers.settings.settings import Settings

CHECK_SECONDS: Final = 30  # to plan one query
NEWEST: Final = 20  # new findings that a run's report names

_SUMMARY: Final = """
MATCH (f:SyncFinding)
WITH f, f.first_found_by = $run AND f.status = 'open' AS is_new
RETURN f.severity AS severity, sum(CASE f.status WHEN 'resolved' THEN 0 ELSE 1 END) AS open,
       sum(CASE WHEN is_new THEN 1 ELSE 0 END) AS new,
       sum(CASE WHEN f.resolved_by = $run THEN 1 ELSE 0 END) AS resolved,
       collect(CASE WHEN is_new THEN f {.rule, .title, .severity, .resource_label, .resource_key, .resource_name,
                                        .tenant, .region} END)[..$most] AS newest
"""


@functools.cache
def shipped() -> Sequence[Rule]:
    """The rules that come with Chartfleet. Parsed once per process."""
    return tuple(rule_file.load_rules(rule_file.SHIPPED, known_types=registry.types(), shipped=True))


def rules(directory: Path | None) -> list[Rule]:
    """The shipped rules and those of the user's directory. Raises RuleFileError."""
    own = rule_file.load_rules(directory, known_types=registry.types()) if directory else []
    by_id = {rule.id: rule for rule in shipped()}
    if taken := [rule for rule in own if rule.id in by_id]:
        raise rule_file.RuleFileError(
            "\n".join(f"{rule.file}: id: {rule.id!r}: is that of a built-in rule; give it another" for rule in taken)
        )
    return [*by_id.values(), *own]


def check_queries(graph: Graph, directory: Path | None) -> None:
    """The user's queries, as this graph understands them; none is run. Raises RuleFileError."""
    problems = []
    for rule in rules(directory):
        for name, query in (("query", rule.query), ("unknown", rule.unknown)):
            if not (rule.own and query):
                continue
            try:
                with graph.reading(timeout_seconds=CHECK_SECONDS) as transaction:
                    read_only.plan(transaction, query)
            except (read_only.NotReadOnly, read_only.InvalidQuery) as error:
                problems.append(f"{rule.file}: {name}: {error}")
    if problems:
        raise rule_file.RuleFileError("\n".join(problems))


def judge(steps: Steps, info: RunInfo, schema: GraphSchema, settings: Settings) -> dict[str, Any]:
    """Every rule: those of this worker's own settings, as its queries run with the graph's rights.

    A rule that fails, and a directory that can't be used, are reported among the failed jobs, and stop nothing.
    """
    try:
        every = rules(settings.rules_directory)
    except rule_file.RuleFileError as error:
        steps.failed_jobs.append(str(error))
        every = list(shipped())
    writer = steps.writer
    when = record.When(run=info.id, tag=info.tag, now_ms=steps.ledger.now_ms())
    evidence = Evidence.read(writer, {type_ for rule in every for type_ in rule.reads}, info.tag)
    verdicts: list[record.Verdict] = []
    judgements = judges.judge(
        writer, every, schema, evidence, present=writer.labels(), timeout_seconds=settings.transaction_seconds
    )
    record.end_with_tenants(writer, evidence, when)
    for judgement in judgements:
        record.write(writer, judgement, evidence, when)
        verdicts.append(record.verdict(judgement))
        if judgement.error:
            steps.failed_jobs.append(f"{judgement.rule}: {judgement.error}")
    record.forget_other_rules(writer, (rule.id for rule in every), when)
    record.forget_old(writer)
    return _summary(writer, info.id, verdicts)


def _summary(graph: Graph, run: str, verdicts: Sequence[record.Verdict]) -> dict[str, Any]:
    by_severity = sorted(
        graph.rows(_SUMMARY, {"run": run, "most": NEWEST}), key=lambda row: Severity(row["severity"]).rank
    )
    return {
        "judged": len(verdicts),
        "open": {row["severity"]: row["open"] for row in by_severity if row["open"]},
        "new": sum(row["new"] for row in by_severity),
        "newest": [finding for row in by_severity for finding in row["newest"]][:NEWEST],
        "resolved": sum(row["resolved"] for row in by_severity),
        "not_judged": verdicts.count(record.Verdict.NOT_JUDGED),
    }
