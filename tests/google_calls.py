"""What Google's discovery documents say of the calls that are made, pinned: python -m tests.google_calls

    python -m tests.google_calls            what the documents of the installed client changed of it; takes that over
    python -m tests.google_calls --newest   what those of the newest client change of these; writes nothing

Path, scopes, parameters, the fields of the response itself, and which fields in it are deprecated. Of the newest: every
field.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from googleapiclient import discovery_cache

from tasks.clients.google_documents import SERVICES
from tasks.engine import registry
from tasks.gcp import scopes as gcp

FILE: Final = Path(__file__).parent / "facts" / "google_calls.json"
_PACKAGE: Final = "google-api-python-client"
_DEPRECATED: Final = " (deprecated)"

Document = Callable[[str, str], Mapping[str, Any]]  # of a service and its version


def main() -> None:
    if "--newest" in sys.argv[1:]:
        print("\n".join(differences(installed(whole=True), newest())) or "nothing changed")
        return
    found = installed()
    print("\n".join(differences(pinned(), found)) or "nothing changed")
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


def pinned() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {"calls": {}, "revisions": {}}
    return found


def installed(*, whole: bool = False) -> dict[str, Any]:
    return _facts(lambda name, version: json.loads(discovery_cache.get_static_doc(name, version)), whole)


def newest() -> dict[str, Any]:
    """By pip, from the package index that it is set up for."""
    with tempfile.TemporaryDirectory() as directory:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory, _PACKAGE]
        subprocess.run(pip, check=True)
        [wheel] = Path(directory).glob("*.whl")
        print(f"against {wheel.name}")
        with zipfile.ZipFile(wheel) as archive:
            folder = "googleapiclient/discovery_cache/documents"
            return _facts(lambda name, version: json.loads(archive.read(f"{folder}/{name}.{version}.json")), True)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """One line each."""
    return [*_differences("", old["calls"], new["calls"])]


def _differences(path: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _differences(f"{path} {name}".strip(), old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        yield from (f"{path}: -{one}" for one in old if one not in new)
        yield from (f"{path}: +{one}" for one in new if one not in old)
    elif old != new:
        yield f"{path}: {old} -> {new}"


def _facts(document: Document, whole: bool) -> dict[str, Any]:
    calls = {*gcp.calls(), *(call for type_ in registry.of("gsuite") for call in type_.fetch.calls)}
    documents = {service: document(*which) for service, which in SERVICES.items()}
    return {
        "revisions": {service: found["revision"] for service, found in documents.items()},
        "calls": {
            call: _call(documents[call.partition(":")[0]], call.partition(":")[2], whole) for call in sorted(calls)
        },
    }


def _call(document: Mapping[str, Any], path: str, whole: bool) -> dict[str, Any]:
    *collections, name = path.split(".")
    found = document
    for collection in collections:
        found = found["resources"][collection]
    method = found["methods"][name]
    response = set(_fields(document, {"$ref": method["response"]["$ref"]}, ()))
    own = {name for name in response if whole or not {"[", "."} & {*name} or name.endswith(_DEPRECATED)}
    return {
        "path": f"{method['httpMethod']} /{document['servicePath']}{method.get('flatPath') or method['path']}",
        "scopes": sorted(method["scopes"]),
        "parameters": sorted(method.get("parameters", {})),
        "deprecated": bool(method.get("deprecated")),
        "fields": sorted(own),
    }


def _fields(
    document: Mapping[str, Any], schema: Mapping[str, Any], within: tuple[str, ...], path: str = ""
) -> Iterator[str]:
    """Every field, also of what is within; each schema once on the way down."""
    if name := schema.get("$ref"):
        if name in within:
            return
        schema, within = document["schemas"][name], (*within, name)
    if "items" in schema:
        yield from _fields(document, schema["items"], within, f"{path}[]")
    elif "additionalProperties" in schema:
        yield from _fields(document, schema["additionalProperties"], within, f"{path}.*")
    for name, of in schema.get("properties", {}).items():
        inner = f"{path}.{name}".strip(".")
        yield f"{inner}{_DEPRECATED}" if of.get("deprecated") else inner
        yield from _fields(document, of, within, inner)


if __name__ == "__main__":
    main()
