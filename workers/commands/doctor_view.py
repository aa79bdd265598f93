"""A diagnosis on a terminal: of each tenant what is missing first, and the statements that grant it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from loaders.scope import GLOBAL
from tasks.access import Access, Examination, Examined, Finding, How, Reached, Remedy
from workers.report.exit_codes import FAILED, NOT_COVERED
from workers.report.layout import indented

if TYPE_CHECKING:
    from rich.console import Console

    from workers.commands.diagnosis import Diagnosis

_MAX_REGIONS: Final = 3  # that a line names
_BY_URGENCY: Final = (Access.DENIED, Access.FAILED, Access.ALLOWED, Access.NOT_ENABLED, Access.NOT_TRIED)
_PROBLEMS: Final = (Access.DENIED, Access.FAILED)
_STYLES: Final = {Access.DENIED: "red", Access.FAILED: "red", Access.NOT_ENABLED: "yellow", Access.NOT_TRIED: "dim"}


def show(diagnosis: Diagnosis, console: Console, *, verbose: bool = False, all_providers: bool = False) -> None:
    """What is missing and how to grant it.

    verbose        each action that is allowed, too
    all_providers  of each provider that isn't configured, what enables it; else only their names
    """
    for name, problem in diagnosis.services.items():
        console.print(Text.assemble(f"{name}: ", (problem, "red") if problem else ("responds", "green")))
    _show_not_examined(diagnosis, console, all_providers=all_providers)
    for name, examination in diagnosis.providers.items():
        _show_provider(name, examination, console, verbose=verbose)
    console.print()
    console.print(_verdict(diagnosis))


def _show_not_examined(diagnosis: Diagnosis, console: Console, *, all_providers: bool) -> None:
    for name, why in diagnosis.not_examined.items():
        if all_providers or name not in diagnosis.not_configured:
            console.print(Text(f"{name}: {why}"))
    if diagnosis.not_configured and not all_providers:
        names = ", ".join(diagnosis.not_configured)
        console.print(Text(f"Not configured: {names} (`chartfleet config --providers` says how)", style="dim"))


def _show_provider(name: str, examination: Examination, console: Console, *, verbose: bool) -> None:
    only_one = len(examination.tenants) == 1
    for tenant in examination.tenants:
        console.print()
        console.print(_headline(name, tenant))
        if tenant.actions and (verbose or only_one or tenant.lacks):
            indented(console, _matrix(tenant, verbose=verbose))
        _show_remedies(console, tenant.remedies)
    for note in examination.notes:
        console.print(Text(f"\n{name}: {note}"))
    for problem in filter(None, (examination.unseen, examination.failure)):
        console.print(Text(f"\n{name}: {problem}", style="red"))
    _show_remedies(console, examination.remedies)


def _headline(provider: str, tenant: Examined) -> Text:
    line = Text(f"{provider} {tenant.tenant}", style="bold")
    line.append(f" ({tenant.name})" if tenant.name else "")
    if tenant.reached is not Reached.YES:
        skipped = tenant.reached is Reached.SKIPPED
        line.append(f": {'skipped' if skipped else 'not reached'}: ", style="yellow" if skipped else "red")
        return line.append(tenant.reason, style="none")
    line.append(f" as {tenant.identity}: ", style="none")
    counts = Counter(_worst(regions) for regions in tenant.actions.values())
    for number, access in enumerate(access for access in _BY_URGENCY if counts[access]):
        line.append(", " if number else "", style="none")
        line.append(f"{counts[access]} {access}", style=_STYLES.get(access, "green"))
    return line


def _worst(regions: Mapping[str, Finding]) -> Access:
    """The worst that any region says of an action. One with nothing to try it on says nothing about the others."""
    return min((finding.access for finding in regions.values()), key=_BY_URGENCY.index)


class _Line(NamedTuple):
    """A line of the matrix: one action, or several of a service with the same result."""

    service: str
    label: str
    where: str
    reason: str
    access: Access


def _matrix(tenant: Examined, *, verbose: bool) -> Table:
    lines: defaultdict[_Line, list[str]] = defaultdict(list)
    for action, regions in tenant.actions.items():
        for line in _lines(action, regions):
            lines[line].append(action)
    table = Table(box=None, pad_edge=False)
    for column in ("action", "", "where"):
        table.add_column(column, overflow="fold")  # an action that is cut can't be put into a policy
    by_urgency = sorted(lines.items(), key=lambda pair: (_BY_URGENCY.index(pair[0].access), pair[0].service, pair[1]))
    for line, actions in by_urgency:
        apart = verbose or line.access in _PROBLEMS or len(actions) == 1
        where = Text.assemble(line.where, "\n" if line.where and line.reason else "", (line.reason, "dim"))
        for name in actions if apart else [f"{line.service}: {len(actions)} actions"]:
            table.add_row(name, Text(line.label, style=_STYLES.get(line.access, "green")), where)
    return table


def _lines(action: str, regions: Mapping[str, Finding]) -> Iterator[_Line]:
    """An action's findings, equal ones as one. Reasons may name the region, so the first stands for all."""
    groups: defaultdict[tuple[Access, bool], dict[str, Finding]] = defaultdict(dict)
    for region, finding in regions.items():
        groups[finding.access, finding.how is How.SIMULATION][region] = finding
    for (access, simulated), findings in groups.items():
        reason = next(iter(findings.values())).reason
        label = f"{access} by simulation" if simulated else str(access)
        yield _Line(action.partition(":")[0], label, _where(list(findings), len(regions)), reason, access)


def _where(places: list[str], total: int) -> str:
    if places == [GLOBAL]:
        return ""
    if len(places) == total and total > 1:
        return f"all {total} regions"
    more = f", and {len(places) - _MAX_REGIONS} more" if len(places) > _MAX_REGIONS else ""
    share = f" ({len(places)} of {total} regions)" if total > 1 else ""
    return f"{', '.join(places[:_MAX_REGIONS])}{more}{share}"


def _show_remedies(console: Console, remedies: Sequence[Remedy]) -> None:
    for remedy in remedies:
        indented(console, Text(f"Add to {remedy.to}:", style="bold"))
        indented(console, Text(json.dumps(remedy.statement, indent=2)), by=4)


def _verdict(diagnosis: Diagnosis) -> Text:
    tenants = diagnosis.tenants
    if diagnosis.exit_code == FAILED:
        return Text("No tenant could be reached: a run would see nothing", style="red")
    if diagnosis.exit_code == NOT_COVERED:
        missing = sum(tenant.lacks for tenant in tenants)
        return Text(
            f"Something is missing: {missing} of {len(tenants)} tenants would not be seen completely", style="yellow"
        )
    reached = sum(tenant.reached is Reached.YES for tenant in tenants)
    untried = sum(any(_worst(regions) is Access.NOT_TRIED for regions in tenant.actions.values()) for tenant in tenants)
    also = f"; in {untried} of them there was nothing to try some of the actions on, which is fine" if untried else ""
    return Text(f"Nothing is missing in {reached} tenants{also}", style="green")
