"""Errors of the embedded services."""

from __future__ import annotations

from loaders.errors import ChartfleetError


class EmbeddedError(ChartfleetError):
    """One line: what failed, where its log is, and what to do."""


class Crashed(EmbeddedError):
    """A server exited while it was starting."""
