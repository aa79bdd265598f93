"""Responses of moto that differ from those of AWS, corrected; and calls that moto doesn't have."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# Services and calls that moto doesn't have: the responses for an account that doesn't use them.
NOT_IN_MOTO: Final = {
    ("globalaccelerator", "ListAccelerators"): '{"Accelerators": []}',
    ("globalaccelerator", "ListCustomRoutingAccelerators"): '{"Accelerators": []}',
    ("cloudfront", "ListVpcOrigins"): (
        '<VpcOriginList xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Marker></Marker>'
        "<MaxItems>100</MaxItems><IsTruncated>false</IsTruncated><Quantity>0</Quantity></VpcOriginList>"
    ),
    ("ec2", "GetEbsDefaultKmsKeyId"): (
        '<GetEbsDefaultKmsKeyIdResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "<kmsKeyId>alias/aws/ebs</kmsKeyId></GetEbsDefaultKmsKeyIdResponse>"
    ),
    ("ec2", "GetSnapshotBlockPublicAccessState"): (
        '<GetSnapshotBlockPublicAccessStateResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
        "<state>unblocked</state></GetSnapshotBlockPublicAccessStateResponse>"
    ),
    ("accessanalyzer", "ListAnalyzers"): '{"analyzers": []}',
}


def correct_moto() -> None:
    """Correct responses of moto that differ from those of AWS and would change the graph."""
    from moto.core.responses import ActionResult
    from moto.ec2.models import ec2_backends
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
    from moto.ec2.responses.elastic_block_store import ElasticBlockStore
    from moto.ec2.responses.reserved_instances import ReservedInstances
    from moto.elb.models import ELBBackend, LoadBalancer
    from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer
    from moto.rds.models import DBCluster, DBInstance

    def enabled_regions(backend: RegionsAndZonesBackend, region_names: list[str] | None = None) -> list[Any]:
        """The enabled regions; moto also lists those that are not opted in."""
        return [
            region
            for region in backend.regions
            if (region.name in region_names if region_names else region.opt_in_status != "not-opted-in")
        ]

    def source_security_group(balancer: LoadBalancer) -> dict[str, str]:
        """The first group of the load balancer; moto always returns `default`."""
        groups = [ec2.get_security_group_from_id(balancer.security_groups[0]) for ec2 in list(regions_of(balancer))]
        return {"OwnerAlias": balancer.account_id, "GroupName": next(group.name for group in groups if group)}

    def regions_of(balancer: LoadBalancer) -> Iterable[Any]:
        return ec2_backends[balancer.account_id].values()

    def create_load_balancer(backend: ELBBackend, name: str, *args: Any, **kwargs: Any) -> LoadBalancer:
        """With a unique DNS name; moto uses us-east-1 everywhere."""
        balancer = create(backend, name, *args, **kwargs)
        balancer.dns_name = dns_name(backend, name, balancer.scheme)
        return balancer

    def create_load_balancer_v2(backend: ELBv2Backend, name: str, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
        """With a unique DNS name, except for a gateway load balancer, which has neither DNS name nor scheme."""
        balancer = create_v2(backend, name, *args, **kwargs)
        balancer.dns_name = dns_name(backend, name, balancer.scheme)
        if balancer.type == "gateway":
            balancer.dns_name = balancer.scheme = balancer.canonical_hosted_zone_id = None  # type: ignore[assignment]
        return balancer

    def dns_name(backend: ELBBackend | ELBv2Backend, name: str, scheme: str | None) -> str:
        internal = "internal-" if scheme == "internal" else ""
        number = zlib.crc32(f"{backend.account_id}/{name}".encode())
        return f"{internal}{name}-{number}.{backend.region_name}.elb.amazonaws.com"

    def latest_restorable_time(database: DBCluster | DBInstance) -> datetime:
        """A fixed time; moto returns the current one, which differs in every response."""
        return database.created

    def describe_reserved_instances(response: ReservedInstances) -> ActionResult:
        """None, as in an account without any; moto returns an error."""
        return ActionResult({"ReservedInstances": []})

    def describe_snapshots(response: ElasticBlockStore) -> ActionResult:
        """Those of the owners, and of them the public ones if asked for; moto returns those of everybody."""
        owners, restorable_by = response._get_param("OwnerIds", []), response._get_param("RestorableByUserIds", [])
        own = [response.current_account if owner == "self" else owner for owner in owners]
        snapshots = response.ec2_backend.describe_snapshots(
            snapshot_ids=response._get_param("SnapshotIds", []), filters=response._filters_from_querystring()
        )
        return ActionResult(
            {
                "Snapshots": [
                    snapshot
                    for snapshot in snapshots
                    if (not own or snapshot.owner_id in own)
                    and (restorable_by != ["all"] or "all" in snapshot.create_volume_permission_groups)
                ]
            }
        )

    create, create_v2 = ELBBackend.create_load_balancer, ELBv2Backend.create_load_balancer
    RegionsAndZonesBackend.describe_regions = enabled_regions  # type: ignore[assignment,method-assign]
    LoadBalancer.source_security_group = property(source_security_group)  # type: ignore[assignment,method-assign]
    DBCluster.latest_restorable_time = property(latest_restorable_time)  # type: ignore[assignment,method-assign]
    DBInstance.latest_restorable_time = property(latest_restorable_time)  # type: ignore[assignment,method-assign]
    ReservedInstances.describe_reserved_instances = describe_reserved_instances  # type: ignore[assignment,method-assign]
    ElasticBlockStore.describe_snapshots = describe_snapshots  # type: ignore[assignment,method-assign]
    ELBBackend.create_load_balancer = create_load_balancer  # type: ignore[assignment,method-assign]
    ELBv2Backend.create_load_balancer = create_load_balancer_v2  # type: ignore[assignment,method-assign]
