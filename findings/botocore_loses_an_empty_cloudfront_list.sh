#!/usr/bin/env bash
# botocore 1.40.61: of an empty CloudFront list, a paginator's whole result has no list, not even an empty one.
#
# CloudFront leaves `Items` out where it is empty and says Quantity: 0. A call gives DistributionList without Items; the
# paginator's build_full_result() gives {}: result["DistributionList"]["Items"] works in accounts that have one
# distribution or more, and is a KeyError in those that have none.
#
# Seen:
#   list_distributions: {'Marker': '', 'MaxItems': 100, 'IsTruncated': False, 'Quantity': 0}
#   build_full_result: {}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import http.server
import threading

import botocore.session

EMPTY = (
    b'<DistributionList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Marker></Marker>'
    b"<MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></DistributionList>"
)


class CloudFront(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), CloudFront)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = botocore.session.get_session().create_client(
    "cloudfront", "us-east-1", endpoint_url=f"http://127.0.0.1:{server.server_port}",
    aws_access_key_id="x", aws_secret_access_key="x",
)  # fmt: skip
listed = client.list_distributions()["DistributionList"]
whole = client.get_paginator("list_distributions").paginate().build_full_result()
print("list_distributions:", listed)
print("build_full_result:", whole)
assert listed["Quantity"] == 0 and "Items" not in listed
assert whole == {}, whole
PYTHON
