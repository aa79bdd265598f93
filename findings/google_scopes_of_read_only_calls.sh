#!/usr/bin/env bash
# google-api-python-client 2.202.0 (PyPI), the discovery documents in it.
#
# Expected: a token with the scope `cloud-platform.read-only` ("View your data across Google Cloud services") may make
# any call that only reads. Found: the documents list, per method, the scopes of which one suffices, and that one isn't
# among them for a single method of Compute Engine, GKE or IAM, nor for the policies and ACLs of buckets; while
# listing buckets, DNS and projects takes it. What IAM's read methods take is `cloud-platform` alone, which may write:
# no set of read-only scopes can list service accounts and their keys. And what may only read is spelled in three ways:
# `.readonly`, `.read-only`, `_only`. The Directory API's users.list takes `cloud-platform`, groups.list doesn't.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check google-api-python-client==2.202.0
"$work/venv/bin/python" - <<'PY'
import json, sys
from googleapiclient import discovery_cache

AUTH = "https://www.googleapis.com/auth/"

def methods(of):
    yield from of.get("methods", {}).values()
    for inner in of.get("resources", {}).values():
        yield from methods(inner)

def taken(name, version):
    document = json.loads(discovery_cache.get_static_doc(name, version))
    return {m["id"]: {s.removeprefix(AUTH) for s in m.get("scopes", ())} for m in methods(document)}

compute, gke, iam = taken("compute", "v1"), taken("container", "v1"), taken("iam", "v1")
storage, dns, directory = taken("storage", "v1"), taken("dns", "v1"), taken("admin", "directory_v1")
read_only = "cloud-platform.read-only"
seen = {
    "methods of compute that take it": sum(read_only in s for s in compute.values()),
    "methods of container that take it": sum(read_only in s for s in gke.values()),
    "methods of iam that take it": sum(read_only in s for s in iam.values()),
    "storage.buckets.list takes it": read_only in storage["storage.buckets.list"],
    "dns.managedZones.list takes it": read_only in dns["dns.managedZones.list"],
    "storage.buckets.getIamPolicy": sorted(storage["storage.buckets.getIamPolicy"]),
    "iam.projects.serviceAccounts.list": sorted(iam["iam.projects.serviceAccounts.list"]),
    "compute.instances.list": sorted(compute["compute.instances.list"]),
    "container.projects.locations.clusters.list": sorted(gke["container.projects.locations.clusters.list"]),
    "directory.users.list takes cloud-platform": "cloud-platform" in directory["directory.users.list"],
    "directory.groups.list takes cloud-platform": "cloud-platform" in directory["directory.groups.list"],
}
for what, value in seen.items():
    print(f"{what}: {value}")
expected = [0, 0, 0, True, True, ["cloud-platform", "devstorage.full_control"], ["cloud-platform"],
            ["cloud-platform", "compute", "compute.readonly"], ["cloud-platform", "container", "container.read-only"],
            True, False]
sys.exit(list(seen.values()) != expected)
PY
