"""The harness of random faults notices promises that are broken on purpose; and its schedules can be repeated."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.soak.estate import VARIANTS
from tests.soak.runs import Harness
from tests.soak.schedule import Fault, Kind, Schedule, draw
from tests.soak.surroundings import surroundings
from workers.embedded import Services

DENIED = Fault(Kind.DENIED, at=0.0, seconds=3600.0, share=0.4, salt=7)
LOST_REPLIES = Fault(Kind.REDIS_REPLIES, at=0.0, seconds=3600.0)
HUNG_CALLS = Fault(Kind.HANG, at=0.0, seconds=90.0, share=0.9, salt=7)

MAX_RUNS = 5

long = pytest.mark.long


@long
@pytest.mark.parametrize(
    ("promise", "faults", "noticed"),
    [
        pytest.param("deletion", (DENIED,), "deleted although it exists", id="deletion"),
        pytest.param("barrier", (DENIED,), "is fetch", id="barrier"),
        pytest.param("commits", (LOST_REPLIES,), "", id="commits"),
        pytest.param("heartbeat", (HUNG_CALLS,), "leases ran out although no process died", id="heartbeat"),
    ],
)
def test_the_harness_notices_a_broken_promise(
    services: Services, tmp_path: Path, promise: str, faults: tuple[Fault, ...], noticed: str
) -> None:
    """Where it is chance which reply is lost, in one of a few runs."""
    schedule = Schedule("by hand", 0, before=0, estate=0, by_message=False, faults=faults)
    with surroundings(tmp_path, services=services, breakage=promise) as around:
        harness = Harness(around)
        verdicts = (harness.judge(schedule) for _ in range(MAX_RUNS))
        texts = next((verdict.violations for verdict in verdicts if verdict.violations), [])
    assert any(noticed in text for text in texts), texts


@long
@pytest.mark.parametrize("fault", [DENIED, LOST_REPLIES, HUNG_CALLS], ids=lambda fault: fault.kind.name)
def test_the_same_faults_break_no_promise_that_is_kept(services: Services, tmp_path: Path, fault: Fault) -> None:
    schedule = Schedule("by hand", 0, before=0, estate=0, by_message=False, faults=(fault,))
    with surroundings(tmp_path, services=services) as around:
        verdict = Harness(around).judge(schedule)
    assert verdict.violations == []


def test_a_seed_draws_the_same_faults_each_time_and_another_one_others() -> None:
    def drawn(seed: str) -> list[Schedule]:
        return [draw(seed, number, variants=VARIANTS) for number in range(30)]

    assert drawn("7") == drawn("7")
    assert [run.faults for run in drawn("7")] != [run.faults for run in drawn("8")]
    assert drawn("7")[12] == draw("7", 12, variants=VARIANTS), "a run can be repeated without those before it"


def test_every_kind_of_fault_comes_about_equally_often() -> None:
    kinds = Counter(fault.kind for number in range(100) for fault in draw("7", number, variants=VARIANTS).faults)
    assert set(kinds) == set(Kind)
    assert max(kinds.values()) <= 2 * min(kinds.values())


def test_the_estate_goes_on_from_run_to_run() -> None:
    runs = [draw("7", number, variants=VARIANTS) for number in range(30)]
    assert all(later.before == earlier.estate for earlier, later in pairwise(runs))
    assert {run.estate for run in runs} == set(range(VARIANTS))
