"""Declares settings as typed fields: `option` says what a field means, its class reads the values.

    class TailscaleOptions(ProviderOptions):
        tailscale_network: str | None = option("the network to sync", default=None, metavar="DOMAIN")
        tailscale_tags: tuple[str, ...] = option("only devices with one of these tags", default=(), metavar="TAG,...")

The annotation is the type: `str`, `int`, `float`, `bool`, `Path`, `tuple[str, ...]`, or one of these `| None`. A module
that declares options is imported to show help: it must not import a provider's client.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar, cast, dataclass_transform

from tasks.setting import Check, Setting, Value, ValueType, check_variable_name

D = TypeVar("D", bound=Value)
V = TypeVar("V", bound=Value)

_TYPES: Final[Mapping[object, ValueType]] = {
    type_: value_type
    for types, value_type in (
        ((str, str | None), ValueType.TEXT),
        ((int, int | None), ValueType.INTEGER),
        ((float, float | None), ValueType.NUMBER),
        ((Path, Path | None), ValueType.PATH),
        ((bool,), ValueType.SWITCH),
        ((tuple[str, ...],), ValueType.LIST),
    )
    for type_ in types
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """What `option` says of a field; its name and type come from the class."""

    meaning: str
    default: Value
    check: Check | None
    metavar: str
    secret: bool
    names_variable: bool
    access: bool
    note: str
    aliases: tuple[str, ...]

    def setting(self, name: str, annotation: object) -> Setting:
        if annotation not in _TYPES:
            raise TypeError(f"{name}: an option can't be of type {annotation}")
        return Setting(
            name=name,
            type=_TYPES[annotation],
            meaning=self.meaning,
            default=self.default,
            check=check_variable_name if self.names_variable else self.check,
            metavar=self.metavar or ("NAME" if self.names_variable else ""),
            secret=self.secret,
            names_variable=self.names_variable,
            access=self.access,
            note=self.note,
            aliases=self.aliases,
        )


def option(
    meaning: str,
    *,
    default: D,
    check: Callable[[V], str | None] | None = None,
    metavar: str = "",
    secret: bool = False,
    names_variable: bool = False,
    access: bool = False,
    note: str = "",
    aliases: tuple[str, ...] = (),
) -> D | V:
    """A field of a class of settings. The arguments are those of Setting."""
    field = _Field(
        meaning=meaning,
        default=default,
        check=check,
        metavar=metavar,
        secret=secret,
        names_variable=names_variable,
        access=access,
        note=note,
        aliases=aliases,
    )
    return cast(D, field)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option, dataclasses.field))
class DeclaredSettings:
    """Base of a class whose fields are settings: a frozen dataclass, keywords only."""

    _declared: typing.ClassVar[Mapping[str, Setting]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: field for name, field in _members(cls).items() if isinstance(field, _Field)}
        annotations: Mapping[str, object] = typing.get_type_hints(cls) if own else {}
        settings = {name: field.setting(name, annotations[name]) for name, field in own.items()}
        cls._declared = {**cls._declared, **settings}
        for name, field in own.items():
            setattr(cls, name, field.default)
        dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def declared(cls) -> Mapping[str, Setting]:
        """The settings by name, those of base classes first."""
        return cls._declared

    @classmethod
    def of_values(cls, values: Mapping[str, object]) -> Self:
        """An instance with these values, each of the type that its field declares."""
        make: Callable[..., Self] = cls
        return make(**values)

    @classmethod
    def from_json(cls, values: Mapping[str, object]) -> Self:
        """An instance from a mapping as JSON keeps it; names that aren't declared here are ignored.

        Raises ValueError where a value is of another type.
        """
        return cls.of_values({name: setting.from_json(values.get(name)) for name, setting in cls._declared.items()})


def _members(cls: type) -> dict[str, object]:
    return dict(vars(cls))


class ProviderOptions(DeclaredSettings):
    """Base of the options of a provider: what its functions get."""

    def conflicts(self) -> tuple[str, str] | None:
        """An option that contradicts another one, and why; None if there is none."""
        return None
