"""What `chartfleet doctor` finds before a first run: what each tenant allows, and whether the services respond."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

import redis
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from loaders.scope import GLOBAL
from tasks.access import Access, Examination, Examined, Finding, How, Reached, Remedy
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.engine import registry
from tasks.failures import NotConfigured
from tasks.resource import Provider
from workers.fleet import readiness
from workers.report.report import COMPLETE, FAILED, NOT_COVERED
from workers.settings.settings import Settings

_MAX_REGIONS: Final = 3  # that a line names
_PROBLEMS: Final = (Access.DENIED, Access.FAILED)
_STYLES: Final = {Access.DENIED: "red", Access.FAILED: "red", Access.NOT_ENABLED: "yellow", Access.NOT_TRIED: "yellow"}


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """`services`: of those that the settings name, what is wrong with each; "" where it answers."""

    providers: dict[str, Examination] = field(default_factory=dict)
    not_examined: dict[str, str] = field(default_factory=dict)  # provider -> why
    services: dict[str, str] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 nothing is missing, 3 something is, 1 nothing was reached."""
        tenants = [tenant for examination in self.providers.values() for tenant in examination.tenants]
        if not any(tenant.reached is Reached.YES for tenant in tenants):
            return FAILED
        lacks = any(examination.lacks for examination in self.providers.values()) or any(self.services.values())
        return NOT_COVERED if lacks else COMPLETE

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"exit_code": self.exit_code}, indent=2)


def diagnose(settings: Settings, connect: Callable[[str], redis.Redis]) -> Diagnosis:
    """Asks the providers, and the broker and the graph as far as the settings name them. Changes nothing anywhere."""
    found = Diagnosis(services=dict(_services(settings, connect)))
    options = settings.run_config()["options"]
    for name in settings.modules:
        provider = registry.providers()[name]
        try:
            if examination := asyncio.run(_check_access(provider, options)):
                found.providers[name] = examination
            else:
                lacks = "; ".join(provider.problems(provider.read_options(options)))
                found.not_examined[name] = lacks or "configured; what it may read can't be tried before a run"
        except NotConfigured as error:
            found.not_examined[name] = str(error)
    return found


async def _check_access(provider: Provider, options: Mapping[str, Any]) -> Examination | None:
    if provider.check_access is None:
        return None
    types = registry.requested(provider.name, options.get(f"{provider.name}_requested_syncs") or ())
    try:
        return await provider.check_access(provider.read_options(options), types, LocalRateLimiter())
    finally:
        await provider.close()


def _services(settings: Settings, connect: Callable[[str], redis.Redis]) -> Iterator[tuple[str, str]]:
    broker, address = settings.broker, settings.graph_address
    if broker is not None:
        yield "broker", _lack(lambda: readiness.check_redis(connect(broker), broker))
    if address is not None:
        yield "graph", _lack(lambda: readiness.check_graph(address).close())


def _lack(check: Callable[[], None]) -> str:
    try:
        check()
    except readiness.NotReady as error:
        return str(error)
    return ""


# -- on a terminal


def show(found: Diagnosis, console: Console, *, verbose: bool = False) -> None:
    """What is missing, and the way out of it; with `verbose` also, action by action, what isn't missing."""
    for name, problem in found.services.items():
        console.print(Text.assemble(f"{name}: ", (problem, "red") if problem else ("answers", "green")))
    for name, why in found.not_examined.items():
        console.print(Text(f"{name}: {why}"))
    for name, examination in found.providers.items():
        few = len(examination.tenants) == 1
        for tenant in examination.tenants:
            console.print()
            console.print(_headline(name, tenant))
            if tenant.actions and (verbose or few or tenant.lacks):
                _indented(console, _matrix(tenant, verbose=verbose))
            _show_remedies(console, tenant.remedies)
        for told in (*examination.notes, examination.unseen, examination.failure):
            if told:
                console.print()
                refused = told not in examination.notes
                console.print(Text(f"{name}: {told}", style="red" if refused else ""))
        _show_remedies(console, examination.remedies)
    console.print()
    console.print(_verdict(found))


def _headline(provider: str, tenant: Examined) -> Text:
    said = Text(f"{provider} {tenant.tenant}", style="bold")
    said.append(f" ({tenant.name})" if tenant.name else "")
    if tenant.reached is not Reached.YES:
        skipped = tenant.reached is Reached.SKIPPED
        said.append(f": {'skipped' if skipped else 'not reached'}: ", style="yellow" if skipped else "red")
        return said.append(tenant.reason, style="none")
    said.append(f" as {tenant.identity}: ", style="none")
    worst = {action: _worst(regions) for action, regions in tenant.actions.items()}
    counted = Counter(worst.values())
    told = [(f"{counted[access]} {access}", _STYLES.get(access, "green")) for access in Access if counted[access]]
    for number, (text, style) in enumerate(told):
        said.append(", " if number else "", style="none").append(text, style=style)
    return said


def _worst(regions: Mapping[str, Finding]) -> Access:
    """Of an action, what its worst region says; a region with nothing to try it on says nothing of the others."""
    order = (Access.DENIED, Access.FAILED, Access.ALLOWED, Access.NOT_ENABLED, Access.NOT_TRIED)
    return min((one.access for one in regions.values()), key=order.index)


class _Line(NamedTuple):
    """A line of the matrix: of one action, or of several of a service that are alike."""

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
    table = Table("action", "", "where", box=None, pad_edge=False)
    for line, actions in sorted(lines.items(), key=lambda pair: (pair[0].service, pair[1])):
        apart = verbose or line.access in _PROBLEMS or len(actions) == 1
        for what in actions if apart else [f"{line.service}: {len(actions)} actions"]:
            told = Text.assemble(line.where, "\n" if line.where and line.reason else "", (line.reason, "dim"))
            table.add_row(what, Text(line.label, style=_STYLES.get(line.access, "green")), told)
    return table


def _lines(action: str, regions: Mapping[str, Finding]) -> Iterator[_Line]:
    """An action's findings, those that are alike together. Reasons name the region: alike is what they begin with."""
    alike: defaultdict[tuple[Access, bool], dict[str, Finding]] = defaultdict(dict)
    for region, one in regions.items():
        alike[one.access, one.how is How.SIMULATION][region] = one
    for (access, simulated), places in alike.items():
        reason = next(iter(places.values())).reason
        label = f"{access} by simulation" if simulated else str(access)
        yield _Line(action.partition(":")[0], label, _where(list(places), len(regions)), reason, access)


def _where(places: list[str], total: int) -> str:
    if places == [GLOBAL]:
        return ""
    if len(places) == total and total > 1:
        return f"all {total} regions"
    more = f", and {len(places) - _MAX_REGIONS} more" if len(places) > _MAX_REGIONS else ""
    of = f" ({len(places)} of {total} regions)" if total > 1 else ""
    return f"{', '.join(places[:_MAX_REGIONS])}{more}{of}"


def _show_remedies(console: Console, remedies: Sequence[Remedy]) -> None:
    for remedy in remedies:
        _indented(console, Text(f"Add to {remedy.to}:", style="bold"))
        _indented(console, Text(json.dumps(remedy.statement, indent=2)), by=4)


def _verdict(found: Diagnosis) -> Text:
    tenants = [tenant for examination in found.providers.values() for tenant in examination.tenants]
    lacking, reached = sum(tenant.lacks for tenant in tenants), sum(t.reached is Reached.YES for t in tenants)
    if found.exit_code == FAILED:
        return Text("Nothing was reached: a run would see nothing", style="red")
    if found.exit_code == NOT_COVERED:
        told = f"Something is missing: {lacking} of {len(tenants)} tenants would not be seen completely"
        return Text(told, style="yellow")
    unknown = sum(any(_worst(regions) is Access.NOT_TRIED for regions in t.actions.values()) for t in tenants)
    beside = f"; in {unknown} of them some actions could not be tried" if unknown else ""
    return Text(f"Nothing is missing in {reached} tenants{beside}", style="green")


def _indented(console: Console, what: Any, *, by: int = 2) -> None:
    console.print(Padding(what, (0, 0, 0, by)))
