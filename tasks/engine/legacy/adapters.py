"""Classes and functions of today that accept old names as well."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping
from enum import EnumMeta
from types import GenericAlias
from typing import Any, Final

from tasks.engine.legacy.names import ARGUMENTS, LIMITER_METHODS, MEMBERS, METHOD_ARGUMENTS, METHODS

Function = Callable[..., Any]


def adapted(name: str, value: Any) -> Any:
    """A value by its present name, as a package that was written for an earlier Chartfleet may use it."""
    if name in MEMBERS and isinstance(value, EnumMeta):
        return _adapted_enum(name, value)
    if isinstance(value, type) and (name in ARGUMENTS or name in METHODS):
        return _adapted_class(value)
    if name == "listing":
        return _adapted_listing(value)
    return value


class _Renaming(type):
    """Metaclass of adapted classes, and so of what a package derives from them: renames keyword arguments."""

    def __call__(cls, *args: Any, **arguments: Any) -> Any:
        old_names: Mapping[str, str] = getattr(cls, "_old_arguments", {})
        instance = super().__call__(*args, **_renamed(arguments, old_names))
        return _with_old_limiter(instance) if any(base.__name__ == "Provider" for base in cls.__mro__) else instance


_adapted: Final[dict[type, type]] = {}


def _adapted_class(class_: type) -> type:
    if class_ not in _adapted:
        _adapted[class_] = _subclass(class_)
    return _adapted[class_]


def _subclass(class_: type) -> type:
    old_arguments, methods = ARGUMENTS.get(class_.__name__, {}), METHODS.get(class_.__name__, {})

    def adopt_overrides(subclass: type) -> None:
        """What a package overrides by an old name is called by the new one."""
        for old, new in methods.items():
            if old in vars(subclass) and new not in vars(subclass):
                setattr(subclass, new, vars(subclass)[old])

    attributes: dict[str, Any] = {
        "__module__": class_.__module__,
        "__qualname__": class_.__qualname__,
        "_old_arguments": old_arguments,
        "__init_subclass__": classmethod(adopt_overrides),
        "__class_getitem__": classmethod(GenericAlias),
        **{old: _attribute(new) for old, new in old_arguments.items()},
        **{old: _method(class_, old, new) for old, new in methods.items()},
    }
    return _Renaming(class_.__name__, (class_,), attributes)


def _attribute(name: str) -> property:
    return property(lambda self: getattr(self, name))


def _method(class_: type, old: str, new: str) -> Function:
    """The method of the class itself: an override that calls `super().old()` gets there."""
    method: Function = getattr(class_, new)
    old_arguments = METHOD_ARGUMENTS.get(old, {})

    @functools.wraps(method)
    def renamed(self: Any, *args: Any, **arguments: Any) -> Any:
        return method(self, *args, **_renamed(arguments, old_arguments))

    return renamed


def _adapted_listing(listing: Function) -> Function:
    @functools.wraps(listing)
    def renamed(*args: Any, **arguments: Any) -> Any:
        made = listing(*args, **_renamed(arguments, ARGUMENTS["listing"]))
        return _adapted_class(type(made))(**{f.name: getattr(made, f.name) for f in dataclasses.fields(made)})

    return renamed


@functools.cache
def _adapted_enum(name: str, enum: EnumMeta) -> type:
    """Looks up members, by old names too. Its instances are those of the enum itself."""

    class Members(type):
        def __getattr__(cls, member: str) -> Any:
            return getattr(enum, MEMBERS[name].get(member, member))

        def __call__(cls, value: Any) -> Any:
            return enum(value)

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, enum)

    return Members(name, (), {})


def _renamed(arguments: Mapping[str, Any], old_names: Mapping[str, str]) -> dict[str, Any]:
    return {old_names.get(name, name): value for name, value in arguments.items()}


class _Limiter:
    """The rate limiter that a provider's functions get, with the old names of its methods."""

    def __init__(self, rate_limiter: Any) -> None:
        self._rate_limiter = rate_limiter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rate_limiter, LIMITER_METHODS.get(name, name))


class _Api:
    """A package's own API class that has the old names of the methods that listings call."""

    def __init__(self, api: Any) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        names = {new: old for old, new in METHODS["HttpApi"].items()}
        return getattr(self._api, name if hasattr(self._api, name) else names.get(name, name))


def _with_old_limiter(provider: Any) -> Any:
    """The provider, whose functions get rate limiters with the old names."""
    connect: Callable[..., Awaitable[Any]] = provider.connect

    async def connect_adapted(tenant: Any, region: str, rate_limiter: Any) -> Any:
        api = await connect(tenant, region, _Limiter(rate_limiter))
        return _Api(api) if hasattr(api, "whole") and not hasattr(api, "read_all") else api

    object.__setattr__(provider, "connect", connect_adapted)
    object.__setattr__(provider, "tenants", _limited(provider.tenants))
    if provider.check_access is not None:
        object.__setattr__(provider, "check_access", _limited(provider.check_access))
    return provider


def _limited(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """Of a function whose last argument is the rate limiter."""

    async def limited(*args: Any) -> Any:
        return await function(*args[:-1], _Limiter(args[-1]))

    return limited
