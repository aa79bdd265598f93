"""How a tenant is reached, typed: a class per provider for what the ledger keeps as JSON, names and never a secret."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, dataclass_transform


@dataclass_transform(frozen_default=True, kw_only_default=True)
class TenantAccess:
    """Base of a class whose fields are texts: a frozen dataclass, keywords only. An empty text means not given."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    @classmethod
    def from_json(cls, access: Mapping[str, str]) -> Self:
        """Raises TypeError where a field without a default is missing."""
        make: Callable[..., Self] = cls
        names = cls.__annotations__
        return make(**{name: value for name, value in access.items() if name in names})

    def as_json(self) -> dict[str, str]:
        values: Mapping[str, str] = vars(self)
        return {name: value for name, value in values.items() if value}
