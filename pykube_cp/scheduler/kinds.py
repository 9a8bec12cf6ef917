"""Resources that the scheduler reads and writes."""

from pykube_cp.machinery.gvk import GVR

NAMESPACES = GVR("", "v1", "namespaces")
NODES = GVR("", "v1", "nodes")
PERSISTENT_VOLUMES = GVR("", "v1", "persistentvolumes")
PERSISTENT_VOLUME_CLAIMS = GVR("", "v1", "persistentvolumeclaims")
PODS = GVR("", "v1", "pods")
REPLICATION_CONTROLLERS = GVR("", "v1", "replicationcontrollers")
SERVICES = GVR("", "v1", "services")

REPLICA_SETS = GVR("apps", "v1", "replicasets")
STATEFUL_SETS = GVR("apps", "v1", "statefulsets")

POD_DISRUPTION_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")

CSI_DRIVERS = GVR("storage.k8s.io", "v1", "csidrivers")
CSI_NODES = GVR("storage.k8s.io", "v1", "csinodes")
CSI_STORAGE_CAPACITIES = GVR("storage.k8s.io", "v1", "csistoragecapacities")
STORAGE_CLASSES = GVR("storage.k8s.io", "v1", "storageclasses")
VOLUME_ATTACHMENTS = GVR("storage.k8s.io", "v1", "volumeattachments")

WATCHED = (
    NAMESPACES,
    NODES,
    PERSISTENT_VOLUMES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    REPLICATION_CONTROLLERS,
    SERVICES,
    REPLICA_SETS,
    STATEFUL_SETS,
    POD_DISRUPTION_BUDGETS,
    CSI_DRIVERS,
    CSI_NODES,
    CSI_STORAGE_CAPACITIES,
    STORAGE_CLASSES,
    VOLUME_ATTACHMENTS,
)
