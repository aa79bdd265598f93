"""Checks of single settings: each returns what is wrong with a value, or None.

What they need of other libraries is imported when a value is there to be checked, since help imports this module.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from loaders.trusted_file import distrust
from tasks.engine import catalog

N = TypeVar("N", int, float)

_GRAPH_SCHEMES: Final = ("bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc")


def between(low: N, high: N) -> Callable[[N], str | None]:
    return lambda value: None if low <= value <= high else f"must be from {low:g} to {high:g}"


def graph_uri(value: str) -> str | None:
    problem = _url(value, *_GRAPH_SCHEMES)
    if problem is None and urlsplit(value).username is not None:
        return "contains a user: give it with --neo4j-user, and the password with --neo4j-password-env-var"
    return problem


def broker_url(value: str) -> str | None:
    if problem := _url(value, "redis", "rediss"):
        return problem
    from redis import ConnectionPool

    try:
        ConnectionPool.from_url(value).make_connection()  # nothing is sent
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def ca_file(value: Path) -> str | None:
    """Whoever can change it decides who gets the passwords."""
    import ssl

    if not value.is_file():
        return "is not a file"
    if problem := distrust(value):
        return problem
    try:
        ssl.create_default_context(cafile=value)
    except (OSError, ssl.SSLError) as error:
        return f"holds no certificates in PEM: {error}"
    return None


def modules(value: tuple[str, ...]) -> str | None:
    known = catalog.declared()
    unknown = [name for name in value if name not in known]
    return f"{unknown[0]!r} is not a provider; known: {', '.join(known)}" if unknown else None


def requested_syncs(provider: str) -> Callable[[tuple[str, ...]], str | None]:
    def check(value: tuple[str, ...]) -> str | None:
        from tasks.engine import registry  # imports every resource type

        try:
            registry.requested(provider, value)
        except ValueError as error:
            return str(error)
        return None

    return check


def scopes(value: tuple[str, ...]) -> str | None:
    wrong = [pattern for pattern in value if pattern.count("/") < 2]
    return f"{wrong[0]!r} is not TYPE/TENANT/REGION, as in aws.ec2.*/*/eu-south-1" if wrong else None


def schedule(value: str) -> str | None:
    if value.isdigit() and int(value) > 0:
        return None
    from celery.schedules import ParseException, crontab

    try:
        crontab.from_string(value)
    except (ValueError, ParseException):
        return "must be the seconds between runs (3600), or the five fields of a crontab (0 3 * * *)"
    return None


def _url(value: str, *schemes: str) -> str | None:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # raises for what is not a port
    except ValueError as error:
        return str(error)
    if parts.scheme not in schemes:
        return f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    return None if parts.hostname else "must name a host"
