"""The credentials: Google's application default credentials, found as by every client library of Google's."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

import google.auth
from google.auth import _cloud_sdk
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError

from tasks.gcp import scopes
from tasks.provider import CallFailed, Failure

VARIABLE: Final = "GOOGLE_APPLICATION_CREDENTIALS"

_PRODUCT: Final = Path("/sys/class/dmi/id/product_name")


def is_configured() -> bool:
    """Whether there are any, without a request: a machine outside of Google Cloud would wait for a response."""
    return bool(os.environ.get(VARIABLE)) or _of_gcloud() or _on_google()


def _of_gcloud() -> bool:
    path: str = _cloud_sdk.get_application_default_credentials_path()  # type: ignore[no-untyped-call]
    return Path(path).is_file()


def _on_google() -> bool:
    """Whether a metadata server has credentials: on Compute Engine, GKE and Cloud Run."""
    if os.environ.get("NO_GCE_CHECK", "").lower() == "true":  # as Google's own library has it
        return False
    if any(os.environ.get(name) for name in ("GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB")):
        return True
    try:
        return _PRODUCT.read_text().startswith("Google")
    except OSError:
        return False


@cache
def default_credentials() -> Credentials:
    """With the scopes that all calls together need. Raises CallFailed."""
    try:
        credentials, _ = google.auth.default(scopes=scopes.needed())
    except (GoogleAuthError, OSError, ValueError) as error:
        raise CallFailed(Failure.DENIED, "application default credentials", _reason(error), code="NotUsable") from None
    identity: Credentials = credentials
    return identity


def _reason(error: Exception) -> str:
    return f"can't be used: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}"


def name(credentials: Credentials) -> str:
    """Their name: that of the service account, if they belong to one."""
    account: str = getattr(credentials, "service_account_email", "") or "default"
    return account


async def close() -> None:
    default_credentials.cache_clear()
