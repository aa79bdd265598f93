"""A small estate in a simulated AWS: one account, four regions, an example of every finding and its near miss.

estate = fill("http://127.0.0.1:5000")
estate.exposed_directly()      # ids of the instances that the graph must report as exposed
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from demo.buckets import fill_buckets
from demo.builder import Builder
from demo.identities import fill_identities
from demo.inventory import ACCOUNT, IMAGE, REGIONS, Estate, Region
from demo.regions import main_region, quiet_region, second_region, small_region


def fill(endpoint_url: str, *, account: str = ACCOUNT, regions: tuple[str, ...] = REGIONS) -> Estate:
    """Creates the estate, which must not exist in the account yet."""
    session = boto3.Session()

    def client(service: str, region: str = regions[0]) -> Any:
        return client_of(session, endpoint_url, account, service, region)

    estate = Estate(account, {name: Region(name) for name in regions})
    # All clients are created in one thread: boto3 sessions are not thread-safe.
    builders = [Builder(estate.regions[name], *(client(s, name) for s in ("ec2", "elb", "rds"))) for name in regions]
    s3, iam = client("s3", "us-east-1"), client("iam")
    with ThreadPoolExecutor(len(regions) + 2) as pool:
        shapes = (main_region, second_region, quiet_region, small_region)
        work = [pool.submit(shapes[min(i, 3)], builder) for i, builder in enumerate(builders)]
        work += [pool.submit(fill_buckets, s3, estate), pool.submit(fill_identities, iam, estate)]
        for done in work:
            done.result()
    return estate


def grow(endpoint_url: str, *, instances: int = 0, buckets: int = 0, account: str = ACCOUNT) -> None:
    """More resources, for benchmarks: instances in the default VPC of the first region, and private buckets."""
    ec2, s3 = (client_of(boto3.Session(), endpoint_url, account, service, REGIONS[0]) for service in ("ec2", "s3"))
    for start in range(0, instances, 100):
        count = min(100, instances - start)
        ec2.run_instances(ImageId=IMAGE, InstanceType="t3.micro", MinCount=count, MaxCount=count)
    for number in range(buckets):
        s3.create_bucket(Bucket=f"demo-grown-{account}-{number:06}")


def client_of(session: boto3.Session, endpoint_url: str, account: str, service: str, region: str) -> Any:
    return session.client(
        service,  # type: ignore[call-overload]
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=account,
        aws_secret_access_key="simulated",
        config=Config(retries={"mode": "standard", "total_max_attempts": 5}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Fills a simulated AWS with the demo's estate.")
    parser.add_argument("--endpoint", required=True, help="URL of the simulated AWS")
    started = time.monotonic()
    estate = fill(parser.parse_args().endpoint)
    regions = estate.regions.values()
    print(
        f"account {estate.account}: {sum(len(r.instances) for r in regions)} instances, "
        f"{sum(len(r.groups) for r in regions)} security groups, {sum(len(r.databases) for r in regions)} databases, "
        f"{sum(len(r.load_balancers) for r in regions)} load balancers in {len(regions)} regions, "
        f"{len(estate.buckets)} buckets, {len(estate.roles)} roles, {len(estate.users)} users "
        f"({time.monotonic() - started:.1f} s)"
    )


if __name__ == "__main__":
    main()
