"""Pictures of the schema: nothing lies on anything else, and the same declarations give the same picture."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs import schema_pages
from docs.picture import Arrow, Box, draw

SVG = "{http://www.w3.org/2000/svg}"
Area = tuple[float, float, float, float]  # left, top, right, bottom
NAMES = [schema_pages.WHOLE, *(family.picture for family in schema_pages.families())]


@pytest.fixture(scope="module")
def pictures() -> dict[Path, str]:
    return {file: text for file, text in schema_pages.files().items() if file.suffix == ".svg"}


@pytest.fixture(params=NAMES, ids=[file.name for file in NAMES])
def picture(request: pytest.FixtureRequest, pictures: dict[Path, str]) -> str:
    return pictures[request.param]


def boxes(picture: str) -> list[Area]:
    """The boxes; the first rectangle is the background."""
    found = [
        [float(one.get(name, 0)) for name in ("x", "y", "width", "height")]
        for one in ElementTree.fromstring(picture).iter(f"{SVG}rect")
    ]
    return [(x, y, x + width, y + height) for x, y, width, height in found[1:]]


def labels(picture: str) -> list[Area]:
    """Where the arrows' labels stand: each line about its middle, as wide as its letters."""
    (group,) = [g for g in ElementTree.fromstring(picture).iter(f"{SVG}g") if g.get("text-anchor") == "middle"]
    found = []
    for line in group:
        x, y, half = float(line.get("x", 0)), float(line.get("y", 0)), len(line.text or "") * 11 * 0.6 / 2
        found.append((x - half, y - 9, x + half, y + 2))
    return found


def overlap(one: Area, other: Area) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_no_box_or_label_lies_on_another(picture: str) -> None:
    areas = boxes(picture) + labels(picture)
    assert areas
    assert not [pair for pair in itertools.combinations(areas, 2) if overlap(*pair)]


def test_no_arrow_goes_through_a_box_or_a_label(picture: str) -> None:
    """A curve stays between its end points, so what lies between them tells."""
    both = boxes(picture) + labels(picture)
    areas = [(left + 1, top + 1, right - 1, bottom - 1) for left, top, right, bottom in both]
    for path in re.findall(r'<path d="(M[^"]+)"', picture):
        if path.endswith("z"):
            continue  # the arrows' tip
        for x, y in points(path):
            assert not [area for area in areas if area[0] < x < area[2] and area[1] < y < area[3]], path


def points(path: str) -> list[tuple[float, float]]:
    """Points along a path of M, H and C."""
    found: list[tuple[float, float]] = []
    x = y = 0.0
    for letter, numbers in re.findall(r"([MHC])([^MHC]*)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "M":
            x, y = values
        elif letter == "H":
            found += [(x + (values[0] - x) * step / 20, y) for step in range(21)]
            x = values[0]
        else:
            ax, ay, bx, by, to, level = values
            for step in range(21):
                t = step / 20
                weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
                found.append(
                    (
                        sum(w * v for w, v in zip(weights, (x, ax, bx, to), strict=True)),
                        sum(w * v for w, v in zip(weights, (y, ay, by, level), strict=True)),
                    )
                )
            x, y = to, level
    return found


def test_an_arrow_may_go_both_ways_and_to_its_own_box() -> None:
    picture = draw(
        "two",
        [Box("a", "A"), Box("b", "B")],
        [Arrow("a", "b", "OWNS"), Arrow("b", "a", "BELONGS_TO"), Arrow("a", "a", "COPY_OF")],
    )
    assert len(boxes(picture)) == 2
    assert "COPY_OF" in picture
    assert picture.count("marker-end") == 2


def test_what_nearly_every_label_has_is_a_note_in_its_box(pictures: dict[Path, str]) -> None:
    elb = next(text for file, text in pictures.items() if file.name == "elb.svg")
    assert "RESOURCE AWSAccount" in elb
    assert ">AWSAccount<" not in elb, "no box, to which every arrow would lead"
