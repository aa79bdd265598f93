"""Who is in a group, by what the Directory API says of its members."""

from __future__ import annotations

from typing import Any

from loaders.model import Source
from loaders.scope import Scope
from tasks.gsuite import groups


def group(*members: Any, email: str | None = "GCP-Admins@example.com") -> Source:
    return Source({"email": email, "members": [*members]}, Scope(type="gsuite.groups", tenant="C01"), (), "", "", {})


def test_everybody_may_be_a_member() -> None:
    everybody = group({"id": "C01abcdef", "type": "CUSTOMER"}, {"id": "1", "email": "Ada@example.com", "type": "USER"})
    assert groups.has_everybody(everybody)
    assert groups.member_emails(everybody) == ["ada@example.com"]
    assert not groups.has_everybody(group())


def test_of_a_member_without_a_type_the_graph_knows_what_it_is() -> None:
    """Its id is looked for among groups, its address among users: neither makes a node."""
    unknown = group({"id": "7", "email": "Engineering@example.com"}, None, {"id": "8", "type": "GROUP"}, {})
    assert groups.member_groups(unknown) == ["7", "8"]
    assert groups.member_emails(unknown) == ["engineering@example.com"]


def test_policies_name_it_in_any_case() -> None:
    assert groups.address(group()) == "gcp-admins@example.com"
    assert groups.address(group(email=None)) is None
