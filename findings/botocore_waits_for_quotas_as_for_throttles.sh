#!/usr/bin/env bash
# botocore 1.40.61: LimitExceededException is retried as a throttle, for services where it is a quota that no wait lifts.
#
# Its standard retries know one list of codes for all services. For DynamoDB the name may mean too many calls at a time;
# KMS, Secrets Manager, ECR and IAM's neighbours use the same name for a limit on how much an account may have, and mark
# it as not retryable by saying nothing. A caller waits through all attempts, and the error looks like a throttle.
#
# Seen:
#   KMS says: "The request was rejected because a length constraint or quota was exceeded."
#   the server was asked 3 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

asked = []


class Server(BaseHTTPRequestHandler):
    def do_POST(self):
        asked.append(self.headers["X-Amz-Target"])
        body = b'{"__type": "LimitExceededException", "message": "quota"}'
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
kms = botocore.session.get_session().create_client(
    "kms", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x",
    endpoint_url=f"http://127.0.0.1:{server.server_port}", config=Config(retries={"mode": "standard"}),
)
shape = kms.meta.service_model.shape_for("LimitExceededException")
said = " ".join(re.sub("<[^>]+>", "", shape.documentation).split()).partition(" For more")[0]
print(f'KMS says: "{said}"')
assert "quota" in said and "retryable" not in shape.metadata
try:
    kms.create_key()
except ClientError as error:
    assert error.response["Error"]["Code"] == "LimitExceededException"
print(f"the server was asked {len(asked)} times")
assert len(asked) == 3, asked
PYTHON
