"""The options of GSuite: those that all of Google's providers share."""

from __future__ import annotations

from typing import Final

from tasks.clients.google_options import GoogleOptions

OPTIONS: Final = GoogleOptions
