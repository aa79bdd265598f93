"""The rules of who may use what, on their way from the file that a setting names, by the run's record, to the analysis.

So all workers agree, none needs the file, and a change of it counts from the next run on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from analysis import engine
from analysis.iam import assume_role, permission_rules
from analysis.iam.permission_rules import Rule
from tasks.engine import registry

CONFIG: Final = "permission_rules"  # under this name the run's record has them


def rules(file: Path | None) -> list[Rule]:
    """Those of the user's file, or the default ones. Raises RuleFileError."""
    jobs = [assume_role.JOB, *engine.shipped_jobs()]
    writing = {job.name: [type_ for _, type_, _ in job.writes_relationships] for job in jobs}
    schema = registry.schema()
    return permission_rules.read(file, schema, permission_rules.taken(schema, writing))


def of_run(config: Mapping[str, Any]) -> list[Rule]:
    """As the run's record has them; the default ones where an earlier version wrote it."""
    return [Rule.of(values) for values in config[CONFIG]] if CONFIG in config else rules(None)
