"""The SAML providers that a role's trust policy allows: anybody who signs in with one of them may assume the role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from analysis.iam.policy_evaluation import matches_all, patterns
from tasks.aws.vocabulary.policy_document import listed, statements
from tasks.provider import Source

ANYBODY: Final = "*"
_ACTION: Final = "sts:AssumeRoleWithSAML"
_SAML: Final = ":saml-provider/"


def saml_providers(role: Source) -> list[str]:
    """By its trust policy. Conditions are not evaluated: a conditional Allow counts, a conditional Deny does not."""
    allowed, denied = dict[str, None](), set[str]()
    for statement in statements(role.item["AssumeRolePolicyDocument"]):
        if not _is_about_saml(statement):
            continue
        if statement.get("Effect") == "Allow":
            allowed |= dict.fromkeys(_named(statement))
        elif not statement.get("Condition"):
            denied |= set(_named(statement))
    return [] if ANYBODY in denied else [arn for arn in allowed if arn not in denied]


def _is_about_saml(statement: Mapping[str, Any]) -> bool:
    actions, excluded = statement.get("Action"), statement.get("NotAction")
    return matches_all(patterns(listed(actions), listed(excluded) if "NotAction" in statement else None), _ACTION)


def _named(statement: Mapping[str, Any]) -> Iterator[str]:
    """The providers in a statement. NotPrincipal counts as anybody in an Allow, and is ignored in a Deny."""
    if "NotPrincipal" in statement:
        if statement.get("Effect") == "Allow":
            yield ANYBODY
        return
    principal = statement.get("Principal")
    if principal == ANYBODY:
        yield ANYBODY
    elif isinstance(principal, Mapping):
        if ANYBODY in listed(principal.get("AWS")):
            yield ANYBODY
        yield from (name for name in listed(principal.get("Federated")) if name == ANYBODY or _SAML in name)
