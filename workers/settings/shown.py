"""Settings as text: for people, with passwords masked, and for the environment of another process."""

from __future__ import annotations

import re

from tasks.setting import Setting, Value, text_of


def shown(setting: Setting, value: Value) -> str:
    """A value for people."""
    return masked(None if value is None else str(value)) if setting.secret else text_of(value)


def masked(url: str | None) -> str:
    """A URL without its password."""
    if not url:
        return "-"
    without = re.sub(r"://([^:@/?#]*):.*@", r"://\1:***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", without)  # redis-py also takes one in the query


def as_variable(value: Value) -> str:
    """A value for an environment variable; empty is unset."""
    return "" if value is None or value == () else text_of(value)
