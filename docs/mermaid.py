"""Diagrams as Mermaid flowcharts, which GitHub, GitLab and most Markdown viewers draw themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """`own`: drawn in full strength; the others are context. `notes` stand below the lines, in italics."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own: bool = True


@dataclass(frozen=True)
class Arrow:
    start: str
    end: str
    label: str
    dashed: bool = False


def flowchart(boxes: Sequence[Box], arrows: Sequence[Arrow]) -> str:
    """A fenced block of Markdown. Arrows between the same two boxes are one, with all their labels."""
    ids = {box.name: f"n{number}" for number, box in enumerate(boxes)}
    lines = ["```mermaid", "flowchart LR"]
    lines += [f'    {ids[box.name]}["{_text(box)}"]' for box in boxes]
    lines += [
        f'    {ids[start]} {"-.->" if dashed else "-->"}|"{"<br/>".join(map(_escaped, labels))}"| {ids[end]}'
        for (start, end, dashed), labels in _merged(arrows).items()
    ]
    if context := [ids[box.name] for box in boxes if not box.own]:
        lines += ["    classDef context stroke-dasharray: 4, opacity: 0.7", f"    class {','.join(context)} context"]
    return "\n".join([*lines, "```"])


def _text(box: Box) -> str:
    title = f"<b>{_escaped(box.title)}</b>" if box.own else _escaped(box.title)
    return "<br/>".join([title, *map(_escaped, box.lines), *(f"<i>{_escaped(note)}</i>" for note in box.notes)])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


def _merged(arrows: Sequence[Arrow]) -> dict[tuple[str, str, bool], list[str]]:
    merged: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for arrow in arrows:
        labels = merged[arrow.start, arrow.end, arrow.dashed]
        if arrow.label not in labels:
            labels.append(arrow.label)
    return dict(merged)
