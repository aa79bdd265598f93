"""Makes a worker deaf, as some are after their broker was away: connected, but no message reaches it, or none begins.

celery ... worker --include tests.fleet.deaf
app.control.broadcast("test_go_deaf", arguments={"how": "no poll"}, reply=True)
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import control_command


@control_command(name="test_go_deaf", args=[("how", str)])
def go_deaf(state: Any, how: str) -> dict[str, str]:
    consumer = state.consumer.task_consumer
    if how == "no poll":  # Redis is no longer asked for messages
        consumer.channel._brpop_start = lambda *_, **__: None
    elif how == "no start":  # it holds as many messages as it may, and begins none
        for task in state.app.tasks.values():
            task.rate_limit = "1/h"
        state.consumer.reset_rate_limits()
    else:  # the consumer has no queue any more
        consumer.cancel()
    return {"ok": how}
