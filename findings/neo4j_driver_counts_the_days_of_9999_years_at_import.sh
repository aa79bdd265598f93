#!/usr/bin/env bash
# neo4j 6.4.1 (the Python driver): `import neo4j` makes tables of a quarter of a million entries, and keeps them.
#
# The days in each month of each year from 1 to 9999, and the packed form of each 16-bit number in both directions:
# more than 20 MB in every process that imports the driver, whatever it asks of the graph. In a fleet of separate
# processes that is more than Celery and its Redis client take together.
#
# Seen:
#   neo4j._codec.packstream.v1 PACKED_UINT_16: 65536 entries
#   neo4j._codec.packstream.v1 UNPACKED_UINT_16: 65536 entries
#   neo4j.time _DAYS_IN_MONTH: 119988 entries
#   allocated by these two modules: more than 20 MB
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check neo4j==6.4.1
"$folder/venv/bin/python" - <<'PYTHON'
import tracemalloc

tracemalloc.start()
import neo4j.time
from neo4j._codec.packstream import v1

taken = tracemalloc.take_snapshot().statistics("filename")
modules = {v1.__name__: v1, neo4j.time.__name__: neo4j.time}
entries = {
    f"{name} {table}": len(value)
    for name, module in modules.items()
    for table, value in sorted(vars(module).items())
    if isinstance(value, (dict, list, tuple)) and len(value) > 10_000
}
allocated = sum(file.size for file in taken if file.traceback[0].filename in {m.__file__ for m in modules.values()})
for table, count in entries.items():
    print(f"{table}: {count} entries")
print(f"allocated by these two modules: {allocated / 1e6:.1f} MB")
assert entries == {
    "neo4j._codec.packstream.v1 PACKED_UINT_16": 65536,
    "neo4j._codec.packstream.v1 UNPACKED_UINT_16": 65536,
    "neo4j.time _DAYS_IN_MONTH": 119988,
}
assert allocated > 20e6
PYTHON
