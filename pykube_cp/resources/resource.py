"""Rows of resource.k8s.io."""

import re

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.declarative import Declarations
from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import resource as columns
from pykube_cp.resources.conversions import resource as conversions
from pykube_cp.resources.conversions import versions
from pykube_cp.resources.shared import selectable
from pykube_cp.resources.strategies import devices

_FLAT = "deviceClassName|selectors|allocationMode|count|adminAccess|tolerations|derivedAttributes"
_DECLARATIONS = Declarations(
    options={"DRAPartitionableDevicesType": False},
    renamed=(
        # upstream: pkg/apis/resource/validation/validation.go ResourceNormalizationRules
        (
            re.compile(rf"spec\.devices\.requests\[(\d+)\]\.({_FLAT})"),
            r"spec.devices.requests[\1].exactly.\2",
        ),
        (
            re.compile(rf"spec\.spec\.devices\.requests\[(\d+)\]\.({_FLAT})"),
            r"spec.spec.devices.requests[\1].exactly.\2",
        ),
        (re.compile(r"spec\.devices\[(\d+)\]\.basic\."), r"spec.devices[\1]."),
    ),
)

DEVICE_CLASS_V1 = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="DeviceClass",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    columns=columns.DEVICE_CLASS,
    strategy=devices.DeviceClassStrategy(),
    storage_version_hash="Yk2PTc1Ybxk=",
    declarations=_DECLARATIONS,
)

DEVICE_TAINT_RULE_V1 = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="DeviceTaintRule",
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=(status(devices.DeviceTaintRuleStatusStrategy(), has_table=False),),
    columns=columns.DEVICE_TAINT_RULE,
    strategy=devices.DeviceTaintRuleStrategy(),
    storage_version_hash="i+85+TcIKpA=",
    declarations=_DECLARATIONS,
)

RESOURCE_CLAIM_V1 = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaim",
    plural="resourceclaims",
    singular="resourceclaim",
    subresources=(status(devices.ResourceClaimStatusStrategy(), has_table=False),),
    columns=columns.RESOURCE_CLAIM,
    strategy=devices.ResourceClaimStrategy(),
    storage_version_hash="wgAZaHcZxUg=",
    declarations=_DECLARATIONS,
)

RESOURCE_CLAIM_TEMPLATE_V1 = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    columns=columns.RESOURCE_CLAIM_TEMPLATE,
    strategy=devices.ResourceClaimTemplateStrategy(),
    storage_version_hash="TuzjC49aUfM=",
    declarations=_DECLARATIONS,
)

RESOURCE_SLICE_V1 = Resource(
    group="resource.k8s.io",
    version="v1",
    kind="ResourceSlice",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    columns=columns.RESOURCE_SLICE,
    selectable_fields=selectable.RESOURCE_SLICE,
    not_selectable="field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {}",
    strategy=devices.ResourceSliceStrategy(),
    storage_version_hash="KsC072WgaEY=",
    declarations=_DECLARATIONS,
)

DEVICE_TAINT_RULE_V1ALPHA3 = Resource(
    group="resource.k8s.io",
    version="v1alpha3",
    kind="DeviceTaintRule",
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=(status(devices.OlderDeviceTaintRuleStatusStrategy(), has_table=False),),
    columns=columns.DEVICE_TAINT_RULE,
    strategy=devices.OlderDeviceTaintRuleStrategy(),
    storage_version_hash="i+85+TcIKpA=",
    stored_as=GVR("resource.k8s.io", "v1", "devicetaintrules"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1alpha3"),
    served_by_default=False,
)

RESOURCE_POOL_STATUS_REQUEST = Resource(
    group="resource.k8s.io",
    version="v1alpha3",
    kind="ResourcePoolStatusRequest",
    plural="resourcepoolstatusrequests",
    singular="resourcepoolstatusrequest",
    namespaced=False,
    subresources=(status(devices.ResourcePoolStatusRequestStatusStrategy(), has_table=False),),
    columns=columns.RESOURCE_POOL_STATUS_REQUEST,
    strategy=devices.ResourcePoolStatusRequestStrategy(),
    storage_version_hash="iy583CtMwdY=",
    served_by_default=False,
    declarations=_DECLARATIONS,
)

DEVICE_CLASS_V1BETA1 = Resource(
    group="resource.k8s.io",
    version="v1beta1",
    kind="DeviceClass",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    columns=columns.DEVICE_CLASS,
    strategy=devices.DeviceClassStrategy(),
    storage_version_hash="Yk2PTc1Ybxk=",
    stored_as=GVR("resource.k8s.io", "v1", "deviceclasses"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta1"),
    served_by_default=False,
)

RESOURCE_CLAIM_V1BETA1 = Resource(
    group="resource.k8s.io",
    version="v1beta1",
    kind="ResourceClaim",
    plural="resourceclaims",
    singular="resourceclaim",
    subresources=(status(devices.ResourceClaimStatusStrategy(), has_table=False),),
    columns=columns.RESOURCE_CLAIM,
    strategy=devices.ResourceClaimStrategy(),
    storage_version_hash="wgAZaHcZxUg=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceclaims"),
    conversion=conversions.CLAIM,
    served_by_default=False,
)

RESOURCE_CLAIM_TEMPLATE_V1BETA1 = Resource(
    group="resource.k8s.io",
    version="v1beta1",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    columns=columns.RESOURCE_CLAIM_TEMPLATE,
    strategy=devices.ResourceClaimTemplateStrategy(),
    storage_version_hash="TuzjC49aUfM=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceclaimtemplates"),
    conversion=conversions.CLAIM_TEMPLATE,
    served_by_default=False,
)

RESOURCE_SLICE_V1BETA1 = Resource(
    group="resource.k8s.io",
    version="v1beta1",
    kind="ResourceSlice",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    columns=columns.RESOURCE_SLICE,
    selectable_fields=selectable.RESOURCE_SLICE,
    not_selectable="field label not supported for resource.k8s.io/v1beta1, Kind=ResourceSlice: {}",
    strategy=devices.ResourceSliceStrategy(),
    storage_version_hash="KsC072WgaEY=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceslices"),
    conversion=conversions.SLICE,
    served_by_default=False,
)

DEVICE_CLASS_V1BETA2 = Resource(
    group="resource.k8s.io",
    version="v1beta2",
    kind="DeviceClass",
    plural="deviceclasses",
    singular="deviceclass",
    namespaced=False,
    columns=columns.DEVICE_CLASS,
    strategy=devices.DeviceClassStrategy(),
    storage_version_hash="Yk2PTc1Ybxk=",
    stored_as=GVR("resource.k8s.io", "v1", "deviceclasses"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta2"),
    served_by_default=False,
)

DEVICE_TAINT_RULE_V1BETA2 = Resource(
    group="resource.k8s.io",
    version="v1beta2",
    kind="DeviceTaintRule",
    plural="devicetaintrules",
    singular="devicetaintrule",
    namespaced=False,
    subresources=(status(devices.OlderDeviceTaintRuleStatusStrategy(), has_table=False),),
    columns=columns.DEVICE_TAINT_RULE,
    strategy=devices.OlderDeviceTaintRuleStrategy(),
    storage_version_hash="i+85+TcIKpA=",
    stored_as=GVR("resource.k8s.io", "v1", "devicetaintrules"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta2"),
    served_by_default=False,
)

RESOURCE_CLAIM_V1BETA2 = Resource(
    group="resource.k8s.io",
    version="v1beta2",
    kind="ResourceClaim",
    plural="resourceclaims",
    singular="resourceclaim",
    subresources=(status(devices.ResourceClaimStatusStrategy(), has_table=False),),
    columns=columns.RESOURCE_CLAIM,
    strategy=devices.ResourceClaimStrategy(),
    storage_version_hash="wgAZaHcZxUg=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceclaims"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta2"),
    served_by_default=False,
)

RESOURCE_CLAIM_TEMPLATE_V1BETA2 = Resource(
    group="resource.k8s.io",
    version="v1beta2",
    kind="ResourceClaimTemplate",
    plural="resourceclaimtemplates",
    singular="resourceclaimtemplate",
    columns=columns.RESOURCE_CLAIM_TEMPLATE,
    strategy=devices.ResourceClaimTemplateStrategy(),
    storage_version_hash="TuzjC49aUfM=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceclaimtemplates"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta2"),
    served_by_default=False,
)

RESOURCE_SLICE_V1BETA2 = Resource(
    group="resource.k8s.io",
    version="v1beta2",
    kind="ResourceSlice",
    plural="resourceslices",
    singular="resourceslice",
    namespaced=False,
    columns=columns.RESOURCE_SLICE,
    selectable_fields=selectable.RESOURCE_SLICE,
    not_selectable="field label not supported for resource.k8s.io/v1beta2, Kind=ResourceSlice: {}",
    strategy=devices.ResourceSliceStrategy(),
    storage_version_hash="KsC072WgaEY=",
    stored_as=GVR("resource.k8s.io", "v1", "resourceslices"),
    conversion=versions.between("resource.k8s.io/v1", "resource.k8s.io/v1beta2"),
    served_by_default=False,
)

RESOURCES = (
    DEVICE_CLASS_V1,
    DEVICE_TAINT_RULE_V1,
    RESOURCE_CLAIM_V1,
    RESOURCE_CLAIM_TEMPLATE_V1,
    RESOURCE_SLICE_V1,
    DEVICE_TAINT_RULE_V1ALPHA3,
    RESOURCE_POOL_STATUS_REQUEST,
    DEVICE_CLASS_V1BETA1,
    RESOURCE_CLAIM_V1BETA1,
    RESOURCE_CLAIM_TEMPLATE_V1BETA1,
    RESOURCE_SLICE_V1BETA1,
    DEVICE_CLASS_V1BETA2,
    DEVICE_TAINT_RULE_V1BETA2,
    RESOURCE_CLAIM_V1BETA2,
    RESOURCE_CLAIM_TEMPLATE_V1BETA2,
    RESOURCE_SLICE_V1BETA2,
)
