"""Coverage, findings with the path that proves each, and what is new, as one HTML page without scripts.

Every text is escaped by Jinja; what controls a terminal or the direction of writing is shown instead of obeyed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from analysis.findings.heat_map import HeatMap
from analysis.findings.listing import Listing
from analysis.findings.rule import Severity
from analysis.findings.suppression import Sorted
from loaders.shown_text import shown_line
from workers.report.rule_findings import day, headline, place_of, why_not_judged

TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
PAGE: Final = "page.html.j2"
MAX_REASONS: Final = 3  # of a cell that its text names


def render(listing: Listing, found: Sorted, heat_map: HeatMap) -> str:
    rules = {rule["id"]: rule for rule in listing.rules}
    by_rule: dict[str, list[Mapping[str, Any]]] = {}
    for finding in found.shown:
        by_rule.setdefault(finding["rule"], []).append(finding)
    return TEMPLATES.get_template(PAGE).render(
        run=listing.run,
        headline=headline(listing, found),
        severities=[
            (str(severity), sum(finding["severity"] == severity for finding in found.shown)) for severity in Severity
        ],
        groups=[(findings[0], rules.get(rule), findings) for rule, findings in by_rule.items()],
        not_judged=[(rule, why_not_judged(rule)) for rule in listing.not_judged],
        suppressed=found.suppressed,
        expired=found.expired,
        heat=heat_map,
        cell_text=_cell_text,
        day=day,
        place=place_of,
        line=shown_line,
    )


def _cell_text(heat_map: HeatMap, tenant: str, family: str) -> str:
    cell = heat_map.cells[tenant, family]
    text = f"{family} of {tenant}: {cell.seen} of {cell.scopes} scopes seen"
    if cell.reasons:
        text += f"; {'; '.join(cell.reasons[:MAX_REASONS])}"
    if cell.seen < cell.scopes:
        text += f"; last seen {day(cell.since)}" if cell.since is not None else "; never seen"
    return shown_line(text)
