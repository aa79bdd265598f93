"""A rule file that can't be used is refused before a run, with its file, the field, the value and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.findings.rule import Severity
from analysis.findings.rule_file import RuleFileError, load_rules

TYPES = ("aws.rds.instances", "aws.s3.buckets")
RULE: dict[str, Any] = {
    "id": "own-old-databases",
    "title": "Database of an old version",
    "severity": "low",
    "reads": ["aws.rds.instances"],
    "query": "MATCH (d:RDSInstance) WHERE d.engine_version < '13' RETURN d AS resource",
    "why": "Nobody mends it any more.",
    "fix": "Upgrade it.",
}


def write(directory: Path, name: str = "own-old-databases", **changes: Any) -> None:
    fields = {key: value for key, value in (RULE | changes).items() if value is not None}
    (directory / f"{name}.yaml").write_text(yaml.safe_dump(fields))


def test_a_rule_is_a_file(tmp_path: Path) -> None:
    write(tmp_path, frameworks={"cis-aws-6.0": ["2.2.1"]})
    [rule] = load_rules(tmp_path, known_types=TYPES)
    assert (rule.id, rule.severity, rule.reads) == ("own-old-databases", Severity.LOW, ("aws.rds.instances",))
    assert rule.frameworks == {"cis-aws-6.0": ("2.2.1",)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"severity": None}, "severity: is missing; a rule has id, title, severity"),
        ({"severity": "urgent"}, "severity: 'urgent': must be one of critical, high, medium, low, info"),
        ({"title": 7}, "title: 7: give a text"),
        ({"tilte": "x"}, 'tilte: is not a field; did you mean "title"?'),
        ({"reads": []}, "reads: []: name the resource types"),
        ({"reads": ["aws.rds.instance"]}, 'did you mean "aws.rds.instances"?; `chartfleet schema` lists them'),
        ({"id": "own-others"}, "id: 'own-others': must be the name of its file; call the file own-others.yaml"),
        ({"id": "Own"}, "id: 'Own': must be lower-case words with hyphens"),
        ({"query": "MATCH (d:RDSInstance) RETURN d"}, "query: returns no resource: end it with RETURN ... AS resource"),
        ({"query": "MATCH (d) SET d.x = 1 RETURN d AS resource"}, "query: has SET: a rule only reads"),
        ({"query": "MATCH (d) DETACH DELETE d RETURN d AS resource"}, "query: has DELETE: a rule only reads"),
        ({"unknown": "MATCH (d:RDSInstance) RETURN d AS resource"}, "unknown: returns no why"),
        ({"frameworks": ["cis"]}, 'frameworks: ["cis"]: give lists of control numbers'),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    write(tmp_path, **changes)
    with pytest.raises(RuleFileError) as raised:
        load_rules(tmp_path, known_types=TYPES)
    assert message in str(raised.value)
    assert str(tmp_path / "own-old-databases.yaml") in str(raised.value)


def test_a_property_may_be_called_as_a_clause_in_backticks(tmp_path: Path) -> None:
    write(tmp_path, query="MATCH (d:RDSInstance) WHERE d.`set` = 'x: SET' RETURN d AS resource // CREATE nothing")
    assert load_rules(tmp_path, known_types=TYPES)


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "first", id="first-one")
    write(tmp_path, "second", severity="bad")
    (tmp_path / "third.yaml").write_text("id: [")
    with pytest.raises(RuleFileError) as raised:
        load_rules(tmp_path, known_types=TYPES)
    assert [name in str(raised.value) for name in ("first.yaml", "second.yaml", "third.yaml")] == [True] * 3


def test_two_rules_of_one_id(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    with pytest.raises(RuleFileError, match=r"b/own-old-databases.yaml: id: 'own-old-databases': is that of .*a/own"):
        load_rules(tmp_path, known_types=TYPES)


def test_a_rule_that_others_may_write_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "own-old-databases.yaml").chmod(0o666)
    with pytest.raises(RuleFileError, match="others may write it"):
        load_rules(tmp_path, known_types=TYPES)


def test_no_such_directory(tmp_path: Path) -> None:
    with pytest.raises(RuleFileError, match=r"rules_directory: .*nowhere: does not exist; name the directory"):
        load_rules(tmp_path / "nowhere", known_types=TYPES)
