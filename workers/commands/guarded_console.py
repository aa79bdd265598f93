"""A terminal that only the program itself controls: what a text from outside would do to it is shown instead."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from loaders.masking import mask
from loaders.shown_text import shown_text


class GuardedConsole(Console):
    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments with a control are the program's own: they move the cursor, or end a line."""
        for segment in super().render(renderable, options):
            if segment.control or not segment.text:
                yield segment
            else:
                yield Segment(shown_text(mask(segment.text)), segment.style)
