"""The pages of rules: every one is listed here, and the list is all there is."""

from pykube_cp.registry import defaulting, validation
from pykube_cp.registry.rules import TypeRule
from pykube_cp.resources.rules import (admission_registration, api_service, container, cron_job, csi_driver, custom_resource_definition, daemon_set, deployment, endpoint_slice, endpoints, flow_control, horizontal_pod_autoscaler, ingress_class, job, limit_range, namespace, network_policy, node, object_field_selector, persistent_volume, persistent_volume_claim, pod, pod_spec, priority_class, probe, rbac, replica_set, replication_controller, resource_claim, resource_list, secret, service, stateful_set, storage_class, token_request, volume)

RULES: tuple[TypeRule, ...] = (
    *admission_registration.RULES,
    *api_service.RULES,
    *container.RULES,
    *cron_job.RULES,
    *csi_driver.RULES,
    *custom_resource_definition.RULES,
    *daemon_set.RULES,
    *deployment.RULES,
    *endpoint_slice.RULES,
    *endpoints.RULES,
    *flow_control.RULES,
    *horizontal_pod_autoscaler.RULES,
    *ingress_class.RULES,
    *job.RULES,
    *limit_range.RULES,
    *namespace.RULES,
    *network_policy.RULES,
    *node.RULES,
    *object_field_selector.RULES,
    *persistent_volume.RULES,
    *persistent_volume_claim.RULES,
    *pod.RULES,
    *pod_spec.RULES,
    *priority_class.RULES,
    *probe.RULES,
    *rbac.RULES,
    *replica_set.RULES,
    *replication_controller.RULES,
    *resource_claim.RULES,
    *resource_list.RULES,
    *secret.RULES,
    *service.RULES,
    *stateful_set.RULES,
    *storage_class.RULES,
    *token_request.RULES,
    *volume.RULES,
)


def install() -> None:
    """Let defaulting and validation follow these rules. The composition root does, once."""
    defaulting.use(RULES)
    validation.use(RULES)
