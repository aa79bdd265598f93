"""One module per provider, each with `running()`: the provider as this process sees it, answered by samples."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.contract import event_loop
from tests.contract.stand_in import StandIn


def known(provider: str) -> bool:
    return importlib.util.find_spec(f"{__name__}.{provider}") is not None


@contextmanager
def running(provider: str) -> Iterator[StandIn]:
    started: AbstractContextManager[StandIn] = importlib.import_module(f"{__name__}.{provider}").running()
    with started as stand_in:
        try:
            yield stand_in
        finally:
            event_loop.run(stand_in.close())


def stand_in_class(provider: str) -> type[StandIn]:
    """What is known of it without a server."""
    found: type[StandIn] = importlib.import_module(f"{__name__}.{provider}").STAND_IN
    return found
