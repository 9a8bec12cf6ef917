"""Rows of networking.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import networking as columns
from pykube_cp.resources.shared.spec_and_status import KeptMetaStatusStrategy
from pykube_cp.resources.strategies import cluster, policies

INGRESS_CLASS = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="IngressClass",
    plural="ingressclasses",
    singular="ingressclass",
    namespaced=False,
    columns=columns.INGRESS_CLASS,
    strategy=policies.IngressClassStrategy(),
    storage_version_hash="l/iqIbDgFyQ=",
)

INGRESS = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="Ingress",
    plural="ingresses",
    singular="ingress",
    short_names=("ing",),
    subresources=(status(policies.IngressStatusStrategy()),),
    columns=columns.INGRESS,
    strategy=policies.IngressStrategy(),
    storage_version_hash="39NQlfNR+bo=",
)

IP_ADDRESS = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="IPAddress",
    plural="ipaddresses",
    singular="ipaddress",
    namespaced=False,
    short_names=("ip",),
    columns=columns.IP_ADDRESS,
    strategy=cluster.IPAddressStrategy(),
    storage_version_hash="3f/plJFChNE=",
)

NETWORK_POLICY = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="NetworkPolicy",
    plural="networkpolicies",
    singular="networkpolicy",
    short_names=("netpol",),
    columns=columns.NETWORK_POLICY,
    strategy=policies.NetworkPolicyStrategy(),
    storage_version_hash="YpfwF18m1G8=",
)

SERVICE_CIDR = Resource(
    group="networking.k8s.io",
    version="v1",
    kind="ServiceCIDR",
    plural="servicecidrs",
    singular="servicecidr",
    namespaced=False,
    subresources=(status(KeptMetaStatusStrategy()),),
    columns=columns.SERVICE_CIDR,
    strategy=cluster.ServiceCIDRStrategy(),
    storage_version_hash="gNLvruQhW2g=",
)

RESOURCES = (
    INGRESS_CLASS,
    INGRESS,
    IP_ADDRESS,
    NETWORK_POLICY,
    SERVICE_CIDR,
)
