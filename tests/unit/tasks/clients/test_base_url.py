"""Where a secret is sent must be said in full, and encrypted."""

from __future__ import annotations

import pytest

from tasks.clients.base_url import check_base_url, resolve_link


@pytest.mark.parametrize(
    "value", ["https://api.example.com/v1", "https://10.0.0.5:8443", "http://127.0.0.1:8080", "http://localhost"]
)
def test_it_can_be_used(value: str) -> None:
    assert check_base_url(value) is None


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("api.example.com", "must be the whole address"),
        ("ftp://api.example.com", "must be the whole address"),
        ("https://", "must be the whole address"),
        ("http://api.example.com", "unencrypted"),
        ("https://me:secret@api.example.com", "must have no user"),
        ("https://api.example.com/v1?key=1", "must have no user, no ?"),
        ("https://api.example.com:port", "Port could not be cast"),
    ],
)
def test_what_is_wrong_is_told(value: str, told: str) -> None:
    assert told in str(check_base_url(value))


API = "https://example-admin.oktapreview.com"
NEXT = "https://example.oktapreview.com/api/v1/users?after=2&limit=1"


@pytest.mark.parametrize(
    ("link", "any_host", "leads_to"),
    [
        (NEXT, True, f"{API}/api/v1/users?after=2&limit=1"),
        (NEXT.replace("https:", "http:"), True, f"{API}/api/v1/users?after=2&limit=1"),
        ("https://login.example.com/api/v1/users?after=2", True, f"{API}/api/v1/users?after=2"),
        ("/api/v1/users?after=2", False, f"{API}/api/v1/users?after=2"),
        (f"{API.upper()}:443/api/v1/users?after=2", False, f"{API}/api/v1/users?after=2"),
    ],
)
def test_a_link_leads_to_the_configured_server(link: str, *, any_host: bool, leads_to: str) -> None:
    assert resolve_link(API, link, below="/api/v1/", any_host=any_host) == leads_to


@pytest.mark.parametrize(
    ("link", "any_host"),
    [
        (NEXT, False),
        (f"{API}:8443/api/v1/users", False),
        (f"{API}/login?after=2", True),
        (f"{API}/api/v1/../../oauth2/keys", True),
        (f"{API}/api/v1/%2e%2e/%2E%2e/oauth2/keys", True),
        ("https://elsewhere.example/users?after=2", True),
        ("ftp://example.okta.com/api/v1/users", True),
        ("https://example.okta.com:port/api/v1/users", False),
        ("", True),
    ],
)
def test_a_link_that_is_not_of_the_same_api_is_refused(link: str, *, any_host: bool) -> None:
    with pytest.raises(ValueError, match=r"another server|not one of this API's|Port"):
        resolve_link(API, link, below="/api/v1/", any_host=any_host)
