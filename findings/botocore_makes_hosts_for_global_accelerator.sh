#!/usr/bin/env bash
# botocore 1.40.61: Global Accelerator has one endpoint, in us-west-2, and botocore makes one up for every other region.
#
# Of other global services it knows where they are: in eu-west-1 a client of Route 53, CloudFront, Network Manager or
# Shield goes to the one host there is. Of Global Accelerator it knows no region at all (get_available_regions is empty,
# as for CloudFront, which works), and the client of any region gets a host of its own, which doesn't exist.
#
# Seen, of clients made in eu-west-1:
#   networkmanager     https://networkmanager.us-west-2.amazonaws.com
#   shield             https://shield.us-east-1.amazonaws.com
#   cloudfront         https://cloudfront.amazonaws.com
#   globalaccelerator  https://globalaccelerator.eu-west-1.amazonaws.com
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import botocore.session

session = botocore.session.get_session()
hosts = {}
for service in ("networkmanager", "shield", "cloudfront", "globalaccelerator"):
    client = session.create_client(service, "eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    hosts[service] = client.meta.endpoint_url
    print(f"{service:18} {hosts[service]}")
assert hosts["networkmanager"].startswith("https://networkmanager.us-west-2.")
assert hosts["globalaccelerator"] == "https://globalaccelerator.eu-west-1.amazonaws.com"
assert session.get_available_regions("globalaccelerator") == []
PYTHON
