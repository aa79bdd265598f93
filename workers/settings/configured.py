"""Which providers the options and this machine configure, and what this machine lacks for those."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.engine import registry
from tasks.failures import NotConfigured


@dataclass(frozen=True, slots=True)
class Configured:
    """`off`: why providers aren't configured, by name. `lacks`: what is missing for the others, one line each."""

    off: dict[str, str] = field(default_factory=dict)
    lacks: list[str] = field(default_factory=list)


def check(modules: Iterable[str], options: Mapping[str, object]) -> Configured:
    """Ask each provider, as far as the variables, files and profiles of this machine say."""
    configured = Configured()
    for name in modules:
        provider = registry.provider(name)
        try:
            configured.lacks.extend(provider.problems(provider.read_options(options)))
        except NotConfigured as error:
            configured.off[name] = str(error)
    return configured


NO_PROVIDER: Final = (
    "no provider is configured. AWS: no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY\n"
    "The other providers: `chartfleet config --providers`. To try it without an account: `make demo` in the checkout"
)


def problem(modules: Iterable[str], off: Mapping[str, str], *, selected: bool) -> str | None:
    """Why a run over these modules can't start: one that was selected isn't configured, or none is."""
    if selected and off:
        return "; ".join(f"{name}: {why}" for name, why in off.items())
    return NO_PROVIDER if off and set(modules) <= set(off) else None
