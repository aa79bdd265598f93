"""A simulated AWS over HTTP: moto behind a layer that counts calls and makes them fail on request.

    with AwsServer() as aws:
        aws.add(Fault(Effect.DENY, service="ec2", region="eu-south-1"))
        boto3.client("ec2", "eu-south-1", endpoint_url=aws.url)       # UnauthorizedOperation

`python -m tests.servers.aws --port 5000` runs it standalone. Its own HTTP interface, besides AWS and /moto-api:

    /chartfleet/faults         GET, PUT (replace), POST (add), DELETE: a JSON list of faults, see `Fault`
    /chartfleet/faults/NAME    DELETE one: calls that it paused continue
    /chartfleet/latency        PUT {"seconds": 0.08}: delay every call
    /chartfleet/calls?recent=N GET, see `Calls`
    /chartfleet/reset          PUT: no faults, no latency, counters at zero; the resources stay

An access key of 12 digits stands for that account. Any other key belongs to the account that issued it, or else, as in
moto, to 123456789012. Services are named as boto3's clients (`elb` and `elbv2`, though both sign as
elasticloadbalancing).
"""

from __future__ import annotations

from tests.servers.aws.calls import Call, Calls
from tests.servers.aws.control import START_SECONDS, AwsControl, AwsServer
from tests.servers.aws.errors import error_response
from tests.servers.aws.faults import Effect, Fault
from tests.servers.aws.serving import HOST
from tests.servers.aws.simulator import Simulator

__all__ = [
    "HOST",
    "START_SECONDS",
    "AwsControl",
    "AwsServer",
    "Call",
    "Calls",
    "Effect",
    "Fault",
    "Simulator",
    "error_response",
]
