"""The parts of docs/rules.md: the rules of each provider, and what they cover of each framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analysis.findings import framework
from analysis.findings.rule import Rule
from workers.fleet import judging


def rules_table(provider: str) -> str:
    """The worst first."""
    rules = [rule for rule in judging.shipped() if rule.providers[0] == provider]
    lines = ["| severity | rule | what is wrong |", "|---|---|---|"]
    lines += [
        f"| {rule.severity} | [`{rule.id}`]({_file(rule)}) | {_cell(rule.title)} |"
        for rule in sorted(rules, key=lambda rule: (rule.severity.rank, rule.id))
    ]
    return "\n".join(lines)


def framework_table(name: str) -> str:
    found = framework.load()[name]
    rules_of = framework.covered_by(found, judging.shipped())
    lines = [_summary(found, rules_of), "", "| control | what it asks | covered by |", "|---|---|---|"]
    for control in found.controls:
        parts = [f"`{rule.id}`" for rule in rules_of[control.number]]
        parts += [_cell(control.uncovered)] if control.uncovered else []
        lines.append(f"| {control.number} | {_cell(control.title)} | {'; '.join(parts)} |")
    return "\n".join(lines)


def providers() -> Iterable[str]:
    """Those that rules are about, in the order of their names."""
    return sorted({rule.providers[0] for rule in judging.shipped()})


def _summary(found: framework.Framework, rules_of: Mapping[str, list[Rule]]) -> str:
    covered = sum(bool(rules) for rules in rules_of.values())
    return f"{covered} of {len(found.controls)} controls of [{found.title}]({found.source}) have a rule."


def _file(rule: Rule) -> str:
    return f"../analysis/rules/{rule.providers[0]}/{rule.file.name}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
