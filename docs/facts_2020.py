"""The tables of docs/compatibility.md: each label and relationship of the graph of 2020, and whether it is the same.

From tests/facts, which tests/contract/test_graph_of_2020.py compares with a graph that holds every type.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tasks.engine import registry

_FACTS: Final = Path(__file__).parents[1] / "tests" / "facts"


def providers() -> list[str]:
    """Those of which there are facts."""
    return [name for name in registry.providers() if (_FACTS / f"{name}_2020.toml").exists()]


def tables(provider: str) -> str:
    facts = tomllib.loads((_FACTS / f"{provider}_2020.toml").read_text())
    lines = ["| label | key | properties |", "|---|---|---|"]
    for label, of_label in facts["labels"].items():
        lines.append(f"| `{label}` | {_key(label, of_label)} | {'; '.join(_remarks(of_label)) or 'the same'} |")
    lines += ["", "| relationship | |", "|---|---|"]
    for triple, remark in facts["relationships"].items():
        lines.append(f"| `{triple}` | {_remark(remark)} |")
    return "\n".join(lines)


def _key(label: str, facts: dict[str, Any]) -> str:
    then, now = facts["key"], registry.schema().by_label[label].identity.key.name
    return f"`{now}`; was `{then}`: {facts['rekeyed']}" if "rekeyed" in facts else f"`{now}`"


def _remarks(facts: dict[str, Any]) -> Iterator[str]:
    for kind in ("changed", "gone"):
        for name, reason in facts.get(kind, {}).items():
            yield f"`{name}` {kind}: {reason}"


def _remark(remark: str | dict[str, str]) -> str:
    if isinstance(remark, str):
        return "the same"
    ((kind, reason),) = remark.items()
    return f"{kind}: {reason}"
