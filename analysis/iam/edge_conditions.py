"""What must hold so that a relationship of the evaluation is true: JSON text on it, as docs/compatibility.md has it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from analysis.iam.policy_evaluation import Conditions

# A way to be allowed: each kind of policy that must allow it, with the conditions of which one must hold. None: it
# doesn't allow it.
Way = dict[str, Conditions | None]


def as_text(ways: Iterable[Way], denied: Conditions | None) -> str | None:
    """Of the ways of which one is enough. None where nothing has to hold."""
    conditional = [conditions_of(way) for way in ways]
    said: dict[str, Any] = {} if {} in conditional else {"any_of": conditional}
    return json.dumps(said | unless(denied)) if said or denied else None


def conditions_of(way: Mapping[str, Conditions | None]) -> dict[str, list[Any]]:
    return {kind: _listed(conditions) for kind, conditions in way.items() if conditions}


def unless(denied: Conditions | None) -> dict[str, list[Any]]:
    return {"unless": _listed(denied)} if denied else {}


def _listed(texts: Conditions) -> list[Any]:
    return [condition for text in sorted(texts) for condition in json.loads(text)]
