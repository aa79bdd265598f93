"""A worker obeys only its own settings in what decides which credentials are used, and where they are sent.

A run brings the settings of the command that started it. Where it names a variable, a role or an address that this
worker's own settings don't name, the worker resolves nothing: neither whoever writes to Redis nor another worker can
make it send a secret elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tasks.clients import variables
from tasks.engine import catalog, registry
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tasks.setting import PREFIX, Setting, text_of
from workers.settings import configured
from workers.settings.configured import Configured
from workers.settings.settings import Settings


def restrict_variables(settings: Settings) -> None:
    """From here on, this process reads no variable that its settings don't name."""
    every = ((setting, settings.option_values[setting.name]) for setting in _access_settings(catalog.declared()))
    variables.restrict({str(value) for setting, value in every if setting.names_variable and value})


def check(settings: Settings, modules: Iterable[str], options: Mapping[str, object]) -> Configured:
    """What this worker lacks for a run with these options, one line each; nothing that isn't its own is resolved."""
    found = Configured()
    for name in modules:
        if differences := list(differing(settings, name, options)):
            found.lacks.extend(differences)
            continue
        of_module = configured.check([name], options)
        found.off.update(of_module.off)
        found.lacks.extend(of_module.lacks)
    return found


def differing(settings: Settings, provider: str, options: Mapping[str, object]) -> Iterator[str]:
    """A line for each option of the run that this worker must not obey: neither its own nor the default."""
    for setting in _access_settings([provider]):
        wanted, own = setting.from_json(options.get(setting.name)), settings.option_values[setting.name]
        if wanted not in (own, setting.default):
            yield (
                f"{setting.name}: the run says {text_of(wanted)!r}, this worker's own settings {text_of(own)!r}, and a "
                f"worker obeys its own: set {setting.variable} to the same where the worker runs"
            )


def check_options(settings: Settings, provider: str, options: Mapping[str, object]) -> None:
    """Raises CallFailed."""
    for line in differing(settings, provider, options):
        raise CallFailed(Failure.DENIED, "own settings", line, code="NotOwnSetting")


def check_tenant(settings: Settings, tenant: Tenant) -> None:
    """Raises CallFailed where the record says more than this worker's own settings do."""
    provider = registry.provider(tenant.provider)
    own = provider.read_options(settings.run_config()["options"])
    if problem := provider.check_tenant(own, tenant):
        reason = f"{problem}: this worker's own settings don't say so"
        raise CallFailed(Failure.DENIED, "own settings", reason, code="NotOwnSetting")


def _access_settings(providers: Iterable[str]) -> Iterator[Setting]:
    declared = catalog.declared()
    return (setting for name in providers for setting in declared[name].settings if setting.decides_access)


def foreign_directory(settings: Settings, directory: str | None) -> str:
    """What is wrong with a run's directory of analysis jobs, for a loader; empty if nothing is."""
    own = settings.run_config()["analysis_job_directory"]
    if directory in (None, own):
        return ""
    return (
        f"analysis_job_directory: {directory}: the loader runs the jobs of its own settings only "
        f"({own or 'they name no directory'}): set {PREFIX}ANALYSIS_JOB_DIRECTORY to the same where it runs"
    )
