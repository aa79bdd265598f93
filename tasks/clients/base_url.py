"""Where an API is served. Credentials are sent there, so a setting must give the full address, with encryption."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

_THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")
_PORTS: Final = {"https": 443, "http": 80}


def check_base_url(value: str) -> str | None:
    """What is wrong with the value of a setting, or None."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        return str(error)
    if not parts.hostname or parts.scheme not in ("https", "http"):
        return "must be the whole address, as https://api.example.com/v1"
    if port == 0:
        return "has port 0"
    if parts.username is not None or parts.query or parts.fragment:
        return "must have no user, no ? and no # in it"
    if parts.scheme == "http" and parts.hostname not in _THIS_MACHINE:
        return "must begin with https://: credentials would be sent unencrypted"
    return None


def host_of(url: str) -> str:
    """Its host, with the port if it names one."""
    return urlsplit(url).netloc.lower()


def resolve_link(base: str, link: str, *, below: str, any_host: bool) -> str:
    """The URL that a link leads to on the server of `base`. Raises ValueError if it leads elsewhere.

    below     the path under `base` that it must lead below
    any_host  the link may name another host: its path and query count
    """
    root = base.rstrip("/") + below
    target = urljoin(root, link)
    scheme, server, path, query, _ = urlsplit(target)
    root_scheme, root_server, root_path, *_ = urlsplit(root)
    is_url = bool(link) and bool(server) and scheme in _PORTS
    if not is_url or (not any_host and _origin(target) != _origin(root)):
        raise ValueError(f"at another server: {server if link else None}")
    if not path.startswith(root_path) or ".." in unquote(path).split("/"):
        raise ValueError(f"not one of this API's: {path[:100]}")
    return f"{root_scheme}://{root_server}{path}" + (f"?{query}" if query else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
