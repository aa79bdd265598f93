"""Before a run: will the broker's memory do? Judged by the run before it.

What a run needs: its ledger, the messages of the tenants in progress, what waits for the loader. The ledger of the run
before stays in memory beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import redis

from loaders.ledger import Ledger, RunInfo, RunState, runs
from workers.fleet.broker_memory import BrokerMemory, setting, shown
from workers.fleet.readiness import NotReady
from workers.settings.settings import Settings

# Measured by `python -m benchmarks.ledger_memory`, with a margin of a tenth.
SCOPE_BYTES: Final = 560
MESSAGE_BYTES: Final = 2_000  # with what Celery keeps of its chord
_BASE_BYTES: Final = 20_000_000  # Redis itself, connections, rate limits, small keys
_SPARE: Final = 1.25  # of what is needed: an estate grows


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """In bytes: the ledger of a run, and its messages and batches at their most."""

    scopes: int
    ledger: int
    in_transit: int

    @property
    def total(self) -> int:
        return self.ledger + self.in_transit

    @property
    def maxmemory(self) -> float:
        """Enough for such a run beside the ledger of the one before."""
        return (2 * self.ledger + self.in_transit + _BASE_BYTES) * _SPARE


def check_memory(client: redis.Redis, graph_id: str, settings: Settings) -> str:
    """A warning, or nothing. Raises NotReady where the run would certainly fill the broker's memory."""
    memory = BrokerMemory.of(client)
    if memory.is_full:
        raise NotReady(memory.problem)
    last = _last_run(client, graph_id)
    if not memory.maximum or last is None:
        return ""
    need = need_of(last, Ledger(client, last.id).tenants(), settings)
    free = memory.maximum - memory.used + _to_be_forgotten(client, last)
    if need.total <= free:
        return ""
    text = (
        f"the broker has {shown(free)} of memory free, and the last run needed about {shown(need.total)} "
        f"({need.scopes:,} scopes): give Redis maxmemory {setting(need.maxmemory)} or more (`redis-cli config set "
        f"maxmemory {setting(need.maxmemory)}`, and in its configuration; with Compose REDIS_MEMORY in .env)"
    )
    if need.ledger > free and settings.run_config().items() <= last.config.items():
        raise NotReady(text)  # the same is asked for again, and not even its ledger has room
    return text


def need_of(last: RunInfo, tenants: int, settings: Settings) -> Need:
    """What a run over as many scopes and tenants as the last one needs."""
    published = min(last.planned, settings.admission_window * -(-last.planned // max(1, tenants)))
    return Need(
        scopes=last.planned,
        ledger=last.planned * SCOPE_BYTES,
        in_transit=published * MESSAGE_BYTES + settings.backlog_bytes,
    )


def _to_be_forgotten(client: redis.Redis, last: RunInfo) -> int:
    """The memory of whole ledgers that the start of a run forgets: all but the newest and the last complete one."""
    older = [Ledger(client, run) for run in runs(client)[1:] if run != last.id]
    infos = [ledger.info() for ledger in older if ledger.state() is not None and ledger.is_whole()]
    return sum(info.planned * SCOPE_BYTES for info in infos if info)


def _last_run(client: redis.Redis, graph_id: str) -> RunInfo | None:
    """The newest that got to its end on this graph: how many scopes it planned is known."""
    for run in runs(client):
        ledger = Ledger(client, run)
        info = ledger.info() if ledger.state() is RunState.COMPLETE else None
        if info and info.config.get("graph") == graph_id:
            return info
    return None
