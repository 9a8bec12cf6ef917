"""The plugins that are on by default, in upstream's order, and those that can be switched on."""
# upstream: pkg/kubeapiserver/options/plugins.go AllOrderedPlugins

from collections.abc import Sequence

from pykube_cp.admission.interface import Plugin
from pykube_cp.admission.plugins import (
    certificate_approval,
    certificate_signing,
    certificate_subject_restriction,
    cluster_trust_bundle_attest,
    default_ingress_class,
    default_storage_class,
    default_toleration_seconds,
    limit_ranger,
    namespace_lifecycle,
    node_restriction,
    persistent_volume_claim_resize,
    pod_priority,
    pod_resize,
    pod_topology_labels,
    resource_quota,
    runtime_class,
    service_account,
    storage_object_in_use_protection,
    taint_nodes_by_condition,
)

PLUGINS = (
    namespace_lifecycle.NamespaceLifecycle,
    limit_ranger.LimitRanger,
    service_account.ServiceAccount,
    node_restriction.NodeRestriction,
    taint_nodes_by_condition.TaintNodesByCondition,
    pod_priority.Priority,
    default_toleration_seconds.DefaultTolerationSeconds,
    default_storage_class.DefaultStorageClass,
    storage_object_in_use_protection.StorageObjectInUseProtection,
    persistent_volume_claim_resize.PersistentVolumeClaimResize,
    runtime_class.RuntimeClass,
    certificate_approval.CertificateApproval,
    certificate_signing.CertificateSigning,
    cluster_trust_bundle_attest.ClusterTrustBundleAttest,
    certificate_subject_restriction.CertificateSubjectRestriction,
    default_ingress_class.DefaultIngressClass,
    pod_topology_labels.PodTopologyLabels,
    pod_resize.PodResizeValidator,
    resource_quota.ResourceQuota,
)
"""In order. NodeRestriction is on here, as under kubeadm: kubelets are the reason to run this."""


def build(disabled: Sequence[str] = ()) -> list[Plugin]:
    """Fresh plugins, without those that are disabled."""
    return [plugin() for plugin in PLUGINS if plugin.name not in disabled]
