#!/usr/bin/env bash
# moto 5.2.5: an interface that is attached to an instance takes over the instance's security groups, beside its own.
#
# In EC2 a second interface keeps exactly the groups that it has: an instance's interfaces differ in who may reach them.
# A test of that difference against moto passes for the wrong reason, or fails for none.
#
# Seen:
#   before it is attached: ['second']
#   after:                 ['first', 'second']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "moto[ec2]==5.2.5" boto3==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
import boto3
from moto import mock_aws

with mock_aws():
    ec2 = boto3.client("ec2", "eu-west-1")
    subnet = ec2.describe_subnets()["Subnets"][0]
    groups = {
        name: ec2.create_security_group(GroupName=name, Description=name, VpcId=subnet["VpcId"])["GroupId"]
        for name in ("first", "second")
    }
    instance = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet["SubnetId"], SecurityGroupIds=[groups["first"]]
    )["Instances"][0]["InstanceId"]
    interface = ec2.create_network_interface(SubnetId=subnet["SubnetId"], Groups=[groups["second"]])
    id_ = interface["NetworkInterface"]["NetworkInterfaceId"]

    def named() -> list[str]:
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=[id_])["NetworkInterfaces"][0]["Groups"]
        return sorted(group["GroupName"] for group in found)

    before = named()
    ec2.attach_network_interface(NetworkInterfaceId=id_, InstanceId=instance, DeviceIndex=1)
    print("before it is attached:", before)
    print("after:                ", named())
    assert before == ["second"]
    assert named() == ["first", "second"]
PYTHON
