"""`--neo4j-password-prompt`: the graph's password from the terminal, in place of a variable that holds it."""

from __future__ import annotations

import getpass
import os
from typing import Final

from loaders.errors import ChartfleetError

_VARIABLE: Final = "CHARTFLEET_PROMPTED_NEO4J_PASSWORD"


def flags() -> dict[str, str]:
    """The settings that say where the password will be. The variable must exist before the settings are checked."""
    os.environ[_VARIABLE] = "to be asked for"
    return {"neo4j_password_env_var": _VARIABLE}


def ask(user: str, uri: str | None) -> None:
    """Ask for the password and keep it in this process's environment."""
    try:
        os.environ[_VARIABLE] = getpass.getpass(f"Password of {user} at {uri}: ")
    except EOFError:
        raise ChartfleetError("--neo4j-password-prompt: no terminal to read the password from") from None
