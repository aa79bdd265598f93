"""The sweeper's transition: it finds what was lost."""

from __future__ import annotations

from collections.abc import Mapping

from loaders.ledger.scripts import Scripts, milliseconds
from loaders.ledger.state import Event
from loaders.scope import Scope


class Sweeping(Scripts):
    def sweep(
        self,
        *,
        lease_seconds: float,
        max_crashes: int,
        redelivery_grace_seconds: float,
        broker: str,
        queued: Mapping[str, int],
    ) -> tuple[list[Event], list[Scope]]:
        """Events and scopes to publish. `broker`: Redis's own run id; `queued`: messages waiting for each provider."""
        waiting = [word for pair in queued.items() for word in pair]
        lease, grace = milliseconds(lease_seconds), milliseconds(redelivery_grace_seconds)
        reply: tuple[list[bytes], list[bytes]] = self._call("sweep", lease, max_crashes, grace, broker, *waiting)
        events, units = reply
        return [Event(event.decode()) for event in events], [Scope.parse(unit.decode()) for unit in units]
