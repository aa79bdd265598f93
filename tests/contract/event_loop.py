"""The one event loop of the contract tests: what thousands of attempts call through is opened once, not by each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return _runner().run(work)


def close() -> None:
    _runner().close()
    _runner.cache_clear()


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()
