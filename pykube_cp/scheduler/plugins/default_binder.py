"""Binds pods through the API."""

# upstream: pkg/scheduler/framework/plugins/defaultbinder/default_binder.go

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import BindPlugin, CycleState, Status
from pykube_cp.scheduler.kinds import PODS
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.retry import with_retries


class DefaultBinder(BindPlugin):
    """By the ``binding`` subresource."""

    name = "DefaultBinder"

    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        binding: Object = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
            "target": {"kind": "Node", "name": node},
        }
        await with_retries(
            lambda: self.handle.client.create(
                PODS, binding, pod.namespace, name=pod.name, subresource="binding"
            )
        )
        return None
