"""Columns of the core group; those of pods and events have pages of their own."""
# upstream: pkg/printers/internalversion/printers.go

from typing import Any

from pykube_cp.machinery.objects import Object, is_deleting, labels
from pykube_cp.machinery.volumes import class_of
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"
_ACCESS_MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}


# Component statuses, config maps, endpoints.


def _healthy(obj: Object) -> Object | None:
    found = (item for item in cells.items(obj, "conditions") if item.get("type") == "Healthy")
    return next(found, None)


def _component_status(obj: Object) -> str:
    found = _healthy(obj)
    if found is None:
        return "Unknown"
    return "Healthy" if found.get("status") == "True" else "Unhealthy"


def _component_message(obj: Object) -> str:
    return (_healthy(obj) or {}).get("message") or ""


def _component_error(obj: Object) -> str:
    return (_healthy(obj) or {}).get("error") or ""


COMPONENT_STATUS = (
    table.NAME,
    Column("Status", _component_status, description="Status of the component conditions"),
    Column("Message", _component_message, description="Message of the component conditions"),
    Column("Error", _component_error, description="Error of the component conditions"),
)


def _config_map_size(obj: Object) -> int:
    return len(obj.get("data") or ()) + len(obj.get("binaryData") or ())


CONFIG_MAP = (
    table.NAME,
    Column("Data", _config_map_size, described_by="core.v1.ConfigMap.data"),
    table.AGE,
)


def _endpoints(obj: Object) -> str:
    # upstream: formatEndpoints
    subsets = cells.items(obj, "subsets")
    if not subsets:
        return cells.NONE
    return cells.more([text for subset in subsets for text in _subset(subset)], 3)


def _subset(subset: Object) -> list[str]:
    addresses = [address.get("ip") or "" for address in subset.get("addresses") or ()]
    ports = subset.get("ports")
    if not ports:
        return addresses
    return [cells.host_port(ip, port.get("port", 0)) for port in ports for ip in addresses]


ENDPOINTS = (
    table.NAME,
    Column("Endpoints", _endpoints, described_by="core.v1.Endpoints.subsets"),
    table.AGE,
)


# Namespaces, secrets, service accounts.

NAMESPACE = (
    table.NAME,
    Column("Status", cells.at("status", "phase"), description="The status of the namespace"),
    table.AGE,
)

SECRET = (
    table.NAME,
    Column("Type", cells.at("type"), described_by="core.v1.Secret.type"),
    Column("Data", cells.count("data"), described_by="core.v1.Secret.data"),
    table.AGE,
)

SERVICE_ACCOUNT = (table.NAME, table.AGE)


# Nodes.


def _node_status(node: Object) -> str:
    ready = cells.conditions_by_type(node).get("Ready")
    status = "Unknown"
    if ready is not None:
        status = "Ready" if ready.get("status") == "True" else "NotReady"
    cordoned = (node.get("spec") or {}).get("unschedulable")
    return f"{status},SchedulingDisabled" if cordoned else status


def _node_roles(node: Object) -> str:
    # upstream: findNodeRoles
    roles = set()
    for key, value in labels(node).items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE:
            roles.add(value)
    return ",".join(sorted(roles - {""})) or cells.NONE


def _node_address(kind: str) -> cells.Value:
    def value(node: Object) -> str:
        for address in cells.items(node, "status", "addresses"):
            if address.get("type") == kind:
                return address.get("address") or ""
        return cells.NONE

    return value


def _kernel(node: Object) -> str:
    info = (node.get("status") or {}).get("nodeInfo") or {}
    version = info.get("kernelVersion") or table.UNKNOWN
    return f"{version} ({info['architecture']})" if info.get("architecture") else version


def _node_info(field: str) -> cells.Value:
    return cells.filled("status", "nodeInfo", field, default=table.UNKNOWN)


NODE = (
    table.NAME,
    Column("Status", _node_status, description="The status of the node"),
    Column("Roles", _node_roles, description="The roles of the node"),
    table.AGE,
    Column(
        "Version",
        cells.at("status", "nodeInfo", "kubeletVersion"),
        described_by="core.v1.NodeSystemInfo.kubeletVersion",
    ),
    Column(
        "Internal-IP",
        _node_address("InternalIP"),
        priority=1,
        described_by="core.v1.NodeStatus.addresses",
    ),
    Column(
        "External-IP",
        _node_address("ExternalIP"),
        priority=1,
        described_by="core.v1.NodeStatus.addresses",
    ),
    Column(
        "OS-Image", _node_info("osImage"), priority=1, described_by="core.v1.NodeSystemInfo.osImage"
    ),
    Column(
        "Kernel-Version", _kernel, priority=1, described_by="core.v1.NodeSystemInfo.kernelVersion"
    ),
    Column(
        "Container-Runtime",
        _node_info("containerRuntimeVersion"),
        priority=1,
        described_by="core.v1.NodeSystemInfo.containerRuntimeVersion",
    ),
)


# Persistent volumes and claims.


def _volume_phase(obj: Object) -> str:
    if is_deleting(obj):
        return "Terminating"
    return (obj.get("status") or {}).get("phase") or ""


def _access_modes(modes: Any) -> str:
    # upstream: pkg/apis/core/helper/helpers.go GetAccessModesAsString
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in modes)


def _capacity(volume: Object) -> str:
    return cells.quantity_text(((volume.get("spec") or {}).get("capacity") or {}).get("storage"))


def _claim(volume: Object) -> str:
    claim = (volume.get("spec") or {}).get("claimRef")
    if claim is None:
        return ""
    return f"{claim.get('namespace') or ''}/{claim.get('name') or ''}"


def _class_columns(kind: str) -> tuple[Column, Column]:
    return (
        Column("StorageClass", class_of, description=f"StorageClass of the {kind}"),
        Column(
            "VolumeAttributesClass",
            cells.at("spec", "volumeAttributesClassName", default=cells.UNSET),
            description=f"VolumeAttributesClass of the {kind}",
        ),
    )


def _volume_mode(kind: str) -> Column:
    said = f"core.v1.{kind}Spec.volumeMode"
    value = cells.at("spec", "volumeMode", default=cells.UNSET)
    return Column("VolumeMode", value, priority=1, described_by=said)


PERSISTENT_VOLUME = (
    table.NAME,
    Column("Capacity", _capacity, described_by="core.v1.PersistentVolumeSpec.capacity"),
    Column(
        "Access Modes",
        lambda obj: _access_modes(cells.items(obj, "spec", "accessModes")),
        described_by="core.v1.PersistentVolumeSpec.accessModes",
    ),
    Column(
        "Reclaim Policy",
        cells.at("spec", "persistentVolumeReclaimPolicy"),
        described_by="core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy",
    ),
    Column("Status", _volume_phase, described_by="core.v1.PersistentVolumeStatus.phase"),
    Column("Claim", _claim, described_by="core.v1.PersistentVolumeSpec.claimRef"),
    *_class_columns("pv"),
    Column(
        "Reason", cells.at("status", "reason"), described_by="core.v1.PersistentVolumeStatus.reason"
    ),
    table.AGE,
    _volume_mode("PersistentVolume"),
)


def _claim_capacity(claim: Object) -> str:
    if not (claim.get("spec") or {}).get("volumeName"):
        return ""
    return cells.quantity_text(((claim.get("status") or {}).get("capacity") or {}).get("storage"))


def _claim_modes(claim: Object) -> str:
    if not (claim.get("spec") or {}).get("volumeName"):
        return ""
    return _access_modes(cells.items(claim, "status", "accessModes"))


PERSISTENT_VOLUME_CLAIM = (
    table.NAME,
    Column("Status", _volume_phase, described_by="core.v1.PersistentVolumeClaimStatus.phase"),
    Column(
        "Volume",
        cells.at("spec", "volumeName"),
        described_by="core.v1.PersistentVolumeClaimSpec.volumeName",
    ),
    Column(
        "Capacity", _claim_capacity, described_by="core.v1.PersistentVolumeClaimStatus.capacity"
    ),
    Column(
        "Access Modes", _claim_modes, described_by="core.v1.PersistentVolumeClaimStatus.accessModes"
    ),
    *_class_columns("pvc"),
    table.AGE,
    _volume_mode("PersistentVolumeClaim"),
)


# Replication controllers and quotas.

REPLICATION_CONTROLLER = (
    table.NAME,
    Column(
        "Desired",
        cells.number("spec", "replicas"),
        type="integer",
        described_by="core.v1.ReplicationControllerSpec.replicas",
    ),
    Column(
        "Current",
        cells.number("status", "replicas"),
        type="integer",
        described_by="core.v1.ReplicationControllerStatus.replicas",
    ),
    Column(
        "Ready",
        cells.number("status", "readyReplicas"),
        type="integer",
        described_by="core.v1.ReplicationControllerStatus.readyReplicas",
    ),
    table.AGE,
    *cells.container_columns("spec", "template", "spec"),
    Column(
        "Selector",
        cells.labels_at("spec", "selector"),
        priority=1,
        described_by="core.v1.ReplicationControllerSpec.selector",
    ),
)


def _quota(*, limits: bool) -> cells.Value:
    def value(obj: Object) -> str:
        status = obj.get("status") or {}
        used, hard = status.get("used") or {}, status.get("hard") or {}
        return ", ".join(
            f"{name}: {cells.quantity_text(used.get(name))}/{cells.quantity_text(hard[name])}"
            for name in sorted(hard)
            if name.startswith("limits.") == limits
        )

    return value


RESOURCE_QUOTA = (
    table.NAME,
    Column(
        "Request",
        _quota(limits=False),
        description="Request represents a minimum amount of cpu/memory that a container may "
        "consume.",
    ),
    Column(
        "Limit",
        _quota(limits=True),
        description="Limits control the maximum amount of cpu/memory that a container may use "
        "independent of contention on the node.",
    ),
    table.AGE,
)


# Services.


def _cluster_ip(service: Object) -> str:
    found = cells.items(service, "spec", "clusterIPs")
    return str(found[0]) if found else cells.NONE


def _external_ip(service: Object) -> str:
    # upstream: getServiceExternalIP
    spec = service.get("spec") or {}
    external = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) if external else cells.NONE
        case "LoadBalancer":
            points = [*cells.load_balancer(service), *external]
            return ",".join(points) if points else "<pending>"
        case "ExternalName":
            return spec.get("externalName") or ""
        case _:
            pass
    return table.UNKNOWN


def _ports(service: Object) -> str:
    return ",".join(map(_port, cells.items(service, "spec", "ports"))) or cells.NONE


def _port(port: Object) -> str:
    node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port', 0)}{node_port}/{port.get('protocol') or ''}"


SERVICE = (
    table.NAME,
    Column("Type", cells.at("spec", "type"), described_by="core.v1.ServiceSpec.type"),
    Column("Cluster-IP", _cluster_ip, described_by="core.v1.ServiceSpec.clusterIP"),
    Column("External-IP", _external_ip, described_by="core.v1.ServiceSpec.externalIPs"),
    Column("Port(s)", _ports, described_by="core.v1.ServiceSpec.ports"),
    table.AGE,
    Column(
        "Selector",
        cells.labels_at("spec", "selector"),
        priority=1,
        described_by="core.v1.ServiceSpec.selector",
    ),
)
