#!/usr/bin/env bash
# aiobotocore 2.25.1: clients that one session opens at the same time each load the credentials anew.
#
# A session keeps its credentials once they are loaded, as botocore's does, but nothing holds the second client back
# while the first one loads them: a credential_process, which may ask a person for a code or count against a login
# service's limit, runs once per client. Opened one after the other, the same clients run it once.
#
# Seen:
#   10 clients one after the other: the process ran 1 time
#   10 clients at the same time: the process ran 10 times
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check aiobotocore==2.25.1
cat > "$folder/login" <<SCRIPT
#!/bin/sh
echo ran >> "$folder/runs"
sleep 0.2
echo '{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x", "Expiration": "2099-01-01T00:00:00Z"}'
SCRIPT
chmod +x "$folder/login"
printf '[default]\nregion = eu-west-1\ncredential_process = %s\n' "$folder/login" > "$folder/config"
export AWS_CONFIG_FILE="$folder/config" AWS_SHARED_CREDENTIALS_FILE="$folder/none" AWS_EC2_METADATA_DISABLED=true
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
FOLDER="$folder" "$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import os
from pathlib import Path

from aiobotocore.session import AioSession

SERVICES = ["ec2", "s3", "iam", "sts", "sqs"] * 2
runs = Path(os.environ["FOLDER"]) / "runs"


async def opened(session: AioSession, service: str) -> None:
    async with session.create_client(service):
        pass


async def one_after_the_other() -> None:
    session = AioSession()
    for service in SERVICES:
        await opened(session, service)


async def at_the_same_time() -> None:
    session = AioSession()
    await asyncio.gather(*(opened(session, service) for service in SERVICES))


def count(how) -> int:
    runs.write_text("")
    asyncio.run(how())
    return len(runs.read_text().splitlines())


first, second = count(one_after_the_other), count(at_the_same_time)
print(f"{len(SERVICES)} clients one after the other: the process ran {first} time{'s' * (first != 1)}")
print(f"{len(SERVICES)} clients at the same time: the process ran {second} time{'s' * (second != 1)}")
assert (first, second) == (1, len(SERVICES))
PYTHON
