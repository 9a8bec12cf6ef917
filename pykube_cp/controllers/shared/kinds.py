"""Names of the resources and kinds that controllers work with."""

from pykube_cp.machinery.gvk import GVK, GVR

CONFIG_MAPS = GVR("", "v1", "configmaps")
EVENTS = GVR("", "v1", "events")
NAMESPACES = GVR("", "v1", "namespaces")
PERSISTENT_VOLUME_CLAIMS = GVR("", "v1", "persistentvolumeclaims")
PODS = GVR("", "v1", "pods")
REPLICATION_CONTROLLERS = GVR("", "v1", "replicationcontrollers")
RESOURCE_QUOTAS = GVR("", "v1", "resourcequotas")
SECRETS = GVR("", "v1", "secrets")
SERVICE_ACCOUNTS = GVR("", "v1", "serviceaccounts")

CONTROLLER_REVISIONS = GVR("apps", "v1", "controllerrevisions")
DAEMON_SETS = GVR("apps", "v1", "daemonsets")
DEPLOYMENTS = GVR("apps", "v1", "deployments")
REPLICA_SETS = GVR("apps", "v1", "replicasets")
STATEFUL_SETS = GVR("apps", "v1", "statefulsets")

CRON_JOBS = GVR("batch", "v1", "cronjobs")
JOBS = GVR("batch", "v1", "jobs")

POD_DISRUPTION_BUDGETS = GVR("policy", "v1", "poddisruptionbudgets")
CLUSTER_ROLES = GVR("rbac.authorization.k8s.io", "v1", "clusterroles")

CRON_JOB = GVK("batch", "v1", "CronJob")
DAEMON_SET = GVK("apps", "v1", "DaemonSet")
DEPLOYMENT = GVK("apps", "v1", "Deployment")
JOB = GVK("batch", "v1", "Job")
POD = GVK("", "v1", "Pod")
REPLICATION_CONTROLLER = GVK("", "v1", "ReplicationController")
REPLICA_SET = GVK("apps", "v1", "ReplicaSet")
STATEFUL_SET = GVK("apps", "v1", "StatefulSet")
