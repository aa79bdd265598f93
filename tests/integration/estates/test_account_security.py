"""What an account says of its own security: its root user, its password policy, its users' second factors."""

from __future__ import annotations

from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Load, found
from tests.integration.runs import Sync, scope
from tests.servers.aws import AwsServer, Effect, Fault


def test_a_root_user_without_a_second_factor_is_0_not_unknown(client: Client, load: Load, graph: Graph) -> None:
    client("iam").create_user(UserName="alice")
    load("aws.account", "aws.iam.account_summary")
    root = "MATCH (a:AWSAccount) RETURN a.id, a.account_mfa_enabled, a.account_access_keys_present, a.users"
    assert found(graph, root) == {(ACCOUNT, 0, 0, 1)}


def test_an_account_without_a_password_policy_says_so(client: Client, load: Load, graph: Graph) -> None:
    client("iam").list_users()
    load("aws.iam.account_summary")
    policy = (
        "MATCH (:AWSAccount)-[:RESOURCE]->(p:AWSPasswordPolicy) RETURN p.is_set, p.minimum_password_length, "
        "p.require_symbols"
    )
    assert found(graph, policy) == {(False, None, None)}
    client("iam").update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True)
    load("aws.iam.account_summary")
    assert found(graph, policy) == {(True, 14, True)}


def test_a_trail_of_all_regions_is_one_and_at_home(client: Client, load: Load, graph: Graph) -> None:
    client("s3", "us-east-1").create_bucket(Bucket="audit")
    trails = client("cloudtrail", "us-east-1")
    trails.create_trail(Name="everywhere", S3BucketName="audit", IsMultiRegionTrail=True)
    trails.start_logging(Name="everywhere")
    client("cloudtrail").create_trail(Name="here", S3BucketName="audit", IsMultiRegionTrail=False)
    load("aws.s3.buckets", "aws.cloudtrail.trails", regions=(REGION, "us-east-1"))
    where = "MATCH (:AWSAccount)-[:RESOURCE]->(t:CloudTrailTrail) RETURN t.name, t.region, t.is_logging"
    assert found(graph, where) == {("everywhere", "us-east-1", True), ("here", REGION, False)}
    written_to = "MATCH (t:AWSCloudTrailTrail)-[:LOGS_TO]->(b:S3Bucket) RETURN t.name, b.name"
    assert found(graph, written_to) == {("everywhere", "audit"), ("here", "audit")}


def test_a_trail_of_the_organization_belongs_to_each_account_that_it_covers(sync: Sync, graph: Graph) -> None:
    """The simulator doesn't show it to members: what one sees of it is written here."""
    arn, member = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/organization", "444455556666"
    trail = {"TrailARN": arn, "HomeRegion": REGION, "IsOrganizationTrail": True, "IsMultiRegionTrail": True}
    seen = trail | {"GetTrailStatus": {"IsLogging": True}, "GetEventSelectors": {}}
    sync.run({scope("aws.cloudtrail.trails", account, REGION): [seen] for account in (ACCOUNT, member)})
    covers = "MATCH (a:AWSAccount)-[:RESOURCE]->(t:CloudTrailTrail {is_organization_trail: true}) RETURN a.id, t.arn"
    assert found(graph, covers) == {(ACCOUNT, arn), (member, arn)}


def test_who_may_sign_in_to_the_console_without_a_second_factor(client: Client, load: Load, graph: Graph) -> None:
    iam = client("iam")
    for name in ("alice", "bob", "robot"):
        iam.create_user(UserName=name)
    for name in ("alice", "bob"):
        iam.create_login_profile(UserName=name, Password="correct horse battery staple")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice")["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName="alice", SerialNumber=device, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    load("aws.iam.users", "aws.iam.mfa_devices")
    assert found(graph, "MATCH (u:AWSUser) RETURN u.name, u.password_enabled") == {
        ("alice", True),
        ("bob", True),
        ("robot", False),
    }
    assert found(graph, "MATCH (u:AWSUser)-[:MFA_DEVICE]->(d:MfaDevice) RETURN u.name, d.serialnumber, d.kind") == {
        ("alice", device, "virtual")
    }
    without = "MATCH (u:AWSUser {password_enabled: true}) WHERE NOT (u)-[:MFA_DEVICE]->() RETURN u.name"
    assert found(graph, without) == {("bob",)}


def test_whether_a_password_is_set_is_unknown_where_it_may_not_be_read(
    client: Client, aws: AwsServer, load: Load, graph: Graph
) -> None:
    client("iam").create_user(UserName="alice")
    aws.add(Fault(Effect.DENY, service="iam", action="GetLoginProfile"))
    load("aws.iam.users")
    assert found(graph, "MATCH (u:AWSUser) RETURN u.name, u.password_enabled") == {("alice", None)}
