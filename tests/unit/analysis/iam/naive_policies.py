"""AWS's evaluation of one request, statement by statement, and what the conditions of an edge say of it.

Written apart from `analysis`, so that both can be compared. All of the request is known here: its context has every key
that any condition of `true` doesn't stand for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Request:
    """`true`: the conditions on keys of which `context` says nothing that hold for it; no others do.

    context  values by key, in lower case; None: the request doesn't have it
    """

    action: str
    resource: str
    true: list[Any]
    context: Mapping[str, str | None] = field(default_factory=dict)


def is_allowed(request: Request, own: list[dict[str, Any]], boundary: list[dict[str, Any]] | None) -> bool:
    if any(_applies(one, request) and one["effect"] == "Deny" for one in [*own, *(boundary or [])]):
        return False
    policies = [own] if boundary is None else [own, boundary]
    return all(any(_applies(one, request) and one["effect"] == "Allow" for one in policy) for policy in policies)


def _applies(statement: dict[str, Any], request: Request) -> bool:
    old = statement.get("language_version", "2012-10-17") < "2012-10-17"
    if statement["action"] is not None:
        names_action = any(_matches(request.action.lower(), word.lower()) for word in statement["action"])
    else:
        names_action = not any(_matches(request.action.lower(), word.lower()) for word in statement["notaction"])
    if statement["resource"] is not None:
        names_resource = any(_matches(request.resource, word, request, old) for word in statement["resource"])
    else:
        names_resource = not any(_matches(request.resource, word, request, old) for word in statement["notresource"])
    conditions = json.loads(statement["condition"] or "[]")
    return names_action and names_resource and all(_is_true(one, request, old) for one in conditions)


def may_assume(
    request: Request, who: str, trust: list[dict[str, Any]], own: list[dict[str, Any]], *, bounded: bool
) -> bool:
    """Within an account. `own`: statements that allow it, each with a condition; the boundary, if any, allows all."""
    root = f"{who.rpartition(':')[0]}:root"

    def names(statement: dict[str, Any]) -> set[str]:
        if "NotPrincipal" not in statement:
            return {"*", who, root} & set(statement["Principal"]["AWS"])
        spared = set(statement["NotPrincipal"]["AWS"])
        of_account = {name for name in spared if name.split(":")[4] == root.split(":")[4]} - {root}
        excepted = who in spared or (root in spared and not of_account)
        return set() if excepted and not bounded else {"*"}

    meant = [one for one in trust if names(one) and _is_true(one.get("Condition", {}), request)]
    if any(one["Effect"] == "Deny" for one in meant):
        return False
    by = set().union(*(names(one) for one in meant))
    has_policy = any(all(_is_true(part, request) for part in json.loads(one["condition"])) for one in own)
    return bool(by - {root}) or (root in by and has_policy)


def holds(conditions: dict[str, Any], request: Request) -> bool:
    """Whether an edge with these conditions means the request."""
    if any(_is_true(one, request) for one in conditions.get("unless", [])):
        return False
    return any(_is_way(way, request) for way in conditions.get("any_of", [{}]))


def _is_way(way: dict[str, Any], request: Request) -> bool:
    if any(_is_true(one, request) for one in way.get("unless", [])):
        return False
    kinds = [way[name] for name in ("identity", "boundary", "trust") if name in way]
    return all(any(_is_true(one, request) for one in kind) for kind in kinds)


def _is_true(condition: dict[str, Any], request: Request, old: bool = False) -> bool:
    for name, value in condition.items():
        if name in ("Resource", "NotResource"):
            if any(_matches(request.resource, word, request) for word in value) is not (name == "Resource"):
                return False
        elif not all(_key_holds(name, key, values, request, old) for key, values in value.items()):
            return False
    return True


def _key_holds(operator: str, key: str, values: Any, request: Request, old: bool) -> bool:
    if key.lower() not in request.context:
        return {operator: {key: values}} in request.true
    actual, listed = request.context[key.lower()], values if isinstance(values, list) else [values]
    every, some = operator.startswith("ForAllValues:"), operator.startswith("ForAnyValue:")
    test = operator.partition(":")[2] or operator
    if test == "Null":
        return bool(listed[0] == ("true" if actual is None else "false"))
    if actual is None:
        return every or test.endswith("IfExists") or ("Not" in test and not some)
    plain = test.removesuffix("IfExists").replace("Not", "")
    return any(_compares(plain, actual, text, request, old) for text in listed) is not ("Not" in test)


def _compares(test: str, actual: str, text: str, request: Request, old: bool) -> bool:
    if test == "StringEquals":
        return _matches(actual, text, request, old, wild=False)
    if test == "StringEqualsIgnoreCase":
        return _matches(actual.lower(), text.lower(), request, old, wild=False)
    if test == "StringLike":
        return _matches(actual, text, request, old)
    if test in ("ArnLike", "ArnEquals"):
        parts = zip(actual.split(":", 5), text.split(":", 5), strict=True)
        return all(_matches(one, other, request, old) for one, other in parts)
    assert test == "Bool"
    return actual == text.lower()


def _matches(text: str, word: str, request: Request | None = None, old: bool = False, wild: bool = True) -> bool:
    """Whether a text is what a word means; a variable without a value means nothing."""
    if wild and "${" not in word and "[" not in word:
        return fnmatchcase(text, word)
    found = ""
    at = 0
    while at < len(word):
        variable = None if old else re.compile(r"\$\{([^},]*)(, *'([^']*)')?\}").match(word, at)
        if variable:
            value = variable[1] if variable[1] in "*?$" else request and request.context.get(variable[1].lower())
            value = variable[3] if value is None else value
            if value is None:
                return False
            found, at = found + re.escape(str(value)), variable.end()
        else:
            found += {"*": ".*", "?": "."}.get(word[at], re.escape(word[at])) if wild else re.escape(word[at])
            at += 1
    return re.fullmatch(found, text, re.DOTALL) is not None
