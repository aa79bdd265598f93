"""What makes two calls of AWS's API the same call, and which responses may be given again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

_SCOPE: Final = re.compile(r"Credential=([^/&, ]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_ACCOUNT: Final = re.compile(r"\d{12}")
# Of a call to STS: the new key, and the account that it belongs to.
_ISSUED: Final = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")
_ASSUMED: Final = re.compile(rb"<Arn>arn:[\w-]+:sts::(\d{12}):assumed-role/")
_READS: Final = ("Describe", "Get", "List", "Head", "BatchGet", "Lookup", "Search")
# Credentials expire, and what is generated gets ready by being asked for again.
_NEVER_KEPT: Final = {
    "AssumeRole",
    "AssumeRoleWithSAML",
    "AssumeRoleWithWebIdentity",
    "GetSessionToken",
    "GetFederationToken",
    "GetAuthorizationToken",
    "GetCredentialReport",
    "GetServiceLastAccessedDetails",
}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A call without what differs from one time to the next: its date, its signature, and its temporary key.

    `caller`: the account, or the key where the account isn't known. `action` is empty for calls in the manner of REST.
    """

    caller: str
    region: str
    service: str
    action: str
    method: str
    path: str  # with the query
    body: bytes

    @property
    def may_be_kept(self) -> bool:
        """Whether the response is as good the second time."""
        if self.action:
            return self.action.startswith(_READS) and self.action not in _NEVER_KEPT
        return self.method in ("GET", "HEAD")


class Callers:
    """The accounts of access keys. A key of 12 digits is an account's, as the simulated AWS has it."""

    def __init__(self) -> None:
        self._issued: dict[str, str] = {}

    def account(self, key: str) -> str:
        return key if _ACCOUNT.fullmatch(key) else self._issued.get(key, key)

    def learn(self, call: ApiCall, body: bytes) -> None:
        """From a response: keys that STS has just issued for a role are those of the role's account."""
        if call.action.startswith("AssumeRole") and (key := _ISSUED.search(body)) and (arn := _ASSUMED.search(body)):
            self._issued[key[1].decode()] = arn[1].decode()


def call_of(method: str, path: str, headers: Mapping[str, str], body: bytes, callers: Callers) -> ApiCall:
    """`headers` whose names are looked up without regard to case. Calls that nobody signed are S3's."""
    query = path.partition("?")[2]
    scope = _SCOPE.search(headers.get("Authorization", "")) or _SCOPE.search(unquote_plus(query))
    key, region, service = (scope[1], scope[2], scope[3]) if scope else ("", "", "s3")
    action = headers.get("X-Amz-Target", "").rpartition(".")[2] or _action_in(query) or _action_in(body)
    return ApiCall(callers.account(key), region, service, action, method, path, body)


def _action_in(form: str | bytes) -> str:
    if isinstance(form, bytes):
        if b"Action=" not in form:
            return ""
        form = form.decode("utf-8", "replace")
    return parse_qs(form).get("Action", [""])[0] if "Action=" in form else ""
