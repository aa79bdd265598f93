"""One setting: its name, type, meaning, default and check, and how a value of it is read from text or JSON.

The fleet's own settings and the options of a provider are the same kind of thing: a flag, an environment variable, a
key of the settings file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "CHARTFLEET_"  # of the environment variables

Value = str | int | float | bool | Path | tuple[str, ...] | None
Check = Callable[[Any], str | None]  # what is wrong with a value, or None


class ValueType(Enum):
    """What a setting holds. The value is the metavar that help shows where the declaration has none."""

    TEXT = "TEXT"
    LIST = "WORD,..."
    SWITCH = ""
    INTEGER = "INT"
    NUMBER = "NUMBER"
    PATH = "PATH"

    @property
    def expected(self) -> str:
        """What a text must be to be read as this type."""
        return _EXPECTED[self]

    def parse(self, text: str) -> Value:
        """Raises ValueError."""
        match self:
            case ValueType.LIST:
                return tuple(word.strip() for word in text.split(",") if word.strip())
            case ValueType.SWITCH:
                return _switch(text)
            case ValueType.INTEGER:
                return int(text)
            case ValueType.NUMBER:
                return float(text)
            case ValueType.PATH:
                return Path(text).expanduser().absolute()  # the same file for workers, which run in other directories
        return text


_EXPECTED: Final = {
    ValueType.TEXT: "text",
    ValueType.LIST: "a comma-separated list",
    ValueType.SWITCH: "true or false",
    ValueType.INTEGER: "a whole number",
    ValueType.NUMBER: "a number",
    ValueType.PATH: "a path",
}


def _switch(text: str) -> bool:
    if text.lower() in ("true", "1", "yes", "on"):
        return True
    if text.lower() in ("false", "0", "no", "off", "-"):
        return False
    raise ValueError(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A declared setting.

    check           what is wrong with a value, or None
    metavar         the placeholder in help: SECONDS, REGION,...
    secret          a URL: shown without the password in it
    names_variable  the value is the NAME of an environment variable that holds a secret
    access          it decides which credentials are used or where they are sent: a worker obeys its own settings only
    note            printed by `sync` when the setting is given
    remarks         the same, depending on the value
    aliases         other names that work as well
    """

    name: str
    type: ValueType
    meaning: str
    default: Value = None
    check: Check | None = None
    metavar: str = ""
    secret: bool = False
    names_variable: bool = False
    access: bool = False
    note: str = ""
    remarks: Callable[[Any], Iterable[str]] = lambda value: ()
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def variable(self) -> str:
        return self.variables[0]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(PREFIX + name.upper() for name in self.names)

    @property
    def flag(self) -> str:
        return self.flags[0]

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple("--" + name.replace("_", "-") for name in self.names)

    @property
    def decides_access(self) -> bool:
        """Whether a run can't decide it for a worker. A path does: it may be a key file."""
        return self.access or self.names_variable or self.type is ValueType.PATH

    @property
    def is_switch(self) -> bool:
        return self.type is ValueType.SWITCH

    @property
    def shown_default(self) -> str:
        """The default as help and documentation show it; empty if there is none."""
        return "" if self.default is None or self.default == () or self.is_switch else text_of(self.default)

    def problem(self, value: Value) -> str | None:
        """What is wrong with a parsed value, or None."""
        return self.check(value) if self.check else None

    def from_json(self, value: object) -> Value:
        """A value as JSON keeps it: a list for a tuple, the default for null. Raises ValueError."""
        if value is None:
            return self.default
        if isinstance(value, (list, tuple)) and self.type is ValueType.LIST:
            return tuple(str(word) for word in value)
        if isinstance(value, _TYPES[self.type]) and isinstance(value, bool) == self.is_switch:
            return self.type.parse(str(value)) if self.type is ValueType.PATH else value
        raise ValueError(f"{self.name}: {value!r} is not {self.type.expected}")


_TYPES: Final[dict[ValueType, tuple[type[str | int | float | bool | Path], ...]]] = {
    ValueType.TEXT: (str,),
    ValueType.LIST: (),
    ValueType.SWITCH: (bool,),
    ValueType.INTEGER: (int,),
    ValueType.NUMBER: (int, float),
    ValueType.PATH: (str, Path),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """An option of a provider whose functions take a mapping. `option` declares a typed one.

    many            a list
    switch          on or off
    The others are as in Setting.
    """

    name: str
    meaning: str
    default: str = ""
    many: bool = False
    switch: bool = False
    names_variable: bool = False
    secret: bool = False
    note: str = ""
    aliases: tuple[str, ...] = ()
    check: Check | None = None
    metavar: str = ""
    access: bool = False

    @property
    def setting(self) -> Setting:
        type_ = ValueType.LIST if self.many else ValueType.SWITCH if self.switch else ValueType.TEXT
        unset: Value = () if self.many else False if self.switch else None
        return Setting(
            name=self.name,
            type=type_,
            meaning=self.meaning,
            default=self.default or unset,
            check=check_variable_name if self.names_variable else self.check,
            metavar=self.metavar or ("NAME" if self.names_variable else ""),
            secret=self.secret,
            names_variable=self.names_variable,
            access=self.access,
            note=self.note,
            aliases=self.aliases,
        )


def check_variable_name(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z_]\w*", value) else "must be the NAME of a variable, not its value"


def text_of(value: Value) -> str:
    """A value as a flag would take it; `-` for none."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return ",".join(value) if isinstance(value, tuple) else str(value)
