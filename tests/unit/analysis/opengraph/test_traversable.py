"""What can be traversed is what declarations and jobs write, each once, and with the types that it rests on."""

from __future__ import annotations

from collections import Counter

import pytest

from analysis import shipped
from analysis.opengraph import traversable
from loaders.model import Link
from tasks.engine import registry


def written() -> set[tuple[str, str, str]]:
    """By declarations and shipped jobs, as the graph has it."""
    schema = registry.schema()
    found = {relationship for job in shipped.jobs() for relationship in job.writes_relationships}
    for model in schema.models:
        for one in model.relationships:
            incoming = not isinstance(one, Link) and one.incoming
            ends = (one.label, one.type, model.label) if incoming else (model.label, one.type, one.label)
            found.add(ends)
    return found


@pytest.mark.parametrize("one", traversable.declared(), ids=lambda one: f"{one.start}-{one.type}-{one.end}")
def test_it_is_written(one: traversable.Traversable) -> None:
    assert one.written in written()


def test_each_is_named_once() -> None:
    assert max(Counter(one.written for one in traversable.declared()).values()) == 1


def test_it_rests_on_what_loads_its_ends_and_on_what_jobs_read() -> None:
    [saml] = [one for one in traversable.declared() if one.written == ("OktaGroup", "ALLOWED_BY", "AWSRole")]
    types = traversable.rests_on([saml], registry.schema(), shipped.jobs())
    assert {"okta.groups", "okta.applications", "aws.iam.roles"} <= set(types)
