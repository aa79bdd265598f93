"""Service accounts whose key files lead to a token endpoint of this machine, and what that endpoint answers."""

from __future__ import annotations

import base64
import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.servers import google_methods
from tests.servers.json_api import Asked, Reply, Route

ACCOUNT = "chartfleet@example-tools.iam.gserviceaccount.com"
TOKEN_PATH = "/token"
TOKEN_ROUTE = f"POST {TOKEN_PATH}"
BEARER = "ya29.not-a-secret"


def key_file(path: Path, server: str, *, account: str = ACCOUNT) -> Path:
    """The file as Google's console gives it."""
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "example-tools",
                "private_key_id": "1",
                "private_key": _private_key(),
                "client_email": account,
                "client_id": "1",
                "token_uri": f"{server}{TOKEN_PATH}",
            }
        )
    )
    return path


@cache
def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(*form).decode()


def token(asked: Asked) -> Reply:
    """A token for whoever asks in the form that Google wants, of the scopes asked for."""
    form = parse_qs(asked.body.decode())
    if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
        return Reply({"error": "unsupported_grant_type"}, 400)
    return Reply({"access_token": bearer(claims(asked)["scope"]), "expires_in": 3600, "token_type": "Bearer"})


def delegated(*scopes: str) -> Route:
    """A token endpoint that gives no other scopes than these: one too many, and there is no token at all."""

    def response(asked: Asked) -> Reply:
        if set(claims(asked)["scope"].split()) <= {*scopes}:
            return token(asked)
        told = (
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of "
        )
        told += "the scopes requested."
        return Reply({"error": "unauthorized_client", "error_description": told}, 401)

    return response


def bearer(scopes: str) -> str:
    """A token that carries its scopes."""
    return f"{BEARER}.{base64.urlsafe_b64encode(scopes.encode()).decode()}"


def scopes_of(asked: Asked) -> frozenset[str] | None:
    """Those of the token of a request; None where it has none."""
    told = asked.headers.get("authorization", "").removeprefix(f"Bearer {BEARER}.")
    try:
        return frozenset(base64.urlsafe_b64decode(told).decode().split())
    except ValueError:
        return None


def claims(asked: Asked) -> dict[str, Any]:
    """What the request for a token says: who asks, in whose name, for which scopes."""
    body = parse_qs(asked.body.decode())["assertion"][0].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def guard(asked: Asked) -> Reply | None:
    """Only calls with a token are let in, and of those each with a scope that the called method lists."""
    if asked.action == TOKEN_ROUTE:
        return None
    scopes = scopes_of(asked)
    if not scopes:
        return Reply({"error": {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}}, 401)
    http_method, path = asked.action.partition(" ")[0], asked.path.partition("?")[0]
    methods = google_methods.called(http_method, path)
    if not methods or any(method.scopes & scopes for method in methods):
        return None
    return without_scope(methods[0])


def without_scope(method: google_methods.Method) -> Reply:
    """As Google refuses a token that lacks the scope: Cloud Storage and the Directory say no more than a reason."""
    service = method.id.partition(".")[0]
    error: dict[str, Any] = {
        "code": 403,
        "message": "Request had insufficient authentication scopes.",
        "errors": [{"message": "Insufficient Permission", "domain": "global", "reason": "insufficientPermissions"}],
    }
    if service not in ("storage", "directory"):
        about = {"method": method.id, "service": f"{service}.googleapis.com"}
        info = {"reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "domain": "googleapis.com", "metadata": about}
        error |= {
            "status": "PERMISSION_DENIED",
            "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}],
        }
    scopes = " ".join(sorted(method.scopes))
    header = f'Bearer realm="https://accounts.google.com/", error="insufficient_scope", scope="{scopes}"'
    return Reply({"error": error}, 403, {"WWW-Authenticate": header})
