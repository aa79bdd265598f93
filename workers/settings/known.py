"""Every setting by name: the fleet's own and those of the providers, declared without importing a provider's client."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.engine import catalog
from tasks.setting import Setting, ValueType
from workers.settings import checks
from workers.settings.declarations import OwnSettings


def known(*, installed: bool = True) -> dict[str, Setting]:
    """In the order of help and documentation. `installed`: with those of providers from other packages."""
    settings = dict(OwnSettings.declared())
    for name, provider in catalog.declared().items():
        if installed or provider.built_in:
            settings |= of_provider(name)
    return settings


def of_provider(name: str) -> dict[str, Setting]:
    """A provider's settings: which of its types are synced, and its options."""
    requested = _requested_syncs(name)
    return {setting.name: setting for setting in (requested, *catalog.declared()[name].settings)}


def _requested_syncs(provider: str) -> Setting:
    def remarks(value: Iterable[str]) -> Iterable[str]:
        from tasks.engine import registry  # imports every resource type

        return registry.remarks(provider, value) if value else ()

    return Setting(
        name=f"{provider}_requested_syncs",
        type=ValueType.LIST,
        meaning=f"resource types of {provider} to sync, instead of all",
        default=(),
        check=checks.requested_syncs(provider),
        metavar="TYPE,...",
        remarks=remarks,
    )
