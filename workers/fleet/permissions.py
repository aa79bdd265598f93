"""The permission rules of a run: read from the file of a setting, kept in the run's record, used by the analysis.

All workers agree that way, none of them needs the file, and a change to it takes effect in the next run.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from analysis import engine
from analysis.iam import assume_role, permission_rules
from analysis.iam.permission_rules import Rule
from tasks.engine import registry

CONFIG: Final = "permission_rules"  # their key in the run's record


def rules(file: Path | None) -> list[Rule]:
    """The rules of the user's file, or the defaults. Raises RuleFileError."""
    jobs = [assume_role.JOB, *engine.shipped_jobs()]
    writing = {job.name: [type_ for _, type_, _ in job.writes_relationships] for job in jobs}
    schema = registry.schema()
    return permission_rules.read(file, schema, permission_rules.taken(schema, writing))


def of_run(config: Mapping[str, Any]) -> list[Rule]:
    """The rules in the run's record; the defaults if an earlier version wrote it."""
    return [Rule.of(values) for values in config[CONFIG]] if CONFIG in config else rules(None)
