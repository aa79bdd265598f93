"""Every setting as a flag. Each command accepts all of them; its help shows those that it uses, in groups."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workers.settings.settings import SETTINGS, known

if TYPE_CHECKING:
    from workers.settings.settings import Setting

BROKER: Final = ("broker_url", "broker_password_env_var", "broker_ca_file")
GRAPH: Final = ("neo4j_uri", "neo4j_user", "neo4j_password_env_var", "neo4j_database", "neo4j_ca_file")
LEASES: Final = ("run_lease_seconds", "writer_lease_seconds", "transaction_seconds")
RUN: Final = (
    "update_tag",
    "expected_gaps",
    "analysis_job_directory",
    "permission_relationships_file",
    "rules_directory",
    "schedule",
    "concurrency",
)


@dataclass(frozen=True, slots=True)
class AllExcept:
    """Every setting, those of the providers included, except these."""

    names: tuple[str, ...]

    def __contains__(self, name: object) -> bool:
        return name not in self.names


_COMMON: Final = frozenset(
    (
        *BROKER,
        *GRAPH,
        "data_dir",
        "selected_modules",
        *RUN,
    )
)


def add(
    parser: argparse.ArgumentParser,
    common: argparse._ArgumentGroup,
    uses: Container[str] | None,
    *,
    show_all: bool,
) -> None:
    core = {setting.name for setting in SETTINGS}
    groups = {
        "common": common,
        "aws": parser.add_argument_group("AWS"),
        "others": parser.add_argument_group("other providers"),
        "tuning": parser.add_argument_group("tuning"),
    }
    for setting in known().values():
        group = _group(setting, core)
        shown = (uses is None or setting.name in uses) and (show_all or group != "tuning")
        _add_flag(groups[group], setting, shown=shown)


def _group(setting: Setting, core: Collection[str]) -> str:
    if setting.name in core:
        return "common" if setting.name in _COMMON else "tuning"
    return "aws" if setting.name.startswith("aws_") else "others"


def _add_flag(group: argparse._ArgumentGroup, setting: Setting, *, shown: bool) -> None:
    text = _help(setting) if shown else argparse.SUPPRESS
    if setting.is_switch:
        group.add_argument(*setting.flags, dest=setting.name, help=text, action="store_const", const="true")
    else:
        group.add_argument(setting.flag, dest=setting.name, help=text, metavar=setting.metavar or setting.type.value)
    if not setting.is_switch and setting.flags[1:]:
        group.add_argument(*setting.flags[1:], dest=setting.name, help=argparse.SUPPRESS)


def _help(setting: Setting) -> str:
    default = f" (default: {setting.shown_default})" if setting.shown_default not in ("", "0") else ""
    return f"{setting.meaning}{default}".replace("%", "%%")
