"""Columns of networking.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery import selectors
from pykube_cp.machinery.objects import Object, annotations, name
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_DEFAULT_CLASS = "ingressclass.kubernetes.io/is-default-class"


def _hosts(ingress: Object) -> str:
    # upstream: formatHosts
    rules = cells.items(ingress, "spec", "rules")
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == 3:
            return f"{','.join(hosts)} + {len(rules) - 3} more..."
        if rule.get("host"):
            hosts.append(rule["host"])
    return ",".join(hosts) or "*"


def _ports(ingress: Object) -> str:
    return "80, 443" if cells.items(ingress, "spec", "tls") else "80"


def _address(ingress: Object) -> str:
    return ",".join(cells.load_balancer(ingress))


INGRESS = (
    table.NAME,
    Column(
        "Class",
        cells.at("spec", "ingressClassName", default=cells.NONE),
        description="The name of the IngressClass resource that should be used for additional "
        "configuration",
    ),
    Column(
        "Hosts",
        _hosts,
        description="Hosts that incoming requests are matched against before the ingress rule",
    ),
    Column(
        "Address",
        _address,
        description="Address is a list containing ingress points for the load-balancer",
    ),
    Column("Ports", _ports, description="Ports of TLS configurations that open"),
    table.AGE,
)


def _class_name(obj: Object) -> str:
    is_default = annotations(obj).get(_DEFAULT_CLASS) == "true"
    return f"{name(obj)} (default)" if is_default else name(obj)


def _parameters(obj: Object) -> str:
    found = (obj.get("spec") or {}).get("parameters")
    if found is None:
        return cells.NONE
    group = found.get("apiGroup")
    kind = found.get("kind") or ""
    return f"{kind if group is None else f'{kind}.{group}'}/{found.get('name') or ''}"


INGRESS_CLASS = (
    Column(
        "Name",
        _class_name,
        format="name",
        described_by="meta.v1.ObjectMeta.name",
    ),
    Column(
        "Controller",
        cells.at("spec", "controller"),
        description="Controller that is responsible for handling this class",
    ),
    Column(
        "Parameters",
        _parameters,
        description="A reference to a resource with additional parameters",
    ),
    table.AGE,
)


def _pod_selector(obj: Object) -> str:
    return selectors.format_label_selector((obj.get("spec") or {}).get("podSelector") or {})


NETWORK_POLICY = (
    table.NAME,
    Column(
        "Pod-Selector", _pod_selector, described_by="networking.v1.NetworkPolicySpec.podSelector"
    ),
    table.AGE,
)


def _parent(obj: Object) -> str:
    parent = (obj.get("spec") or {}).get("parentRef")
    if parent is None:
        return cells.NONE
    kind = cells.group_resource(parent.get("group") or "", parent.get("resource") or "").lower()
    namespace = f"/{parent['namespace']}" if parent.get("namespace") else ""
    return f"{kind}{namespace}/{parent.get('name') or ''}"


IP_ADDRESS = (
    table.NAME,
    Column("ParentRef", _parent, described_by="networking.v1.IPAddressSpec.parentRef"),
    # Upstream has this cell without a head.
    Column("", table.AGE.value),
)

SERVICE_CIDR = (
    table.NAME,
    Column(
        "CIDRs", cells.joined("spec", "cidrs"), described_by="networking.v1.ServiceCIDRSpec.cidrs"
    ),
    table.AGE,
)
