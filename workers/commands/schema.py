"""`chartfleet schema`: labels, properties, relationships and API calls, from the declarations."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words", nargs="*", metavar="TYPE|LABEL", help="show only these: aws.ec2.instances, ec2, S3Bucket"
    )
    parser.add_argument("--provider", metavar="NAME", help="show only the resource types of this provider")
    parser.add_argument("--json", action="store_true", help="the schema as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers import schema
    from workers.commands import terminal
    from workers.report import schema_view

    provider: str | None = args.provider
    words: list[str] = args.words
    found = schema.described(provider, words)
    if args.json:
        print(json.dumps({"types": schema.as_json(found)}, indent=2))
    else:
        schema_view.show(found, terminal.console())
    return COMPLETE
