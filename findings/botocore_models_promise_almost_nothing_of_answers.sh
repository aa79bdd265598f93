#!/usr/bin/env bash
# botocore 1.40.61: of the 1,292 structures in EC2's answers two say which of their members are always there.
#
# `required` in the models is about what a caller must send. In answers IAM, Route 53 and others say it as well; EC2, RDS and
# Secrets Manager don't: not even InstanceId, GroupId or a secret's ARN is promised. A generated client whose types follow
# `required` takes every field of these services for optional; one that reads it as "else it is there" is wrong of all.
#
# Seen:
#   ec2             1292 structures in answers, 2 with required members
#   rds              249 structures in answers, 2 with required members
#   secretsmanager    29 structures in answers, 0 with required members
#   route53          108 structures in answers, 79 with required members
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check botocore==1.40.61
"$folder/venv/bin/python" - <<'PYTHON'
from botocore.loaders import Loader
from botocore.model import ServiceModel


def walk(shape, seen):
    if shape is None or shape.name in seen:
        return
    seen[shape.name] = shape
    inner = {"structure": lambda: shape.members.values(), "list": lambda: [shape.member], "map": lambda: [shape.value]}
    for one in inner.get(shape.type_name, list)():
        walk(one, seen)


found = {}
for service in ("ec2", "rds", "secretsmanager", "route53"):
    model, seen = ServiceModel(Loader().load_service_model(service, "service-2"), service), {}
    for name in model.operation_names:
        walk(model.operation_model(name).output_shape, seen)
    structures = [shape for shape in seen.values() if shape.type_name == "structure"]
    found[service] = (len(structures), sum(bool(shape.required_members) for shape in structures))
    print(f"{service:14} {found[service][0]:5} structures in answers, {found[service][1]} with required members")
assert found["ec2"][0] > 1000 and found["ec2"][1] < 5 and found["secretsmanager"][1] == 0, found
assert found["route53"][1] > 50, found
PYTHON
