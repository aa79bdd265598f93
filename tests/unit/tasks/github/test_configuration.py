"""The variable with GitHub's organizations: what it may hold, and that nothing of it is told when it can't be used."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from tasks.github import configuration

PUBLIC = {"token": "secret-1", "url": "https://api.github.com/graphql", "name": "example"}
OWN = {"token": "secret-2", "url": "https://github.example.com/api/graphql", "name": "example"}


def held(monkeypatch: pytest.MonkeyPatch, document: Any) -> None:
    text = document if isinstance(document, str) else base64.b64encode(json.dumps(document).encode()).decode()
    monkeypatch.setenv("GITHUB_CONFIG", text)


def test_organizations_of_one_name_are_told_apart_and_tokens_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    held(monkeypatch, {"organization": [PUBLIC, OWN, PUBLIC | {"name": "other"}]})
    found = configuration.read("GITHUB_CONFIG")
    assert [one.tenant for one in found] == ["example", "example@github.example.com", "other"]
    assert [one.base_url for one in found][:2] == ["https://api.github.com", "https://github.example.com/api"]
    assert [one.credentials for one in found] == ["api.github.com#1", "github.example.com#2", "api.github.com#1"]
    assert "secret" not in repr(found)


def test_it_may_be_broken_into_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    held(monkeypatch, base64.encodebytes(json.dumps({"organization": [PUBLIC, OWN]}).encode()).decode())
    assert len(configuration.read("GITHUB_CONFIG")) == 2


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("", "isn't set, or empty"),
        ("not base64!", "must be base64 of"),
        ({"organizations": [PUBLIC]}, "has no list `organization`"),
        ({"organization": []}, "has no list `organization`"),
        ({"organization": [PUBLIC, {"token": "secret", "name": "x"}]}, "organization 2 has no url"),
        ({"organization": [PUBLIC | {"url": "https://api.github.com"}]}, "must end in /graphql"),
        ({"organization": [PUBLIC | {"url": "http://github.example.com/graphql"}]}, "unencrypted"),
        ({"organization": [PUBLIC | {"name": "example/web"}]}, "must be the organization's login"),
        ({"organization": [PUBLIC, PUBLIC]}, "has example twice, again as organization 2"),
        ({"organization": [PUBLIC, PUBLIC | {"name": "EXAMPLE"}]}, "has example twice, again as organization 2"),
    ],
)
def test_what_is_wrong_is_told_without_what_it_holds(monkeypatch: pytest.MonkeyPatch, document: Any, told: str) -> None:
    held(monkeypatch, document)
    with pytest.raises(ValueError, match=re.escape(told)) as caught:
        configuration.read("GITHUB_CONFIG")
    assert "secret" not in str(caught.value)


def test_a_login_has_no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub takes it for the same, so it is one tenant; it is asked for as it was written."""
    held(monkeypatch, {"organization": [PUBLIC | {"name": "Example"}, OWN | {"name": "EXAMPLE"}]})
    found = configuration.read("GITHUB_CONFIG")
    assert [one.tenant for one in found] == ["example", "example@github.example.com"]
    assert [one.login for one in found] == ["Example", "EXAMPLE"]
