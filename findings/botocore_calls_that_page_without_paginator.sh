#!/usr/bin/env bash
# botocore 1.40.61: can_paginate() is False for 857 operations whose input and output both have a token.
#
# get_paginator() exists only where paginators-1.json names the operation. About one paged operation in four isn't named
# there, and nothing warns: made once, such a call answers its first page, which reads like all there is. Among them are
# rds:DescribeDBShardGroups, iam:ListServiceSpecificCredentials and wafv2:ListWebACLs.
#
# Seen:
#   2853 operations have a paginator; 857 take and give a token and have none
#   rds describe_db_shard_groups takes Marker, gives Marker, can_paginate: False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import re
import botocore.session
from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel

TOKEN = re.compile(r"(?i)(next|page|pagination|continuation)?_?(next)?(token|marker|pagetoken)")
session = botocore.session.get_session()
loader = session.get_component("data_loader")
named = without = 0
for service in session.get_available_services():
    model = ServiceModel(loader.load_service_model(service, "service-2"), service)
    try:
        paginators = loader.load_service_model(service, "paginators-1")["pagination"]
    except UnknownServiceError:
        paginators = {}
    named += len(paginators)
    for name in model.operation_names:
        operation = model.operation_model(name)
        shapes = (operation.input_shape, operation.output_shape)
        if name not in paginators and all(s and any(TOKEN.fullmatch(m) for m in s.members) for s in shapes):
            without += 1
print(f"{named} operations have a paginator; {without} take and give a token and have none")

rds = session.create_client("rds", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
shapes = rds.meta.service_model.operation_model("DescribeDBShardGroups")
both = "Marker" in shapes.input_shape.members and "Marker" in shapes.output_shape.members
print("rds describe_db_shard_groups takes Marker, gives Marker, can_paginate:", rds.can_paginate("describe_db_shard_groups"))
assert both and not rds.can_paginate("describe_db_shard_groups")
assert without > 800, without
PYTHON
