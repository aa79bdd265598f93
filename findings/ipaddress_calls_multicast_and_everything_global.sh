#!/usr/bin/env bash
# Python's ipaddress (3.11) and netaddr 1.3.0: is_global is neither IANA's "globally reachable" nor the same in both.
#
# A network is judged by its first and its last address: 0.0.0.0/0, ::/0 and 10.0.0.0/7 are global. Multicast is, down to
# the link-local all-nodes address ff02::1, and so is what IANA has given to nobody (4000::1). Of blocks in
# IANA's registry the two say the opposite: ORCHIDv2 (2001:20::/28) is reachable by the registry and by netaddr, 6to4
# (2002::/16, "N/A") by ipaddress alone.
#
# Seen (Python 3.11.7):
#   networks that are global: 0.0.0.0/0 ::/0 10.0.0.0/7 224.0.0.0/4 ff00::/8
#   ff02::1       ipaddress True   netaddr True
#   4000::1       ipaddress True   netaddr True
#   2001:20::1    ipaddress False  netaddr True
#   2002::1       ipaddress True   netaddr False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check netaddr==1.3.0
"$folder/venv/bin/python" - <<'PYTHON'
import ipaddress
import sys

import netaddr

networks = ["0.0.0.0/0", "::/0", "10.0.0.0/7", "224.0.0.0/4", "ff00::/8"]
glob = [network for network in networks if ipaddress.ip_network(network).is_global]
print(f"Python {sys.version.split()[0]}: networks that are global:", *glob)
assert glob == networks, glob
for address, expected in {
    "ff02::1": (True, True),
    "4000::1": (True, True),
    "2001:20::1": (False, True),
    "2002::1": (True, False),
}.items():
    seen = (ipaddress.ip_address(address).is_global, netaddr.IPAddress(address).is_global())
    print(f"{address:13} ipaddress {seen[0]!s:6} netaddr {seen[1]}")
    if sys.version_info[:3] == (3, 11, 7):
        assert seen == expected, (address, seen)
PYTHON
