"""What was not seen: one entry for all scopes with the same cause, then what to grant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from loaders.reason import REJECTED, Reason, counted
from loaders.scope import GLOBAL
from tasks.engine import registry
from tasks.failures import Failure
from workers.report.layout import indented, shortened, title
from workers.report.report import Line, Report, reason_of

MAX_ENTRIES: Final = 20  # on a terminal; the JSON has all
MAX_PLACES: Final = 3
_MAX_PERMISSIONS: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """Scopes of one tenant that were not seen for the same cause."""

    place: str
    what: str
    why: str


def show(console: Console, heading: str, lines: Sequence[Line], style: str) -> None:
    if not lines:
        return
    title(console, heading)
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=44, overflow="fold")
    table.add_column(overflow="fold")
    entries = list(grouped(lines))
    for entry in entries[:MAX_ENTRIES]:
        table.add_row(entry.place, Text.assemble((entry.what, style), "\n", (entry.why, "dim")))
    indented(console, table)
    if len(entries) > MAX_ENTRIES:
        indented(console, f"and {len(entries) - MAX_ENTRIES} more: `chartfleet status --json` lists all")


def grouped(lines: Iterable[Line]) -> Iterator[Entry]:
    """One entry per cause, over the types of a family and over regions."""
    by_place = defaultdict[tuple[str, str, str, str, Reason], list[Line]](list)
    for line in lines:
        cause = replace(reason_of(line), action="", items=0)
        family = line["type"].rpartition(".")[0]
        by_place[line["tenant"], line["region"], line["status"], family, cause].append(line)
    # Regions in which the same types were not seen for the same cause are one entry.
    regions = defaultdict[tuple[str, str, Reason, tuple[str, ...]], list[tuple[str, list[Line]]]](list)
    for (tenant, region, status, family, cause), same in by_place.items():
        actions = tuple(dict.fromkeys(reason_of(line).action for line in same))
        regions[tenant, _what(same, status, family), cause, actions].append((region, same))
    for (tenant, what, _, _), places in regions.items():
        names = list(dict.fromkeys(region for region, _ in places))
        where = ", ".join(names) if len(names) <= MAX_PLACES else counted(len(names), "region")
        why = "; ".join(causes(reason_of(line) for _, same in places for line in same))
        yield Entry(tenant if names == [GLOBAL] else f"{where} of {tenant}", what, why)


def _what(lines: Iterable[Line], status: str, family: str) -> str:
    types = list(dict.fromkeys(line["type"] for line in lines))
    if len(types) == 1:
        return f"{status}: {types[0]}"
    return f"{status}: {len(types)} types of {family}: {', '.join(t.removeprefix(f'{family}.') for t in types)}"


def causes(reasons: Iterable[Reason]) -> list[str]:
    """Reasons as text, those of one cause together: `AccessDenied s3:GetBucketAcl (1 item), s3:GetBucketPolicy`."""
    actions = defaultdict[Reason, defaultdict[str, int]](lambda: defaultdict(int))
    for reason in reasons:
        actions[replace(reason, action="", items=0)][reason.action] += reason.items
    return [
        str(replace(cause, action=", ".join(_with_items(action, items) for action, items in named.items() if action)))
        + (f" ({counted(named[''], 'item')})" if named.get("") else "")
        for cause, named in actions.items()
    ]


def _with_items(action: str, items: int) -> str:
    return f"{action} ({counted(items, 'item')})" if items else action


def show_next_steps(console: Console, report: Report) -> None:
    """What to grant, and the command that then reads the rest."""
    if text := next_steps(report):
        console.print()
        console.print(Text(text), highlight=False)


def next_steps(report: Report) -> str:
    return "\n".join(filter(None, (_to_see_the_rest(report), _to_delete(report), _to_look_into(report))))


def _to_delete(report: Report) -> str:
    if not report.held_back:
        return ""
    confirm = f'"chartfleet sync --resume {report.run} --confirm-deletions"'
    return f"If what was held back is really gone: {confirm}, or wait for the next run"


def _to_look_into(report: Report) -> str:
    rows = counted(report.rejected_rows, "row")
    return f'Rejected: {rows} ("chartfleet rejected list")' if report.rejected_rows else ""


def _to_see_the_rest(report: Report) -> str:
    lines = [*report.not_seen, *report.gaps]
    resume = f'"chartfleet sync --resume {report.run}"'
    if grants := list(_grants(lines, report.principals)):
        doctor = ' ("chartfleet doctor" prints the statement)' if any(grant.has_doctor for grant in grants) else ""
        return f"To see the rest: {'; '.join(grant.text for grant in grants)}{doctor}, then {resume}"
    if any(reason_of(line).failure != REJECTED for line in lines):
        return f"To read what was not seen: {resume}"
    return ""


@dataclass(frozen=True, slots=True)
class _Grant:
    """What one provider's credentials lack."""

    text: str
    has_doctor: bool


def _grants(lines: Iterable[Line], principals: Mapping[str, str]) -> Iterator[_Grant]:
    permissions = defaultdict[str, dict[str, None]](dict)
    tenants = defaultdict[str, dict[str, None]](dict)
    for line in lines:
        if reason_of(line).failure == Failure.DENIED and (wanted := _permissions(line)):
            provider = line["type"].partition(".")[0]
            permissions[provider] |= dict.fromkeys(wanted)
            tenants[provider][line["tenant"]] = None
    for provider, missing in permissions.items():
        names = [f"{provider}/{tenant}" for tenant in tenants[provider]]
        known = list(dict.fromkeys(principals[name] for name in names if name in principals))
        if not known:
            known = [f"the credentials of {shortened(tenants[provider], MAX_PLACES, 'tenant')}"]
        allowed = shortened(sorted(missing), _MAX_PERMISSIONS, "permission")
        text = f"allow {allowed} to {shortened(known, MAX_PLACES, 'principal')}"
        yield _Grant(text, registry.provider(provider).check_access is not None)


def _permissions(line: Line) -> list[str]:
    """What a denied call needs; nothing where a grant wouldn't help, as for a variable that isn't set."""
    action = reason_of(line).action
    type_ = registry.types().get(line["type"])
    if type_ is None:  # a planning unit: its calls are not declared
        return [action] if ":" in action and " " not in action else []
    for call in registry.provider(type_.provider).calls(type_.fetch):
        if action in (call.permission, call.call) or action.startswith(f"{call.call} ("):
            return call.permission.split(", ") if call.permission else [action]
    return []
