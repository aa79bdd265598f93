#!/usr/bin/env bash
# botocore 1.40.61: a paginator with more_results ends at a page that has a token but not the flag, and says nothing.
#
# kms:ListKeys' model requires neither Truncated nor NextMarker. Where a page gives the token and leaves the flag out, as
# servers do that leave out what is optional, the paginator takes None for False: the rest is never asked for.
#
# Seen:
#   the server gave ['key-1', NextMarker] and has ['key-2']
#   the paginator read ['key-1'] in 1 call
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import botocore.session
from botocore.stub import Stubber

kms = botocore.session.get_session().create_client(
    "kms", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
)
required = kms.meta.service_model.operation_model("ListKeys").output_shape.required_members
assert "Truncated" not in required, required
with Stubber(kms) as server:
    server.add_response("list_keys", {"Keys": [{"KeyId": "key-1"}], "NextMarker": "page-2"})
    server.add_response("list_keys", {"Keys": [{"KeyId": "key-2"}]}, {"Marker": "page-2"})
    print("the server gave ['key-1', NextMarker] and has ['key-2']")
    pages = list(kms.get_paginator("list_keys").paginate())
    read = [key["KeyId"] for page in pages for key in page["Keys"]]
    print(f"the paginator read {read} in {len(pages)} call")
    assert read == ["key-1"], read
PYTHON
