"""Okta's OpenAPI description, reduced to the calls that the declarations make. To renew it:

    python -m tests.contract.descriptions.okta [FILE]      # management-minimal.yaml; without a file, Okta's current one

Of each call: the parameters of its query, the scope that it needs, and the shape of its response. A shape of several
kinds (applications by how they sign on) is all of them together; a field is `required` where each kind requires it,
`null` where some kind allows that.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tasks.engine import registry

SOURCE: Final = (
    "https://raw.githubusercontent.com/okta/okta-management-openapi-spec/master/dist/current/management-minimal.yaml"
)
FILE: Final = Path(__file__).with_name("okta.json")
# What answers of these calls have, or had, and the description hasn't: a declaration may name it.
_APPLICATIONS: Final = ("GET /api/v1/apps", "GET /api/v1/apps/{id}")
UNPUBLISHED: Final = {
    ("activated",): {"type": "string", "null": True},  # of an application, in 2020
    ("settings", "app"): {"type": "any"},  # each kind of Okta's catalogue has its own
}
_DEEPEST: Final = 6  # fields below fields


def reduced(whole: Mapping[str, Any], calls: Iterable[str]) -> dict[str, Any]:
    """What the file holds. Raises KeyError with the call that the description doesn't have."""
    by_shape = {_shape_of(path): path for path in whole["paths"]}
    return {
        "source": SOURCE,
        "version": whole["info"]["version"],
        "license": whole["info"]["license"]["name"],
        "calls": {call: _call(whole, by_shape[_shape_of(call.partition(" ")[2])], call) for call in sorted(calls)},
    }


def _shape_of(path: str) -> tuple[str, ...]:
    """Without the names of parameters."""
    return tuple("{}" if word.startswith("{") else word for word in path.split("/"))


def _call(whole: Mapping[str, Any], path: str, call: str) -> dict[str, Any]:
    of_path = whole["paths"][path]
    method = of_path[call.partition(" ")[0].lower()]
    parameters = [_resolved(whole, one) for one in (*method.get("parameters", ()), *of_path.get("parameters", ()))]
    scopes = [scope for one in method["security"] for scope in one.get("oauth2", ())]
    response = method["responses"]["200"]["content"]["application/json"]["schema"]
    return {
        "path": path,
        "query": {p["name"]: p["schema"].get("maximum") for p in parameters if p["in"] == "query"},
        "scopes": scopes,
        "deprecated": bool(method.get("deprecated")),
        "answer": _shape(whole, response, _DEEPEST),
    }


def _resolved(whole: Mapping[str, Any], one: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in one:
        found: Any = whole
        for word in one["$ref"].removeprefix("#/").split("/"):
            found = found[word]
        one = found
    return one


def _shape(whole: Mapping[str, Any], schema: Mapping[str, Any], deepest: int) -> dict[str, Any]:
    kinds = list(_kinds(whole, schema))
    types = {kind["type"] for kind in kinds if "type" in kind}
    found: dict[str, Any] = {"type": next(iter(types)) if len(types) == 1 else "any"}
    if any(kind.get("nullable") for kind in (schema, *kinds)):
        found["null"] = True
    if found["type"] == "array":
        found["items"] = _shape(whole, next(kind["items"] for kind in kinds if "items" in kind), deepest)
    fields: dict[str, list[Mapping[str, Any]]] = {}
    for kind in kinds:
        for name, field in kind.get("properties", {}).items():
            fields.setdefault(name, []).append(field)
    if fields and deepest:
        found["fields"] = {
            name: _shape(whole, {"anyOf": of_kinds}, deepest - 1) for name, of_kinds in sorted(fields.items())
        }
        required = set.intersection(*({*kind.get("required", ())} for kind in kinds if "properties" in kind))
        if required:
            found["required"] = sorted(required)
    return found


def _kinds(whole: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The schemas that a response may be of, each with what it inherits as one more."""
    schema = _resolved(whole, schema)
    yield schema
    for word in ("allOf", "oneOf", "anyOf"):
        for part in schema.get(word, ()):
            yield from _kinds(whole, part)
    for reference in schema.get("discriminator", {}).get("mapping", {}).values():
        kind = _resolved(whole, {"$ref": reference})
        yield from (_resolved(whole, part) for part in kind.get("allOf", (kind,)) if part.get("$ref") != reference)


def description() -> dict[str, Any]:
    """The file, with what is unpublished."""
    found: dict[str, Any] = json.loads(FILE.read_text())
    for call in _APPLICATIONS:
        response = found["calls"][call]["answer"]
        for (*above, name), shape in UNPUBLISHED.items():
            place = response.get("items", response)
            for word in above:
                place = place["fields"][word]
            place["fields"][name] = shape
    return found


def main(arguments: list[str]) -> None:
    if arguments:
        text = Path(arguments[0]).read_text()
    else:
        with urllib.request.urlopen(SOURCE) as response:
            text = response.read().decode()
    calls = {call for type_ in registry.of("okta") for call in type_.fetch.calls}
    found = reduced(yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), calls)
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
