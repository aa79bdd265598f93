"""The broker's URL as its clients get it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit


def complete(url: str, password: str | None, ca_file: Path | None) -> str:
    """With the password, if one is given, and with TLS as Celery, kombu and redis-py all understand it."""
    parts = urlsplit(url)
    if password is not None:
        host = parts.netloc.rpartition("@")[2]
        parts = parts._replace(netloc=f"{parts.username or ''}:{quote(password, safe='')}@{host}")
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        # Celery requires it, and kombu's default accepts any certificate.
        parts = parts._replace(query="&".join(filter(None, (parts.query, "ssl_cert_reqs=required"))))
    if parts.scheme == "rediss" and ca_file:
        parts = parts._replace(query=f"{parts.query}&ssl_ca_certs={quote(str(ca_file), safe='/')}")
    return urlunsplit(parts)
