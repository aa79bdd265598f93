"""The sweeper's transition: it finds what was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loaders.ledger.scripts import Scripts, milliseconds
from loaders.ledger.state import Event
from loaders.reason import UNFINISHED, Reason
from loaders.scope import Scope

_UNITS_PER_CALL: Final = 500  # a script blocks everything else in Redis


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

    def end_overdue(self, *, max_run_seconds: float) -> tuple[list[Event], str]:
        """End what is left of a run that takes too long: it fails, and the run comes to its barrier.

        Returns the events to publish, and "" or what was done, in words. A run that isn't over after twice that time is
        cancelled: nobody loads or analyses it.
        """
        lasted = f"the run had lasted {max_run_seconds:,.0f} s (max_run_seconds)"
        reason = Reason(failure=UNFINISHED, detail=lasted).to_json()
        events: dict[Event, None] = {}
        ended = ""
        while True:
            reply: list[bytes] = self._call("end_overdue", milliseconds(max_run_seconds), reason, _UNITS_PER_CALL)
            word, *names = (part.decode() for part in reply)
            if word == "cancel":
                lasted = f"it didn't end within {2 * max_run_seconds:,.0f} s, twice max_run_seconds"
                self._call("cancel", lasted)
                return [], lasted
            events |= dict.fromkeys(map(Event, names))
            ended = lasted if events or word else ended
            if word != "more":
                return list(events), ended
