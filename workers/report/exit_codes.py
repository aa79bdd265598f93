"""What `chartfleet` exits with. ChartfleetError carries FAILED, UsageError USAGE."""

from __future__ import annotations

from typing import Final

COMPLETE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_COVERED: Final = 3  # complete, but parts were not seen
INTERRUPTED: Final = 130
