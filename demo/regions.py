"""The four regions of the demo's estate. The first has the most, the third no exposure."""

from __future__ import annotations

from demo.builder import Builder, allow
from demo.inventory import ANYWHERE, ANYWHERE_V6, GONE, INTERNAL, OFFICE


def main_region(build: Builder) -> None:
    build.vpc("production", "10.0.0.0/16", "10.1.0.0/16")
    build.subnet("public-a", "production", "10.0.0.0/24", "a", public=True)
    build.subnet("public-b", "production", "10.0.1.0/24", "b", public=True)
    build.subnet("private-a", "production", "10.0.10.0/24", "a")
    build.subnet("private-b", "production", "10.1.11.0/24", "b")
    _main_groups(build)
    _main_instances(build)
    _main_load_balancers(build)
    _main_databases(build)
    build.ec2.stop_instances(InstanceIds=[build.region.instances["stopped"]])
    build.ec2.terminate_instances(InstanceIds=[build.region.instances["terminated"]])
    build.region.exposed_directly += ["bastion", "web-1", "web-2", "web-ipv6", "legacy", "two-faces", "app-both"]
    build.region.exposed_by_elb += ["app-1", "app-2", "app-both"]
    build.region.exposed_load_balancers += ["storefront"]


def _main_groups(build: Builder) -> None:
    build.group("bastion", "production", allow(ANYWHERE, ports=22))
    build.group("web", "production", allow(ANYWHERE, ANYWHERE_V6, ports=443))
    build.group("web-ipv6-only", "production", allow(ANYWHERE_V6, ports=443), allow(OFFICE, ports=443))
    build.group("everything", "production", allow(ANYWHERE, ports=None))
    build.group("balancers", "production", allow(ANYWHERE, ports=443), allow(ANYWHERE, ports=80))
    build.group("admin-port", "production", allow(ANYWHERE, ports=(9000, 9100)), allow(OFFICE, ports=443))
    build.group(
        "internal", "production", allow(*INTERNAL, ports=(8000, 8999)), allow(*INTERNAL, ports=-1, protocol="icmp")
    )
    build.group("databases", "production", allow(*INTERNAL[:2], ports=5432))
    build.group("office", "production", allow(OFFICE, ports=(1, 65535)))


def _main_instances(build: Builder) -> None:
    build.instances(("bastion",), "public-a", "bastion")
    build.instances(("web-1", "web-2"), "public-b", "web", "internal")
    build.instances(("web-ipv6",), "public-b", "web-ipv6-only")
    build.ipv6("web-ipv6", 0, "2600:1f18:0:b::10")
    build.instances(("legacy",), "public-a", "everything")
    build.instances(("two-faces",), "public-a", "internal")
    build.interface("second-face", "two-faces", "public-a", "web")
    build.ipv6("two-faces", 1, "2600:1f18:0:a::10")  # the first interface has an address too, in a closed group
    build.instances(("app-1", "app-2"), "private-a", "internal")
    build.instances(("app-both",), "public-b", "web")
    build.instances(("backoffice-1",), "private-b", "internal")
    build.instances(("admin-1",), "private-b", "internal")
    build.instances(("office-only",), "public-a", "office")
    build.instances(("open-but-private",), "private-a", "bastion")
    build.instances(("worker-1", "worker-2", "worker-3"), "private-b", "internal", "databases")
    build.instances(("stopped", "terminated"), "public-a", "bastion")


def _main_load_balancers(build: Builder) -> None:
    build.load_balancer(
        "storefront",
        {443: "TCP", 80: "HTTP"},
        subnets=("public-a", "public-b"),
        groups=("balancers", "internal"),
        instances=("app-1", "app-2", "app-both"),
    )
    build.elb.register_instances_with_load_balancer(LoadBalancerName="storefront", Instances=[{"InstanceId": GONE}])
    build.load_balancer(
        "backoffice",
        {80: "HTTP"},
        subnets=("private-b",),
        groups=("balancers",),
        instances=("backoffice-1",),
        internal=True,
    )
    build.load_balancer(  # the internet can only reach ports without a listener
        "admin", {443: "TCP"}, subnets=("public-a",), groups=("admin-port",), instances=("admin-1",)
    )
    build.load_balancer("empty", {443: "TCP"}, subnets=("public-a",), groups=("office",))


def _main_databases(build: Builder) -> None:
    build.subnet_group("production", "private-a", "private-b")
    build.subnet_group("reachable", "public-a", "public-b")
    build.database("orders", "production", "databases", encrypted=True)
    build.replica("orders-replica", "orders")
    build.database("reports", "production", "databases", encrypted=False)
    build.database("legacy-crm", "reachable", "everything", encrypted=False, public=True)


def second_region(build: Builder) -> None:
    build.vpc("production", "10.2.0.0/16")
    build.subnet("public-a", "production", "10.2.0.0/24", "a", public=True)
    build.subnet("private-a", "production", "10.2.10.0/24", "a")
    build.subnet("private-b", "production", "10.2.11.0/24", "b")
    build.group("balancers", "production", allow(ANYWHERE, ports=None))  # a rule without ports means all ports
    build.group("internal", "production", allow(*INTERNAL, ports=(8000, 8999)))
    build.group("web", "production", allow(ANYWHERE, ports=(80, 443)))
    build.instances(("api-1", "api-2"), "private-a", "internal")
    build.instances(("web-1",), "public-a", "web")
    build.instances(("worker-1",), "private-b", "internal")
    build.load_balancer("api", {443: "TCP"}, subnets=("public-a",), groups=("balancers",), instances=("api-1", "api-2"))
    build.subnet_group("production", "private-a", "private-b")
    build.database("sessions", "production", "internal", encrypted=True)
    build.region.exposed_directly += ["web-1"]
    build.region.exposed_by_elb += ["api-1", "api-2"]
    build.region.exposed_load_balancers += ["api"]


def quiet_region(build: Builder) -> None:
    build.vpc("staging", "10.3.0.0/16")
    build.subnet("private-a", "staging", "10.3.10.0/24", "a")
    build.subnet("private-b", "staging", "10.3.11.0/24", "b")
    build.group("internal", "staging", allow(*INTERNAL, ports=(8000, 8999)))
    build.group("unused-but-open", "staging", allow(ANYWHERE, ports=22))
    build.instances(("staging-1", "staging-2"), "private-a", "internal")
    build.load_balancer(
        "staging", {80: "HTTP"}, subnets=("private-a",), groups=("internal",), instances=("staging-1",), internal=True
    )
    build.subnet_group("staging", "private-a", "private-b")
    build.database("staging", "staging", "internal", encrypted=False)


def small_region(build: Builder) -> None:
    build.vpc("edge", "10.4.0.0/16")
    build.subnet("public-a", "edge", "10.4.0.0/24", "a", public=True)
    build.subnet("public-b", "edge", "10.4.1.0/24", "b", public=True)
    build.group("ssh", "edge", allow(ANYWHERE, ports=22))
    build.instances(("edge-1",), "public-a", "ssh")
    build.subnet_group("edge", "public-a", "public-b")
    build.database("edge-cache", "edge", "ssh", encrypted=True)
    build.region.exposed_directly += ["edge-1"]
