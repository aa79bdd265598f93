"""Where an API is, as a setting says it: what is sent there is a secret, so it must be said in full, and encrypted."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")


def check(value: Any) -> str | None:
    """What is wrong with it, or None."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        return str(error)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        return "must be the whole address, as https://api.example.com/v1"
    if port == 0:
        return "names no port"
    if parts.username is not None or parts.query or parts.fragment:
        return "must have no user, no ? and no # in it"
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        return "must begin with https://: the credentials would be sent in the clear"
    return None


def host(value: str) -> str:
    """Its host, with the port where one is named."""
    return urlsplit(value).netloc.lower()
