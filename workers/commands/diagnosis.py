"""What `chartfleet doctor` checks: what the credentials may do in each tenant, and whether the services respond."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tasks.access import Examination, Examined, Reached
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.response_limits import set_response_limits
from tasks.engine import registry
from tasks.failures import NotConfigured
from workers.commands.connections import checked_broker
from workers.fleet.readiness import NotReady, check_graph
from workers.report.exit_codes import COMPLETE, FAILED, NOT_COVERED

if TYPE_CHECKING:
    from tasks.resource import Provider
    from workers.settings.settings import Settings


@dataclass(slots=True, kw_only=True)
class Diagnosis:
    """What was found.

    not_examined    provider -> why it wasn't examined
    not_configured  those of them that nothing configures
    services        of the services that the settings name, what is wrong with each; "" where it responds
    """

    providers: dict[str, Examination] = field(default_factory=dict)
    not_examined: dict[str, str] = field(default_factory=dict)
    not_configured: list[str] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)

    @property
    def tenants(self) -> list[Examined]:
        return [tenant for examination in self.providers.values() for tenant in examination.tenants]

    @property
    def exit_code(self) -> int:
        """0: nothing is missing, 3: something is, 1: no tenant could be reached."""
        if not any(tenant.reached is Reached.YES for tenant in self.tenants):
            return FAILED
        lacks = any(examination.lacks for examination in self.providers.values()) or any(self.services.values())
        return NOT_COVERED if lacks else COMPLETE

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"exit_code": self.exit_code}, indent=2)


def diagnose(settings: Settings) -> Diagnosis:
    """Ask the providers, and the broker and the graph that the settings name. Changes nothing anywhere."""
    set_response_limits(settings.response_limits)
    diagnosis = Diagnosis(services=dict(_services(settings)))
    options = settings.run_config()["options"]
    for name in settings.modules:
        provider = registry.provider(name)
        try:
            if examination := asyncio.run(_check_access(provider, settings)):
                diagnosis.providers[name] = examination
            else:
                problems = "; ".join(provider.problems(provider.read_options(options)))
                diagnosis.not_examined[name] = problems or "configured; its permissions can't be checked before a run"
        except NotConfigured as error:
            diagnosis.not_examined[name] = str(error)
            diagnosis.not_configured.append(name)
    return diagnosis


async def _check_access(provider: Provider, settings: Settings) -> Examination | None:
    if provider.check_access is None:
        return None
    types = registry.requested(provider.name, settings.requested_syncs(provider.name))
    options = provider.read_options(settings.run_config()["options"])
    try:
        return await provider.check_access(options, types, LocalRateLimiter())
    finally:
        await provider.close()


def _services(settings: Settings) -> Iterator[tuple[str, str]]:
    broker, address = settings.broker, settings.graph_address
    if broker is not None:
        yield "broker", _problem(lambda: checked_broker(broker).close())
    if address is not None:
        yield "graph", _problem(lambda: check_graph(address).close())


def _problem(check: Callable[[], None]) -> str:
    try:
        check()
    except NotReady as error:
        return str(error)
    return ""
