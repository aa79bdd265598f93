"""The settings of this process: those that its command has read, else those of the environment, read once."""

from __future__ import annotations

from workers.settings.settings import Settings

_current: Settings | None = None


def use(settings: Settings) -> None:
    """From now on, these."""
    global _current
    _current = settings


def current() -> Settings:
    """A worker, which no command has given any, reads its environment when it first needs them. Raises SettingError."""
    if _current is None:
        use(Settings.load())
    assert _current is not None
    return _current
