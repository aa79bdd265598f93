"""Draws boxes and labelled arrows as SVG, so that nothing lies on anything else; the same input gives the same picture.

Boxes stand in columns. An arrow's label has a place of its own in the gap between two columns, and an arrow that goes
further keeps a place free in each column that it passes: so no arrow crosses a box or a label. Within a column, places
are ordered for few crossings and then moved as near to their neighbours as they fit.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

TITLE, LINE, NOTE, LABEL = 14.0, 12.0, 11.0, 11.0  # font sizes
MARGIN, PADDING, CHANNEL, BETWEEN, PORT = 20.0, 12.0, 34.0, 22.0, 17.0
WIDEST_LABEL = 17  # characters of a line of an arrow's label
MAX_COLUMNS = 6
SWEEPS = 30


@dataclass(frozen=True)
class Box:
    """`own`: drawn strongly; the others are what lies around. `notes` stand below the lines, in grey."""

    name: str
    title: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    own: bool = True


@dataclass(frozen=True)
class Arrow:
    start: str
    end: str
    label: str
    dashed: bool = False


def draw(title: str, boxes: Sequence[Box], arrows: Sequence[Arrow], legend: str = "") -> str:
    """The picture as SVG text. An arrow from a box to itself is a note in the box."""
    loops: defaultdict[str, list[str]] = defaultdict(list)
    for arrow in arrows:
        if arrow.start == arrow.end and arrow.label not in loops[arrow.start]:
            loops[arrow.start].append(arrow.label)
    boxes = [_with_loops(box, loops[box.name]) for box in boxes]
    return _Drawing(_Layout(boxes, _merged(arrows))).svg(title, legend)


def _with_loops(box: Box, loops: list[str]) -> Box:
    return Box(box.name, box.title, box.lines, (*box.notes, *(f"\u21ba {label}" for label in loops)), box.own)


def _merged(arrows: Sequence[Arrow]) -> list[_Link]:
    """Arrows between the same boxes in the same direction, as one with a label of several lines."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for arrow in arrows:
        if arrow.start != arrow.end:
            labels = found.setdefault((arrow.start, arrow.end, arrow.dashed), [])
            labels += [arrow.label] if arrow.label not in labels else []
    return [_Link(s, e, d, tuple(line for label in ls for line in _wrapped(label))) for (s, e, d), ls in found.items()]


def _wrapped(label: str) -> Iterator[str]:
    """A label in lines, broken after underscores."""
    line = ""
    for part in label.replace("_", "_\0").split("\0"):
        if line and len(line) + len(part) > WIDEST_LABEL:
            yield line
            line = ""
        line += part
    yield line


@dataclass(frozen=True)
class _Link:
    start: str
    end: str
    dashed: bool
    lines: tuple[str, ...]

    @property
    def width(self) -> float:
        return max(_mono(line, LABEL) for line in self.lines) + 8

    @property
    def height(self) -> float:
        return len(self.lines) * (LABEL + 2)


def _mono(text: str, size: float) -> float:
    return len(text) * size * 0.61


def _sans(text: str, size: float) -> float:
    return sum(0.72 if c.isupper() else 0.3 if c in "ilj.,:|' " else 0.58 for c in text) * size


@dataclass(eq=False)
class _Place:
    """Something that stands in a rank: a box, a label, or what an arrow keeps free on its way. `y` is its middle."""

    height: float
    box: Box | None = None
    link: _Link | None = None
    label: bool = False
    y: float = 0.0
    left: list[_Place] = field(default_factory=list)
    right: list[_Place] = field(default_factory=list)

    def port(self, other: _Place, *, on_right: bool) -> float:
        """Where the line to the other place begins, seen from this one's middle."""
        if self.box is None:
            return 0.0
        side = self.right if on_right else self.left
        return (side.index(other) + 1) * self.height / (len(side) + 1) - self.height / 2


class _Layout:
    """Ranks of places from left to right: columns of boxes at even positions, labels at odd ones."""

    def __init__(self, boxes: Sequence[Box], links: Sequence[_Link]) -> None:
        ends = {name for link in links for name in (link.start, link.end)}
        self.boxes, self.links = [box for box in boxes if box.name in ends], links
        self._heights = {box.name: self._height(box) for box in self.boxes}
        self.column = self._columns()
        self.places: dict[str, _Place] = {}
        self.chains: list[list[_Place]] = []
        self.ranks: list[list[_Place]] = [[] for _ in range(2 * max(self.column.values(), default=0) + 1)]
        for box in self.boxes:
            self.places[box.name] = place = _Place(self._height(box), box=box)
            self.ranks[2 * self.column[box.name]].append(place)
        for link in links:
            self._chain(link)
        self._order()
        self._settle()
        for box in boxes:
            if box.name not in ends:
                self._fill_in(box)

    # -- which column

    def _columns(self) -> dict[str, int]:
        """As few columns as keep the two ends of every arrow in different ones."""
        if not self.links:
            return {"": 2}
        best: dict[str, int] = {}
        for count in range(2 if len(self.boxes) < 4 else 3, MAX_COLUMNS + 1):
            best = min(
                (self._improved(start, count) for start in self._starts(count)), key=lambda c: self._cost(c, count)
            )
            if all(best[link.start] != best[link.end] for link in self.links):
                break
        used = sorted(set(best.values()))
        return {name: used.index(column) for name, column in best.items()}

    def _starts(self, count: int) -> Iterator[dict[str, int]]:
        names = [box.name for box in self.boxes]
        yield {name: number % count for number, name in enumerate(names)}
        yield dict.fromkeys(names, count // 2)
        degree = Counter(name for link in self.links for name in (link.start, link.end))
        for root, _ in degree.most_common(4):  # by distance from those that have most arrows
            distance, edge = {root: 0}, [root]
            while edge:
                edge = [
                    other
                    for name in edge
                    for link in self.links
                    if name in (link.start, link.end)
                    for other in (link.start, link.end)
                    if other not in distance and distance.setdefault(other, distance[name] + 1)
                ]
            for first in (0, 1):
                yield {name: _bounced(distance.get(name, 0) + first, count) for name in names}

    def _improved(self, start: dict[str, int], count: int) -> dict[str, int]:
        found, cost = dict(start), self._cost(start, count)
        while True:
            options = [(name, column) for name in found for column in range(count) if column != found[name]]
            trials = [(self._cost({**found, name: column}, count), name, column) for name, column in options]
            least, name, column = min(trials)
            if least >= cost - 1e-9:
                return found
            found, cost = {**found, name: column}, least

    def _cost(self, column: dict[str, int], count: int) -> float:
        cost = 0.0
        for link in self.links:
            span = column[link.end] - column[link.start]
            cost += 60.0 if span == 0 else 3.0 * (abs(span) - 1) + (0.4 if span < 0 else 0.0)
        heights = [0.0] * count
        for box in self.boxes:
            heights[column[box.name]] += self._heights[box.name] + BETWEEN
            if not box.own and 0 < column[box.name] < count - 1:
                cost += 0.2
        return cost + 14.0 * max(heights) / (sum(heights) / count)

    def _height(self, box: Box) -> float:
        ends = max(sum(link.start == box.name for link in self.links), sum(link.end == box.name for link in self.links))
        text = TITLE + 2 + len(box.lines) * (LINE + 4) + len(box.notes) * (NOTE + 4) + 2 * PADDING
        return max(text, (ends + 1) * PORT)

    # -- which order

    def _chain(self, link: _Link) -> None:
        """The places that an arrow goes through, from left to right."""
        first, last = sorted((link.start, link.end), key=self.column.__getitem__)
        begin, end = 2 * self.column[first], 2 * self.column[last]
        chain = [self.places[first]]
        for rank in range(begin + 1, end):
            label = rank == begin + 1
            place = _Place(link.height if label else 2.0, link=link, label=label)
            self.ranks[rank].append(place)
            chain.append(place)
        chain.append(self.places[last])
        for one, other in itertools.pairwise(chain):
            one.right.append(other)
            other.left.append(one)
        self.chains.append(chain)

    def _order(self) -> None:
        best, fewest = [list(rank) for rank in self.ranks], self._crossings()
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 0
            for rank in self.ranks[1:] if forward else reversed(self.ranks[:-1]):
                position = {place: number for ranks in self.ranks for number, place in enumerate(ranks)}

                def middle(place: _Place, at: dict[_Place, int] = position, forward: bool = forward) -> float:
                    near = place.left if forward else place.right
                    return sum(at[other] for other in near) / len(near) if near else at[place]

                rank.sort(key=middle)
            if (crossings := self._crossings()) < fewest:
                best, fewest = [list(rank) for rank in self.ranks], crossings
        self.ranks = best
        position = {place: number for rank in best for number, place in enumerate(rank)}
        for rank in best:
            for place in rank:
                place.left.sort(key=position.__getitem__)
                place.right.sort(key=position.__getitem__)

    def _crossings(self) -> int:
        total = 0
        for rank, following in itertools.pairwise(self.ranks):
            position = {place: number for number, place in enumerate(following)}
            lines = [(number, position[other]) for number, place in enumerate(rank) for other in place.right]
            total += sum(
                (one[0] - other[0]) * (one[1] - other[1]) < 0 for one, other in itertools.combinations(lines, 2)
            )
        return total

    # -- how high

    def _settle(self) -> None:
        for rank in self.ranks:
            _fit(rank, [0.0] * len(rank))
        for sweep in range(4 * SWEEPS):
            for rank in self.ranks if sweep % 2 == 0 else reversed(self.ranks):
                _fit(rank, [_wish(place) for place in rank])
        top = min((p.y - p.height / 2 for rank in self.ranks for p in rank), default=0.0)
        for rank in self.ranks:
            for place in rank:
                place.y -= top

    def _fill_in(self, box: Box) -> None:
        """A box without arrows, below what is shortest by now."""
        place = self.places[box.name] = _Place(self._height(box), box=box)
        bottoms = [max((one.y + one.height / 2 for one in rank), default=-BETWEEN) for rank in self.ranks[::2]]
        shortest = bottoms.index(min(bottoms))
        place.y = bottoms[shortest] + BETWEEN + place.height / 2
        self.ranks[2 * shortest].append(place)


def _bounced(distance: int, count: int) -> int:
    """0 1 2 1 0 1 ...: a long way stays within the columns."""
    step = distance % (2 * count - 2)
    return step if step < count else 2 * count - 2 - step


def _wish(place: _Place) -> float:
    """Where all lines of a place would be level."""
    levels = [other.y + other.port(place, on_right=True) - place.port(other, on_right=False) for other in place.left]
    levels += [other.y + other.port(place, on_right=False) - place.port(other, on_right=True) for other in place.right]
    return sum(levels) / len(levels) if levels else place.y


def _fit(rank: Sequence[_Place], wishes: Sequence[float]) -> None:
    """As near to the wishes as the order and the heights allow (least squares: pool adjacent violators)."""
    offset, offsets = 0.0, []
    for before, place in zip((None, *rank), rank, strict=False):
        if before is not None:
            gap = BETWEEN if before.box and place.box else BETWEEN / 2
            offset += (before.height + place.height) / 2 + gap
        offsets.append(offset)
    pools: list[list[float]] = []  # sum, count
    for wish, offset in zip(wishes, offsets, strict=True):
        pools.append([wish - offset, 1])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, count = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += count
    levels = [total / count for total, count in pools for _ in range(int(count))]
    for place, level, offset in zip(rank, levels, offsets, strict=True):
        place.y = level + offset


class _Drawing:
    def __init__(self, layout: _Layout) -> None:
        self.layout = layout
        self.left: list[float] = []  # of each rank
        self.width: list[float] = []
        x = MARGIN
        for number, rank in enumerate(layout.ranks):
            width = max((self._width(place) for place in rank), default=0.0)
            self.left.append(x)
            self.width.append(width)
            x += width + (CHANNEL if number < len(layout.ranks) - 1 else 0)
        self.total = x + MARGIN
        bottom = max((p.y + p.height / 2 for rank in layout.ranks for p in rank), default=0.0)
        self.height = MARGIN + bottom + MARGIN

    def _width(self, place: _Place) -> float:
        if place.box is None:
            return place.link.width if place.link and place.label else 0.0
        box = place.box
        texts = [_sans(box.title, TITLE) * 1.16, *(_mono(line, LINE) for line in box.lines)]
        return max(140.0, *texts, *(_sans(note, NOTE) for note in box.notes)) + 2 * PADDING

    def svg(self, title: str, legend: str) -> str:
        height = self.height + (24 if legend else 0)
        width = max(self.total, _sans(legend, NOTE) + 2 * MARGIN)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'font-family="system-ui, sans-serif" font-size="{LINE:g}" role="img" aria-labelledby="title">',
            f'  <title id="title">{escape(title)}</title>',
            "  <defs>",
            '    <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto" '
            'markerUnits="userSpaceOnUse">',
            '      <path d="M0 0L10 5L0 10z" fill="#4a5568"/>',
            "    </marker>",
            "  </defs>",
            f'  <rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            '  <g stroke="#4a5568" stroke-width="1.3" fill="none">',
            *(f"    {path}" for chain in self.layout.chains for path in self._arrow(chain)),
            "  </g>",
            f'  <g font-family="ui-monospace, monospace" font-size="{LABEL:g}" fill="#2d3748" text-anchor="middle">',
            *(f"    {text}" for chain in self.layout.chains for text in self._label(chain)),
            "  </g>",
            *(f"  {line}" for place in self.layout.places.values() for line in self._box(place)),
        ]
        if legend:
            y = height - MARGIN + 4
            parts.append(
                f'  <text x="{MARGIN:g}" y="{y:.1f}" font-size="{NOTE:g}" fill="#4a5568">{escape(legend)}</text>'
            )
        return "\n".join([*parts, "</svg>", ""])

    def _rank(self, place: _Place) -> int:
        return next(number for number, rank in enumerate(self.layout.ranks) if place in rank)

    def _arrow(self, chain: list[_Place]) -> Iterator[str]:
        """Two lines, before and after the label; the tip is on the one that leads to the end."""
        link = next(place.link for place in chain if place.link)
        first = chain[0].box
        assert first is not None
        forward = link.start == first.name
        pieces: list[list[tuple[float, float]]] = [[]]
        for before, place in itertools.pairwise(chain):
            rank = self._rank(place)
            x, y = self.left[rank - 1] + self.width[rank - 1], MARGIN + before.y + before.port(place, on_right=True)
            to, level = self.left[rank], MARGIN + place.y + place.port(before, on_right=False)
            pieces[-1] += [(x, y), (to, level)]
            if place.label:
                middle = self.left[rank] + self.width[rank] / 2
                pieces[-1].append((middle - link.width / 2, level))
                pieces.append([(middle + link.width / 2, level)])
        for number, points in enumerate(pieces):
            tip = (number == len(pieces) - 1) if forward else number == 0
            line = points if forward else points[::-1]
            dashes = ' stroke-dasharray="5 4"' if link.dashed else ""
            yield f'<path d="{_curve(line)}"{dashes}{" marker-end=" + chr(34) + "url(#tip)" + chr(34) if tip else ""}/>'

    def _label(self, chain: list[_Place]) -> Iterator[str]:
        place = next(place for place in chain if place.label)
        assert place.link is not None
        rank = self._rank(place)
        x, y = self.left[rank] + self.width[rank] / 2, MARGIN + place.y - place.height / 2
        for number, line in enumerate(place.link.lines):
            yield f'<text x="{x:.1f}" y="{y + (number + 1) * (LABEL + 2) - 4:.1f}">{escape(line)}</text>'

    def _box(self, place: _Place) -> Iterator[str]:
        box, rank = place.box, self._rank(place)
        assert box is not None
        x, y, width = self.left[rank], MARGIN + place.y - place.height / 2, self.width[rank]
        fill, stroke, ink = ("#eef4fb", "#4a5568", "#1a202c") if box.own else ("#f7f7f4", "#a0aec0", "#4a5568")
        yield (
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{place.height:.1f}" rx="8" fill="{fill}" '
            f'stroke="{stroke}" stroke-width="1.3"/>'
        )
        text = y + PADDING + TITLE - 2
        weight = ' font-weight="600"' if box.own else ""
        left = f'<text x="{x + PADDING:.1f}"'
        yield f'{left} y="{text:.1f}" font-size="{TITLE:g}"{weight} fill="{ink}">{escape(box.title)}</text>'
        for line in box.lines:
            text += LINE + 4
            yield f'{left} y="{text:.1f}" font-family="ui-monospace, monospace" fill="{ink}">{escape(line)}</text>'
        for note in box.notes:
            text += NOTE + 4
            yield f'{left} y="{text:.1f}" font-size="{NOTE:g}" fill="#4a5568">{escape(note)}</text>'


def _curve(points: Sequence[tuple[float, float]]) -> str:
    (x, y), *others = points
    path = f"M{x:.1f} {y:.1f}"
    for to, level in others:
        if abs(level - y) < 0.05:
            path += f"H{to:.1f}"
        else:
            half = (x + to) / 2
            path += f"C{half:.1f} {y:.1f} {half:.1f} {level:.1f} {to:.1f} {level:.1f}"
        x, y = to, level
    return path
