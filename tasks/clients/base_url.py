"""Where an API is, as a setting says it: what is sent there is a secret, so it must be said in full, and encrypted."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")
_PORTS: Final = {"https": 443, "http": 80}


def check(value: str) -> str | None:
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


def own(base: str, link: str, *, below: str, any_host: bool) -> str:
    """Where a link leads, at the server of `base` and nowhere else. Raises ValueError: where it leads instead.

    below     the path under `base` that it must lead below
    any_host  the link may name another host: what it says of path and query is taken
    """
    root = base.rstrip("/") + below
    found = urljoin(root, link)
    scheme, server, path, query, _ = urlsplit(found)
    own_scheme, own_server, own_path, *_ = urlsplit(root)
    if (
        not link
        or not server
        or scheme not in _PORTS
        or (not any_host and _origin(urljoin(root, link)) != _origin(root))
    ):
        raise ValueError(f"at another server: {server if link else None}")
    if not path.startswith(own_path) or ".." in unquote(path).split("/"):
        raise ValueError(f"not one of this API's: {path[:100]}")
    return f"{own_scheme}://{own_server}{path}" + (f"?{query}" if query else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
