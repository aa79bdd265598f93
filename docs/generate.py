"""Writes what follows from the code: python -m docs.generate

Parts of pages stand between `<!-- generated: name -->` and `<!-- end -->`; the families' pages under docs/schema are
generated as a whole. tests/unit/test_docs.py fails where anything is stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from analysis.findings import framework
from analysis.iam import attack_catalogue
from analysis.opengraph import traversable
from analysis.queries import catalog
from docs import facts_2020, provider_names, rule_pages, schema_pages
from docs.wrapping import bullet, listed
from tasks.aws.doctor.iam_policy import Policies
from tasks.engine import registry
from tasks.gcp import scopes as gcp_scopes
from tasks.gsuite import api as gsuite_api
from workers.settings.known import known

DOCS: Final = Path(__file__).parent
_PART: Final = re.compile(r"(<!-- generated: (?P<name>[\w.-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def main() -> None:
    registry.only_own()
    for page in pages():
        page.write_text(generated(page.read_text()))
    for file, text in schema_pages.files().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for file in schema_pages.stray():
        file.unlink()


def pages() -> Iterator[Path]:
    """Every page with a generated part."""
    return (page for page in sorted(DOCS.rglob("*.md")) if _PART.search(page.read_text()))


def generated(text: str) -> str:
    """The page as the code has it now."""
    return _PART.sub(lambda part: f"{part[1]}{_parts()[part['name']]()}\n{part[3]}", text)


def settings_table() -> str:
    lines = ["| setting | value | default | meaning |", "|---|---|---|---|"]
    for setting in known(installed=False).values():
        value = "`true`, `false`" if setting.is_switch else f"`{setting.metavar or setting.type.value}`"
        default = f"`{setting.shown_default}`" if setting.shown_default else "-"
        cells = [cell.replace("|", "\\|") for cell in (f"`{setting.name}`", value, default, setting.meaning)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def aws_policy() -> str:
    policy = Policies(types=registry.of("aws")).document()
    return f"```json\n{json.dumps(policy, indent=2)}\n```"


def types_list(provider: str) -> str:
    lines = []
    for family in schema_pages.families():
        if family.provider != provider:
            continue
        aliases = list(dict.fromkeys(f"`{word}`" for type_ in family.types for word in type_.also))
        also = ["(also selected by", *listed([*aliases[:-1], f"{aliases[-1]})"])] if aliases else []
        names = listed(f"`{type_.name}`" for type_ in family.types)
        page = family.page.relative_to(DOCS).as_posix()
        lines.append(bullet(f"[{family.name}]({page}):", *names, *also))
    return "\n".join(lines)


def attack_ways() -> str:
    """The catalogue of attack paths that is evaluated."""
    lines = ["| way | what the principal does | actions |", "|---|---|---|"]
    for way in attack_catalogue.ways():
        actions = list(dict.fromkeys(requirement.action for requirement in way.requires))
        lines.append(f"| {way.id} | {way.title} | {', '.join(f'`{action}`' for action in actions)} |")
    return "\n".join(lines)


def traversable_edges() -> str:
    """What the OpenGraph export contains, by the kind of its edges."""
    by_ends: dict[tuple[str, str, str], list[str]] = {}
    for one in traversable.declared():
        by_ends.setdefault((one.start, one.end, one.gives), []).append(f"`{one.kind}`")
    lines = ["| from | edges | to | what whoever holds the start has |", "|---|---|---|---|"]
    lines += [f"| {start} | {', '.join(kinds)} | {end} | {gives} |" for (start, end, gives), kinds in by_ends.items()]
    return "\n".join(lines)


def attack_ways_left_out() -> str:
    return "\n".join(bullet(f"`{id_}`:", *reason.split()) for id_, reason in attack_catalogue.left_out().items())


def scopes_list(scopes: Iterable[str]) -> str:
    """The OAuth scopes that Google is asked for."""
    return "\n".join(f"- `{scope}`" for scope in scopes)


def _parts() -> dict[str, Callable[[], str]]:
    """What is generated, by its name on the pages."""
    return {
        "settings": settings_table,
        "aws-policy": aws_policy,
        "attack-ways": attack_ways,
        "attack-ways-left-out": attack_ways_left_out,
        "traversable": traversable_edges,
        "gcp-scopes": lambda: scopes_list(gcp_scopes.needed()),
        "gsuite-scopes": lambda: scopes_list(gsuite_api.scopes()),
        **{f"{name}-rules": partial(rule_pages.rules_table, name) for name in rule_pages.providers()},
        **{name: partial(rule_pages.framework_table, name) for name in framework.load()},
        "schema-diagram": schema_pages.whole_diagram,
        "provider-names": provider_names.names,
        "schema-families": schema_pages.families_list,
        "schema-labels": schema_pages.labels_table,
        **{f"query-{name}": partial(schema_pages.block, query) for name, query in catalog.shipped().items()},
        **{f"{name}-types": partial(types_list, name) for name in registry.providers()},
        **{f"{name}-2020": partial(facts_2020.tables, name) for name in facts_2020.providers()},
    }


if __name__ == "__main__":
    main()
