"""The conditions of an evaluated relationship, stored on it as JSON text in the form of docs/compatibility.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from analysis.iam.policy_evaluation import Conditions

# A way to be allowed: each kind of policy that must allow it, with its conditions, one of which must hold. None: that
# policy doesn't allow it.
Way = dict[str, Conditions | None]


def as_text(ways: Iterable[Way], denied: Conditions | None) -> str | None:
    """The conditions of ways, one of which is enough. None if nothing has to hold."""
    conditional = [conditions_of(way) for way in ways]
    allowed: dict[str, object] = {} if {} in conditional else {"any_of": conditional}
    return json.dumps(allowed | denials_of(denied)) if allowed or denied else None


def conditions_of(way: Mapping[str, Conditions | None]) -> dict[str, list[object]]:
    return {kind: _parsed(conditions) for kind, conditions in way.items() if conditions}


def denials_of(denied: Conditions | None) -> dict[str, list[object]]:
    return {"unless": _parsed(denied)} if denied else {}


def _parsed(texts: Conditions) -> list[object]:
    return [condition for text in sorted(texts) for condition in json.loads(text)]
