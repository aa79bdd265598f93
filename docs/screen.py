"""Runs the demo and draws what it shows: `python docs/screen.py` writes images/demo.svg, the screen of the README."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

ROOT: Final = Path(__file__).parents[1]
PICTURE: Final = Path(__file__).parent / "images" / "demo.svg"
WIDTH: Final = 110  # as the demo writes to what is no terminal


def main() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the progress, which draws over itself
        text=True,
        check=True,
    ).stdout
    PICTURE.write_text(drawn(Text.from_ansi(said)))


def drawn(screen: Text) -> str:
    """The terminal's lines as SVG, in whatever monospace font the reader has: nothing is fetched to show it."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in screen.split(allow_blank=True):
        line.rstrip()
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title="make demo")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


if __name__ == "__main__":
    main()
