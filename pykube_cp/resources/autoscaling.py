"""Rows of autoscaling."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import Resource, status
from pykube_cp.registry.strategy import StatusStrategy
from pykube_cp.resources.columns import autoscaling as columns
from pykube_cp.resources.conversions import autoscaling as hpa_conversion
from pykube_cp.resources.strategies import policies

HORIZONTAL_POD_AUTOSCALER_V1 = Resource(
    group="autoscaling",
    version="v1",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=(status(StatusStrategy()),),
    columns=columns.HORIZONTAL_POD_AUTOSCALER,
    strategy=policies.HorizontalPodAutoscalerStrategy(),
    storage_version_hash="qwQve8ut294=",
    stored_as=GVR("autoscaling", "v2", "horizontalpodautoscalers"),
    conversion=hpa_conversion.HORIZONTAL_POD_AUTOSCALER,
    hidden_annotations=hpa_conversion.ROUND_TRIP,
)

HORIZONTAL_POD_AUTOSCALER_V2 = Resource(
    group="autoscaling",
    version="v2",
    kind="HorizontalPodAutoscaler",
    plural="horizontalpodautoscalers",
    singular="horizontalpodautoscaler",
    short_names=("hpa",),
    categories=("all",),
    subresources=(status(StatusStrategy()),),
    columns=columns.HORIZONTAL_POD_AUTOSCALER,
    strategy=policies.HorizontalPodAutoscalerStrategy(),
    storage_version_hash="qwQve8ut294=",
)

RESOURCES = (
    HORIZONTAL_POD_AUTOSCALER_V1,
    HORIZONTAL_POD_AUTOSCALER_V2,
)
