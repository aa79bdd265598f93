"""Findings that somebody has accepted: a file, with a reason and an end for each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml

from loaders.errors import UsageError
from loaders.nearest import did_you_mean
from loaders.trusted_file import distrust

_NEEDED: Final = ("rule", "resource", "until", "reason")
_FIELDS: Final = (*_NEEDED, "tenant")


class SuppressionFileError(UsageError, ValueError):
    """A file of suppressions that can't be used. Names the file, the entry, the field and the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """What is accepted, with the wildcards * and ?.

    rule      id of a rule
    resource  a resource's key or name
    tenant    provider/id
    until     the last day
    """

    rule: str
    resource: str
    until: date
    reason: str
    tenant: str = "*"

    def covers(self, finding: Mapping[str, Any]) -> bool:
        """Whether it is about this finding, on any day."""
        names = (finding["resource_key"], finding["resource_name"])
        return (
            fnmatchcase(finding["rule"], self.rule)
            and fnmatchcase(finding["tenant"], self.tenant)
            and any(fnmatchcase(name, self.resource) for name in names)
        )


def read(file: Path) -> list[Suppression]:
    """Raises SuppressionFileError, with every problem."""
    if file.exists() and (problem := distrust(file)):
        raise SuppressionFileError(f"{file}: {problem}: it decides which findings are shown")
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise SuppressionFileError(f"suppressions_file: {file}: can't be read: {error}; name a readable file") from None
    except yaml.YAMLError as error:
        raise SuppressionFileError(f"{file}: is not valid YAML: {' '.join(str(error).split())}; correct it") from None
    if not isinstance(entries, list):
        raise SuppressionFileError(f"{file}: give a list of entries with {', '.join(_NEEDED)}; [] for none")
    problems = [
        f"{file}: entry {number}: {problem}"
        for number, entry in enumerate(entries, start=1)
        for problem in _problems(entry)
    ]
    if problems:
        raise SuppressionFileError("\n".join(problems))
    return [Suppression(**entry) for entry in entries]


def _problems(entry: object) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield f"is {json.dumps(entry, default=str)[:80]}; give a mapping with {', '.join(_NEEDED)}"
        return
    for name in entry:
        if name not in _FIELDS:
            yield f"{name}: is not a field{did_you_mean(str(name), _FIELDS)}; the fields are {', '.join(_FIELDS)}"
    for name in _NEEDED:
        if name not in entry:
            yield f"{name}: is missing; an entry has {', '.join(_NEEDED)}"
    for name in sorted((set(_FIELDS) - {"until"}) & entry.keys()):
        if not isinstance(entry[name], str) or not entry[name].strip():
            yield f"{name}: {json.dumps(entry[name], default=str)[:80]}: give a text"
    if "until" in entry and type(entry["until"]) is not date:
        yield f"until: {entry['until']!r}: give the last day, as 2027-01-31, without quotes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Findings, and those that a suppression covers today. `expired`: suppressions whose last day is over."""

    shown: Sequence[Mapping[str, Any]]
    suppressed: Sequence[tuple[Mapping[str, Any], Suppression]]
    expired: Sequence[Suppression]


def sort(findings: Sequence[Mapping[str, Any]], suppressions: Sequence[Suppression], today: date) -> Sorted:
    """An expired suppression hides nothing."""
    valid = [suppression for suppression in suppressions if suppression.until >= today]
    shown, suppressed = [], []
    for finding in findings:
        suppression = next((each for each in valid if each.covers(finding)), None)
        if suppression:
            suppressed.append((finding, suppression))
        else:
            shown.append(finding)
    expired = [suppression for suppression in suppressions if suppression.until < today]
    return Sorted(shown=shown, suppressed=suppressed, expired=expired)
