"""Runs without processes: items go through the real rows, ledger and loader, in the order that a test says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import redis

from analysis import links
from loaders import batch, coverage
from loaders.batch import Row
from loaders.cleanup import Cleanup
from loaders.ledger import Attempt, Ledger
from loaders.loader import Loader
from loaders.model import NodeModel, Source
from loaders.scope import GLOBAL, Scope
from loaders.wire_name import wire_name
from loaders.writer import Writer, claim
from tasks.aws import s3
from tasks.engine import registry
from tasks.engine.rows import rows_of
from tasks.resource import Per
from workers.settings.fleet_key import fleet_key

PLANNER: Final = Scope(type="aws.tenants", tenant="all")
DENIED: Final = "denied"

Items = list[dict[str, Any]]
Rows = dict[NodeModel, list[Row]]


def bucket(name: str) -> dict[str, Any]:
    """Of which everything was read, and that has nothing."""
    fetch: Any = s3.BUCKETS.fetch
    return {"Name": name, **{detail.name: {} for detail in fetch.details}}


def scope(type_name: str, tenant: str = "1111", region: str = "eu-west-1") -> Scope:
    per = registry.types()[type_name].per
    return Scope(type=type_name, tenant=tenant, region=region if per is Per.REGION else GLOBAL)


def rows(of: Scope, items: Items) -> Rows:
    """The rows of items, by model, as a fetch makes them."""
    found: Rows = {}
    for item in items:
        for model, row in rows_of(registry.types()[of.type], Source(item, of)):
            found.setdefault(model, []).append(row)
    return found


class Run:
    """One run over these scopes; it claims the graph for its tag. `ledger`: one of the test's own kind."""

    def __init__(
        self,
        broker: redis.Redis,
        writer: Writer,
        tag: int,
        scopes: Iterable[Scope],
        ledger: type[Ledger] = Ledger,
        config: Mapping[str, object] | None = None,
    ) -> None:
        self.tag = tag
        self.ledger = ledger(broker, f"{tag}-test", fleet_key())
        self.loader = Loader(writer, registry.schema())
        self._writer = writer
        claim(writer, run=self.ledger.run, tag=tag, resume=False, lease_seconds=0)
        writer.serve(tag)
        self.ledger.open(tag=tag, config=config or {}, window=1, planners=[PLANNER])
        held = coverage.held_scopes(writer)
        self.ledger.plan(self.begin(PLANNER), [(scope, scope.id in held, 0.0) for scope in scopes], queue=False)

    def begin(self, of: Scope) -> Attempt:
        attempt = self.ledger.begin(of, lease_seconds=600, worker="test")
        assert attempt is not None, of
        return attempt

    def push(self, attempt: Attempt, number: int, model: NodeModel, found: list[Row]) -> None:
        self.ledger.push(
            attempt,
            number=number,
            model=wire_name(attempt.scope.type, model),
            rows=len(found),
            payload=batch.compress([batch.pack(row) for row in found]),
        )

    def fetch(self, of: Scope, found: Rows) -> None:
        """A whole attempt: a batch per model, and the end."""
        attempt = self.begin(of)
        for number, (model, some) in enumerate(found.items()):
            self.push(attempt, number, model, some)
        self.ledger.fetched(attempt, batches=len(found), outcome={})

    def deny(self, of: Scope) -> None:
        self.ledger.denied(self.begin(of), "AccessDenied", {})

    def load(self) -> None:
        """What the writer does when it is woken: all that waits, and the cleanups."""
        for _ in self.loader.drain(self.ledger, self.tag):
            pass

    def barrier(self) -> None:
        links.write(self._writer, registry.schema())
        Cleanup(self._writer, registry.schema()).delete_orphans()


class Sync:
    """Runs one after the other over one graph; each scope is loaded and cleaned before the next begins."""

    def __init__(self, broker: redis.Redis, writer: Writer) -> None:
        self.tag = 0
        self.writer = writer
        self._broker = broker

    def start(self, scopes: Iterable[Scope], config: Mapping[str, object] | None = None) -> Run:
        self.tag += 1
        return Run(self._broker, self.writer, self.tag, scopes, config=config)

    def run(self, responses: Mapping[Scope, Items | str]) -> Run:
        """A run whose scopes return these responses, in this order, up to the barrier."""
        run = self.start(responses)
        for of, response in responses.items():
            if isinstance(response, str):
                run.deny(of)
            else:
                run.fetch(of, rows(of, response))
            run.load()
        run.barrier()
        return run


def role(name: str, tenant: str = "1111", *, trusts: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "Arn": role_arn(name, tenant),
        "RoleId": f"AROA{name}",
        "RoleName": name,
        "Path": "/",
        "CreateDate": "2024-01-01",
        "AssumeRolePolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"AWS": list(trusts)}}]},
    }


def role_arn(name: str, tenant: str = "1111") -> str:
    return f"arn:aws:iam::{tenant}:role/{name}"


def group(name: str, *, cidrs: Iterable[str] = (), called: str = "") -> dict[str, Any]:
    ranges = [{"CidrIp": cidr} for cidr in cidrs]
    rules = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}] if ranges else []
    return {"GroupId": name, "GroupName": called or name, "VpcId": "vpc-1", "IpPermissions": rules}


def reservation(*instances: dict[str, Any]) -> dict[str, Any]:
    return {"ReservationId": f"r-{instances[0]['InstanceId']}", "Instances": list(instances)}


def instance(
    name: str, *, subnet: str | None = None, groups: Iterable[str] = (), key_name: str | None = None
) -> dict[str, Any]:
    return {
        "InstanceId": name,
        "KeyName": key_name,
        "SubnetId": subnet,
        "SecurityGroups": [{"GroupId": group} for group in groups],
        "NetworkInterfaces": [
            {"NetworkInterfaceId": f"eni-{name}", "Groups": [{"GroupId": group} for group in groups]},
        ],
    }


def balancer(
    name: str, *, instances: Iterable[str] = (), groups: Iterable[str] = (), source: str | None = None
) -> dict[str, Any]:
    return {
        "DNSName": f"{name}.elb",
        "LoadBalancerName": name,
        "Instances": [{"InstanceId": instance} for instance in instances],
        "SecurityGroups": list(groups),
        "SourceSecurityGroup": {"GroupName": source},
        "ListenerDescriptions": [{"Listener": {"LoadBalancerPort": 443, "Protocol": "TCP", "InstancePort": 8443}}],
    }


def balancer_v2(
    name: str, account: str, *, instances: Iterable[str] = (), groups: Iterable[str] = ()
) -> dict[str, Any]:
    arn = f"arn:aws:elasticloadbalancing:eu-west-1:{account}:loadbalancer/app/{name}/1"
    targets = [{"Target": {"Id": instance, "Port": port}} for instance in instances for port in (80, 81)]
    target_group = {
        "TargetGroupArn": f"arn:aws:elasticloadbalancing:eu-west-1:{account}:targetgroup/{name}/1",
        "TargetGroupName": name,
        "TargetType": "instance",
        "DescribeTargetHealth": {"TargetHealthDescriptions": targets},
    }
    return {
        "LoadBalancerArn": arn,
        "DNSName": f"{name}.elb",
        "LoadBalancerName": name,
        "SecurityGroups": list(groups),
        "AvailabilityZones": [{"SubnetId": f"subnet-1-{account}"}],
        "DescribeListeners": {"Listeners": [{"ListenerArn": f"{arn}/443", "Port": 443, "Protocol": "HTTPS"}]},
        "DescribeTargetGroups": {arn: [target_group]},
    }


def scaling_group(name: str, account: str, *, instances: Iterable[str] = ()) -> dict[str, Any]:
    return {
        "AutoScalingGroupARN": f"arn:aws:autoscaling:eu-west-1:{account}:autoScalingGroup:{name}",
        "AutoScalingGroupName": name,
        "VPCZoneIdentifier": f"subnet-1-{account},subnet-2-{account}",
        "Instances": [{"InstanceId": instance} for instance in instances],
    }
