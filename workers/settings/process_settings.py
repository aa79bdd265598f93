"""The settings of this process: those that its command read, else those of its environment, read once."""

from __future__ import annotations

from workers.settings.settings import Settings

_current: Settings | None = None


def use(settings: Settings) -> None:
    """Set them, before anything asks for them."""
    global _current
    _current = settings


def current() -> Settings:
    """A worker started by Celery reads them from its environment on first use. Raises SettingError."""
    if _current is None:
        use(Settings.load())
    assert _current is not None
    return _current
