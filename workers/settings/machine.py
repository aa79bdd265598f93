"""What this machine, or this container, has room for."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_PER_CORE: Final = 16
_MB_PER_SCOPE: Final = 16  # on average: pages of responses and what waits to be pushed
_MIN: Final = 4
_MAX: Final = 32
_CGROUP_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")  # of a container: a number, or "max"


def scopes_in_flight() -> int:
    """How many scopes a process may have in flight."""
    by_memory = memory_mb() // 2 // _MB_PER_SCOPE  # the other half is for what else runs here
    return max(_MIN, min(_MAX, _PER_CORE * (os.cpu_count() or 1), by_memory))


def memory_mb() -> int:
    """Of the machine, or of the container where that has less. Where it can't be known, enough."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2 * _MAX * _MB_PER_SCOPE
    with suppress(OSError, ValueError):
        total = min(total, int(_CGROUP_LIMIT.read_text()))
    return total // 1_000_000
