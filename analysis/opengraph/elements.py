"""Nodes and edges of OpenGraph: ids that BloodHound keeps apart, and properties of the types that it takes. Pure.

BloodHound compares ids in capital letters, and sets `objectid` and `lastseen` itself.
https://bloodhound.specterops.io/opengraph/developer/nodes
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from analysis.queries.values import as_json

SOURCE_KIND: Final = "Chartfleet"
MAX_KINDS: Final = 3
MAX_TEXT: Final = 2_000  # characters of a property; a longer one, such as a policy, is left to the graph
PRINCIPAL: Final = "AWSPrincipal"  # IAM compares names without regard to case

_RESERVED: Final = frozenset({"objectid", "lastseen"})
_WITHOUT_CASE: Final = re.compile(r"[ -@\[-~]*")  # ASCII without capital letters
_NOT_OF_A_KIND: Final = re.compile(r"[^A-Za-z0-9_]")


def node_id(label: str, key: object) -> str:
    """Of a node by its identity. Keys that differ in case alone get different ids: those with capitals have a hash."""
    text = str(key)
    if label == PRINCIPAL or _WITHOUT_CASE.fullmatch(text):
        return f"{label}:{text}"
    return f"{label}:{text}#{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def node(id_: str, kinds: Sequence[str], name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    named = {"name": name, "displayname": name}
    return {"id": id_, "kinds": list(kinds[:MAX_KINDS]), "properties": _properties(properties) | named}


def edge(start: str, kind: str, end: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "start": {"value": start, "match_by": "id"},
        "end": {"value": end, "match_by": "id"},
        "kind": _NOT_OF_A_KIND.sub("_", kind),
        "properties": _properties(properties),
    }


def _properties(values: Mapping[str, Any]) -> dict[str, Any]:
    """With names in small letters. What is not known is not there."""
    found = ((name.lower(), _value(value)) for name, value in values.items())
    return {name: value for name, value in found if value is not None and name not in _RESERVED}


def _value(value: Any) -> Any:
    """A text, number or boolean, or a list of one of these types; None: nothing that OpenGraph could hold."""
    plain = as_json(value)
    if isinstance(plain, list):
        return _list(plain)
    return None if isinstance(plain, str) and len(plain) > MAX_TEXT else plain


def _list(values: Iterable[Any]) -> list[Any] | None:
    known = [value for value in values if value is not None]
    if len({_type(value) for value in known}) > 1:
        known = [str(value) for value in known]
    return known if sum(len(value) for value in known if isinstance(value, str)) <= MAX_TEXT else None


def _type(value: Any) -> type:
    return float if type(value) is int else type(value)
