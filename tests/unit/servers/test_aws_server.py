"""The simulated AWS: each fault arrives in boto3 as it would from AWS."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from demo.estate import fill, grow
from demo.inventory import ACCOUNT, GONE, REGIONS, Estate
from tests.servers.aws import AwsServer, Effect, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Client = Callable[..., Any]

CALLS = {
    "ec2": "describe_vpcs",
    "rds": "describe_db_instances",
    "elb": "describe_load_balancers",
    "elbv2": "describe_load_balancers",
    "iam": "list_users",
    "sts": "get_caller_identity",
    "s3": "list_buckets",
    "dynamodb": "list_tables",
    "eks": "list_clusters",
    "route53": "list_hosted_zones",
}


@pytest.fixture(scope="module")
def server() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(server: AwsServer) -> Iterator[AwsServer]:
    server.reset()
    yield server
    server.reset()


@pytest.fixture(scope="module")
def session() -> boto3.Session:
    return boto3.Session()


@pytest.fixture
def client(aws: AwsServer, session: boto3.Session) -> Client:
    def make(service: str, region: str = "us-east-1", account: str = "111122223333") -> Any:
        config = Config(retries={"total_max_attempts": 1})
        keys = {"aws_access_key_id": account, "aws_secret_access_key": "simulated"}
        return session.client(service, region, endpoint_url=aws.url, config=config, **keys)  # type: ignore[call-overload]

    return make


@pytest.fixture(scope="module")
def estate(server: AwsServer) -> Estate:
    return fill(server.url)


def outcome(call: Callable[[], object]) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("effect", "service", "code", "status"),
    [
        (Effect.DENY, "ec2", "UnauthorizedOperation", 403),
        (Effect.DENY, "rds", "AccessDenied", 403),
        (Effect.DENY, "elb", "AccessDenied", 403),
        (Effect.DENY, "elbv2", "AccessDenied", 403),
        (Effect.DENY, "iam", "AccessDenied", 403),
        (Effect.DENY, "sts", "AccessDenied", 403),
        (Effect.DENY, "s3", "AccessDenied", 403),
        (Effect.DENY, "route53", "AccessDenied", 403),
        (Effect.DENY, "dynamodb", "AccessDeniedException", 400),
        (Effect.DENY, "eks", "AccessDeniedException", 403),
        (Effect.THROTTLE, "ec2", "RequestLimitExceeded", 503),
        (Effect.THROTTLE, "rds", "Throttling", 400),
        (Effect.THROTTLE, "s3", "SlowDown", 503),
        (Effect.THROTTLE, "dynamodb", "ThrottlingException", 400),
        (Effect.THROTTLE, "eks", "ThrottlingException", 429),
        (Effect.NOT_ENABLED, "ec2", "AuthFailure", 401),
        (Effect.NOT_ENABLED, "rds", "InvalidClientTokenId", 403),
        (Effect.NOT_ENABLED, "s3", "InvalidAccessKeyId", 403),
        (Effect.NOT_ENABLED, "dynamodb", "UnrecognizedClientException", 400),
        (Effect.EXPIRED, "ec2", "RequestExpired", 400),
        (Effect.EXPIRED, "sts", "ExpiredToken", 403),
        (Effect.EXPIRED, "s3", "ExpiredToken", 400),
        (Effect.EXPIRED, "dynamodb", "ExpiredTokenException", 400),
        (Effect.ERROR, "ec2", "InternalError", 500),
        (Effect.ERROR, "iam", "InternalFailure", 500),
        (Effect.ERROR, "s3", "InternalError", 500),
        (Effect.ERROR, "dynamodb", "InternalServerError", 500),
    ],
)
def test_an_error_arrives_in_the_protocol_of_its_service(
    aws: AwsServer, client: Client, effect: Effect, service: str, code: str, status: int
) -> None:
    aws.add(Fault(effect, service=service))
    assert outcome(getattr(client(service), CALLS[service])) == (code, status)


def test_a_denial_names_the_action(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.DENY, service="elb"))
    with pytest.raises(ClientError, match=r"111122223333.* elasticloadbalancing:DescribeLoadBalancers "):
        client("elb").describe_load_balancers()


def test_a_fault_may_name_code_status_and_time_to_wait(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.THROTTLE, code="OptInRequired", status=418, retry_after_seconds=7))
    with pytest.raises(ClientError) as caught:
        client("ec2").describe_vpcs()
    assert caught.value.response["Error"]["Code"] == "OptInRequired"
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"


def test_a_fault_meets_only_the_calls_that_it_describes(aws: AwsServer, client: Client) -> None:
    fault = Fault(
        effect=Effect.DENY,
        service="ec2",
        action="DescribeVpcs",
        region="eu-south-1",
        account="111122223333",
        param="vpc-1",
    )
    aws.add(fault)
    client("rds", "eu-south-1").describe_db_instances()
    client("ec2", "eu-south-1").describe_subnets()
    client("ec2", "eu-west-1").describe_vpcs()
    client("ec2", "eu-south-1", "444455556666").describe_vpcs()
    client("ec2", "eu-south-1").describe_vpcs()
    assert aws.hits(fault) == 0
    with pytest.raises(ClientError):
        client("ec2", "eu-south-1").describe_vpcs(VpcIds=["vpc-1"])
    assert aws.hits(fault) == 1
    assert aws.faults() == [fault]


def test_operations_of_s3_and_their_bucket_are_recognised(aws: AwsServer, client: Client) -> None:
    s3 = client("s3")
    for bucket in ("bucket-one", "bucket-two"):
        s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
        s3.get_bucket_acl(Bucket=bucket)
        s3.list_objects_v2(Bucket=bucket)
        s3.head_bucket(Bucket=bucket)
    aws.add(Fault(Effect.DENY, action="GetBucketPolicy", bucket="bucket-two"))
    assert outcome(lambda: s3.get_bucket_policy(Bucket="bucket-one")) == ("NoSuchBucketPolicy", 404)
    assert outcome(lambda: s3.get_bucket_policy(Bucket="bucket-two")) == ("AccessDenied", 403)
    actions = ("CreateBucket", "PutObject", "GetBucketAcl", "ListObjectsV2", "HeadBucket", "GetBucketPolicy")
    assert aws.calls().counts == {f"s3:{action}:us-east-1": 2 for action in actions}


def test_after_and_times(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.ERROR, service="sts", after=1, times=2))
    sts = client("sts")

    def succeeds() -> bool:
        try:
            sts.get_caller_identity()
        except ClientError:
            return False
        return True

    assert [succeeds() for _ in range(5)] == [True, False, False, True, True]


def test_disconnect(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.DISCONNECT))
    with pytest.raises(ConnectionClosedError):
        client("ec2").describe_vpcs()


def test_a_cut_response(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.MALFORMED, service="ec2"))
    with pytest.raises(ResponseParserError):
        client("ec2").describe_vpcs()


def test_an_item_that_lacks_a_field(aws: AwsServer, client: Client) -> None:
    subnets = {one["SubnetId"] for one in client("ec2").describe_subnets()["Subnets"]}
    bad = max(subnets)
    aws.add(Fault(Effect.MALFORMED, action="DescribeSubnets", lacks="subnetId", value=bad))
    response = client("ec2").describe_subnets()["Subnets"]
    assert len(response) == len(subnets)
    assert {one.get("SubnetId") for one in response} == subnets - {bad} | {None}


def test_delay_and_latency(aws: AwsServer, client: Client) -> None:
    aws.latency(0.1)
    aws.add(Fault(Effect.DELAY, seconds=0.2))
    client("sts").get_caller_identity()
    (call,) = aws.calls().recent
    assert 0.3 <= call.seconds < 2
    assert (call.service, call.action, call.status) == ("sts", "GetCallerIdentity", 200)


def test_a_paused_call_goes_on_when_its_fault_is_removed(aws: AwsServer, client: Client) -> None:
    pause = Fault(Effect.PAUSE, service="ec2")
    aws.add(pause)
    threads = [threading.Thread(target=client("ec2").describe_vpcs) for _ in range(3)]
    for thread in threads:
        thread.start()
    aws.wait_for(pause, hits=3)
    assert aws.calls().in_flight == 3
    aws.remove(pause)
    for thread in threads:
        thread.join(10)
    assert (aws.calls().in_flight, aws.calls().max_in_flight) == (0, 3)


CLIENT_PROGRAM = """
import sys, boto3
keys = dict(aws_access_key_id="111122223333", aws_secret_access_key="simulated")
boto3.client("sts", "us-east-1", endpoint_url=sys.argv[1], **keys).get_caller_identity()
print("answered")
"""
PARENT_PROGRAM = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], stderr=subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


def test_kill_client_kills_just_the_client(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.KILL_CLIENT, service="sts", times=1))
    killed = subprocess.run([sys.executable, "-c", CLIENT_PROGRAM, aws.url], capture_output=True, check=False)
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, b"")
    client("sts").get_caller_identity()


def test_kill_parent_kills_just_the_parent(aws: AwsServer) -> None:
    aws.add(Fault(Effect.KILL_PARENT, service="sts", times=1))
    command = [sys.executable, "-c", PARENT_PROGRAM, CLIENT_PROGRAM, aws.url]
    killed = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.split()[1:] == [b"answered"]  # the child tried again


def test_no_fault_kills_the_test(aws: AwsServer, client: Client) -> None:
    aws.add(Fault(Effect.KILL_CLIENT))
    assert outcome(client("sts").get_caller_identity) == ("NotKilled", 400)
    aws.replace(Fault(Effect.KILL_PARENT))
    assert outcome(client("sts").get_caller_identity) == ("NotKilled", 400)


def test_an_account_is_its_key_or_the_role_that_was_assumed(aws: AwsServer, client: Client, session: Any) -> None:
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
    arn = client("iam", account="444455556666").create_role(RoleName="r", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    issued = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    keys = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    other = session.client("ec2", "us-east-1", endpoint_url=aws.url, **dict(zip(names, keys, strict=True)))
    assert other.describe_security_groups()["SecurityGroups"][0]["OwnerId"] == "444455556666"
    assert client("sts").get_caller_identity()["Account"] == "111122223333"
    assert [call.account for call in aws.calls().recent if call.service == "ec2"] == ["444455556666"]


def test_the_server_ends_with_its_parent() -> None:
    program = "from tests.servers.aws import AwsServer; import os; s = AwsServer(); s.start(); print(s.pid, flush=True)"
    program += "; os.kill(os.getpid(), 9)"
    parent = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    server_pid = int(parent.stdout)
    deadline = time.monotonic() + 5
    while is_running(server_pid):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_the_estate_is_there(client: Client, estate: Estate) -> None:
    main, *_ = estate.regions.values()
    assert estate.regions.keys() == set(REGIONS)
    running = client("ec2", account=ACCOUNT).describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["running"]}]
    )
    with_address = {
        instance["InstanceId"]
        for reservation in running["Reservations"]
        for instance in reservation["Instances"]
        if instance.get("PublicDnsName")
    }
    assert estate.exposed_directly("us-east-1") == with_address - {main.instances["office-only"]}
    balancers = {
        balancer["LoadBalancerName"]: balancer
        for balancer in client("elb", account=ACCOUNT).describe_load_balancers()["LoadBalancerDescriptions"]
    }
    assert {name: one["DNSName"] for name, one in balancers.items()} == main.load_balancers
    assert balancers["storefront"]["SourceSecurityGroup"]["GroupName"] == "balancers"
    assert {"InstanceId": GONE} in balancers["storefront"]["Instances"]
    assert estate.exposed_by_elb("us-east-1") < {one["InstanceId"] for one in balancers["storefront"]["Instances"]}
    buckets = client("s3", account=ACCOUNT).list_buckets()["Buckets"]
    assert {bucket["Name"] for bucket in buckets} == estate.buckets
    assert {role["Arn"] for role in client("iam", account=ACCOUNT).list_roles()["Roles"]} == set(estate.roles.values())


def test_regions_that_are_not_enabled_are_not_listed(client: Client) -> None:
    regions = client("ec2").describe_regions()["Regions"]
    assert {region["RegionName"] for region in regions} >= set(REGIONS)
    assert "not-opted-in" not in {region["OptInStatus"] for region in regions}


def test_an_unchanged_estate_gives_the_same_responses(client: Client, estate: Estate) -> None:
    def response() -> Any:
        return client("rds", account=estate.account).describe_db_instances()["DBInstances"]

    before = response()
    time.sleep(0.01)
    assert response() == before


def test_the_estate_grows(aws: AwsServer, client: Client) -> None:
    grow(aws.url, instances=150, buckets=10, account="777788889999")
    reservations = client("ec2", account="777788889999").describe_instances()["Reservations"]
    assert [len(one["Instances"]) for one in reservations] == [100, 50]
    assert len(client("s3", account="777788889999").list_buckets()["Buckets"]) == 10


def test_services_that_moto_lacks_are_there_and_unused(client: Client) -> None:
    accelerators = client("globalaccelerator", "us-west-2")
    assert accelerators.list_accelerators()["Accelerators"] == []
    assert accelerators.list_custom_routing_accelerators()["Accelerators"] == []
    assert client("cloudfront").list_vpc_origins()["VpcOriginList"]["Quantity"] == 0
