"""The tables of docs/compatibility.md: each label and relationship of the graph of 2020, and whether it is the same.

From tests/facts, which tests/contract/test_graph_of_2020.py compares with a graph that holds every type.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from docs.wrapping import bullet
from tasks.engine import registry

_FACTS: Final = Path(__file__).parents[1] / "tests" / "facts"


def providers() -> list[str]:
    """Those of which there are facts."""
    return [name for name in registry.providers() if (_FACTS / f"{name}_2020.toml").exists()]


def tables(provider: str) -> str:
    facts = tomllib.loads((_FACTS / f"{provider}_2020.toml").read_text())
    lines = ["| label | key | properties |", "|---|---|---|"]
    differences: list[str] = []
    for label, of_label in facts["labels"].items():
        remarks = list(_remarks(of_label))
        lines.append(f"| `{label}` | {_key(label)} | {'see below' if remarks else 'the same'} |")
        differences += [bullet(f"`{label}`:", remark) for remark in remarks]
    lines += ["", *differences, "", "| relationship | |", "|---|---|"]
    differences = []
    for triple, remark in facts["relationships"].items():
        lines.append(f"| `{triple}` | {'the same' if isinstance(remark, str) else 'see below'} |")
        differences += [] if isinstance(remark, str) else [bullet(f"`{triple}`:", _remark(remark))]
    return "\n".join([*lines, "", *differences])


def _key(label: str) -> str:
    return f"`{registry.schema().by_label[label].identity.key.name}`"


def _remarks(facts: dict[str, Any]) -> Iterator[str]:
    if "rekeyed" in facts:
        yield f"the key was `{facts['key']}`: {facts['rekeyed']}"
    for kind in ("changed", "gone"):
        for name, reason in facts.get(kind, {}).items():
            yield f"`{name}` {kind}: {reason}"


def _remark(remark: dict[str, str]) -> str:
    ((kind, reason),) = remark.items()
    return f"{kind}: {reason}"
