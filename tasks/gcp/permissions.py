"""The IAM permission that a method needs. Most are named as the method is; here are the others.

https://cloud.google.com/iam/docs/permissions-reference
"""

from __future__ import annotations

from typing import Final

_OTHERS: Final = {
    "bigquery:datasets.list": "bigquery.datasets.get",
    "cloudkms:projects.locations.keyRings.cryptoKeys.getIamPolicy": "cloudkms.cryptoKeys.getIamPolicy",
    "cloudkms:projects.locations.keyRings.cryptoKeys.list": "cloudkms.cryptoKeys.list",
    "cloudkms:projects.locations.keyRings.getIamPolicy": "cloudkms.keyRings.getIamPolicy",
    "cloudkms:projects.locations.keyRings.list": "cloudkms.keyRings.list",
    "cloudkms:projects.locations.list": "cloudkms.locations.list",
    "container:projects.locations.clusters.list": "container.clusters.list",
    "iam:projects.roles.list": "iam.roles.list",
    "iam:projects.serviceAccounts.keys.list": "iam.serviceAccountKeys.list",
    "iam:projects.serviceAccounts.list": "iam.serviceAccounts.list",
    "logging:organizations.sinks.list": "logging.sinks.list",
    "logging:projects.sinks.list": "logging.sinks.list",
    "sqladmin:instances.list": "cloudsql.instances.list",
    "storage:bucketAccessControls.list": "storage.buckets.getIamPolicy",
}


def permission(action: str) -> str:
    """`compute:instances.aggregatedList` -> `compute.instances.list`."""
    if action in _OTHERS:
        return _OTHERS[action]
    service, _, method = action.partition(":")
    return f"{service}.{method.replace('aggregatedList', 'list')}"
