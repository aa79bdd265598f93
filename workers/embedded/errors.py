"""What goes wrong with embedded services, in one line for a terminal."""

from __future__ import annotations


class EmbeddedError(Exception):
    """What failed, where its log is, and the way out."""


class Died(EmbeddedError):
    """A server ended by itself while it was starting."""
