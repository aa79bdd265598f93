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

from tests.servers.json_api import Asked, Reply

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
    """A token for whoever asks in the form that Google wants; it says of nobody that he may."""
    form = parse_qs(asked.body.decode())
    if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
        return Reply({"error": "unsupported_grant_type"}, 400)
    return Reply({"access_token": BEARER, "expires_in": 3600, "token_type": "Bearer"})


def claims(asked: Asked) -> dict[str, Any]:
    """What the request for a token says: who asks, in whose name, for which scopes."""
    body = parse_qs(asked.body.decode())["assertion"][0].split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def guard(asked: Asked) -> Reply | None:
    """Only calls with the token are let in."""
    if asked.action == TOKEN_ROUTE or asked.headers.get("authorization") == f"Bearer {BEARER}":
        return None
    return Reply({"error": {"code": 401, "message": "Invalid Credentials", "status": "UNAUTHENTICATED"}}, 401)
