"""What is wrong with a setting."""

from __future__ import annotations

from loaders.errors import UsageError


class SettingError(UsageError, ValueError):
    """A setting that can't be used. Names the setting, the value and how to fix it."""

    def __init__(self, name: str, value: object, problem: str) -> None:
        super().__init__(f"{name}: {value!r}: {problem}" if value is not None else f"{name}: {problem}")
