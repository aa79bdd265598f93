"""Which SAML providers a role's trust policy lets in: whoever signs in with one of them may assume the role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from analysis.iam.policy_evaluation import matches_all, patterns
from loaders.model import Source
from tasks.aws.vocabulary.policy_document import listed, statements

ANYBODY: Final = "*"
_ACTION: Final = "sts:AssumeRoleWithSAML"
_SAML: Final = ":saml-provider/"


def saml_providers(role: Source) -> list[str]:
    """ARNs; `*`: of any. Conditions aren't judged: what is allowed under one counts, what is denied under one not."""
    allowed, denied = dict[str, None](), set[str]()
    for statement in statements(role.item["AssumeRolePolicyDocument"]):
        if not _means_saml(statement):
            continue
        if statement.get("Effect") == "Allow":
            allowed |= dict.fromkeys(_named(statement))
        elif not statement.get("Condition"):
            denied |= set(_named(statement))
    return [] if ANYBODY in denied else [arn for arn in allowed if arn not in denied]


def _means_saml(statement: Mapping[str, Any]) -> bool:
    actions, but = statement.get("Action"), statement.get("NotAction")
    return matches_all(patterns(listed(actions), listed(but) if "NotAction" in statement else None), _ACTION)


def _named(statement: Mapping[str, Any]) -> Iterator[str]:
    """All but some (NotPrincipal) is anybody where it allows; whom a denial spares so isn't looked at."""
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
