"""Every control of a framework is covered by a rule, or the framework's file says why not."""

from __future__ import annotations

import pytest

from analysis.findings import framework
from workers.fleet import judging

FRAMEWORKS = framework.load()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_each_control_has_a_rule_or_a_reason(name: str) -> None:
    rules_of = framework.covered_by(FRAMEWORKS[name], judging.shipped())
    open_ = [
        control.number for control in FRAMEWORKS[name].controls if not (rules_of[control.number] or control.uncovered)
    ]
    assert open_ == []


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_control_is_listed_once(name: str) -> None:
    numbers = [control.number for control in FRAMEWORKS[name].controls]
    assert len(numbers) == len(set(numbers))


def test_rules_name_controls_that_exist() -> None:
    named = {
        (name, number) for rule in judging.shipped() for name, numbers in rule.frameworks.items() for number in numbers
    }
    known = {(name, control.number) for name, framework_ in FRAMEWORKS.items() for control in framework_.controls}
    assert named - known == set()
