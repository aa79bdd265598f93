"""`chartfleet --help` and `chartfleet --version`."""

from __future__ import annotations

from typing import Final

from workers.commands.table import COMMANDS
from workers.report.exit_codes import COMPLETE

_HELP: Final = """\
usage: chartfleet [COMMAND] [FLAG ...]

Loads your cloud and SaaS assets and the relationships between them into a Neo4j graph.
Without a command, it is `chartfleet sync`.

commands:
{commands}

flags:
  -h, --help      show this help; `chartfleet COMMAND --help` shows the flags of a command
  --help-all      with a command: show the tuning flags as well
  --version       show the version
"""


def show_help() -> int:
    width = max(map(len, COMMANDS)) + 2
    print(_HELP.format(commands="\n".join(f"  {name:<{width}}{text}" for name, text in COMMANDS.items())), end="")
    return COMPLETE


def show_version() -> int:
    from importlib.metadata import version

    print(f"chartfleet {version('chartfleet')}")
    return COMPLETE
