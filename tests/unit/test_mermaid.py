"""The schema's diagrams: Mermaid that refers to nothing undeclared, and breaks on no character of a label."""

from __future__ import annotations

import re

import pytest

from docs import schema_pages
from docs.mermaid import Arrow, Box, flowchart

DIAGRAMS = {
    file.name: re.findall(r"```mermaid\n(.*?)```", text, re.DOTALL)[0] for file, text in schema_pages.files().items()
} | {"whole": schema_pages.whole_diagram()}
MAX_CHARACTERS = 50_000  # Mermaid's own default: beyond it, viewers refuse to draw


@pytest.mark.parametrize("diagram", DIAGRAMS.values(), ids=DIAGRAMS.keys())
def test_every_arrow_connects_declared_boxes(diagram: str) -> None:
    boxes = set(re.findall(r'^    (n\d+)\["', diagram, re.MULTILINE))
    arrows = re.findall(r'^    (n\d+) (?:-->|-\.->)\|"[^"]+"\| (n\d+)$', diagram, re.MULTILINE)
    assert boxes >= {end for arrow in arrows for end in arrow}
    assert len(boxes) + len(arrows) >= len([line for line in diagram.splitlines() if line.startswith("    n")])
    assert len(diagram) < MAX_CHARACTERS


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    assert 'n0["<b>A &quot;B&quot; &lt;C&gt;</b>"]' in flowchart([Box("a", 'A "B" <C>')], [])


def test_arrows_between_the_same_boxes_are_one_with_all_labels() -> None:
    boxes = [Box("a", "A"), Box("b", "B", own=False)]
    arrows = [
        Arrow("a", "b", "HAS"),
        Arrow("a", "b", "OWNS"),
        Arrow("a", "b", "HAS"),
        Arrow("b", "a", "OF", dashed=True),
    ]
    drawn = flowchart(boxes, arrows)
    assert 'n0 -->|"HAS<br/>OWNS"| n1' in drawn
    assert 'n1 -.->|"OF"| n0' in drawn
    assert "class n1 context" in drawn
