"""Rows of admissionregistration.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import admissionregistration as columns
from pykube_cp.resources.conversions import versions
from pykube_cp.resources.strategies import admission

MUTATING_ADMISSION_POLICY_V1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.MUTATING_ADMISSION_POLICY,
    strategy=admission.MutatingPolicyStrategy(),
    storage_version_hash="mHCkTKpUTrE=",
)

MUTATING_ADMISSION_POLICY_BINDING_V1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.ADMISSION_POLICY_BINDING,
    strategy=admission.MutatingBindingStrategy(),
    storage_version_hash="ZKgZT1uTmZ0=",
)

MUTATING_WEBHOOK_CONFIGURATION = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    singular="mutatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.WEBHOOK_CONFIGURATION,
    strategy=admission.WebhookConfigurationStrategy(),
    storage_version_hash="Sqi0GUgDaX0=",
)

VALIDATING_ADMISSION_POLICY = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    singular="validatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(status(admission.ValidatingPolicyStatusStrategy()),),
    columns=columns.VALIDATING_ADMISSION_POLICY,
    strategy=admission.ValidatingPolicyStrategy(),
    storage_version_hash="6OxvlMmQ6is=",
)

VALIDATING_ADMISSION_POLICY_BINDING = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingAdmissionPolicyBinding",
    plural="validatingadmissionpolicybindings",
    singular="validatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.ADMISSION_POLICY_BINDING,
    strategy=admission.PolicyBindingStrategy(),
    storage_version_hash="v9715VZqakg=",
)

VALIDATING_WEBHOOK_CONFIGURATION = Resource(
    group="admissionregistration.k8s.io",
    version="v1",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
    singular="validatingwebhookconfiguration",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.WEBHOOK_CONFIGURATION,
    strategy=admission.WebhookConfigurationStrategy(),
    storage_version_hash="B0wHjQmsGNk=",
)

MUTATING_ADMISSION_POLICY_V1ALPHA1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1alpha1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.MUTATING_ADMISSION_POLICY,
    strategy=admission.MutatingPolicyStrategy(),
    storage_version_hash="mHCkTKpUTrE=",
    stored_as=GVR("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies"),
    conversion=versions.between(
        "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1alpha1"
    ),
    served_by_default=False,
)

MUTATING_ADMISSION_POLICY_BINDING_V1ALPHA1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1alpha1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.ADMISSION_POLICY_BINDING,
    strategy=admission.MutatingBindingStrategy(),
    storage_version_hash="ZKgZT1uTmZ0=",
    stored_as=GVR("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings"),
    conversion=versions.between(
        "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1alpha1"
    ),
    served_by_default=False,
)

MUTATING_ADMISSION_POLICY_V1BETA1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1beta1",
    kind="MutatingAdmissionPolicy",
    plural="mutatingadmissionpolicies",
    singular="mutatingadmissionpolicy",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.MUTATING_ADMISSION_POLICY,
    strategy=admission.MutatingPolicyStrategy(),
    storage_version_hash="mHCkTKpUTrE=",
    stored_as=GVR("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies"),
    conversion=versions.between(
        "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"
    ),
    served_by_default=False,
)

MUTATING_ADMISSION_POLICY_BINDING_V1BETA1 = Resource(
    group="admissionregistration.k8s.io",
    version="v1beta1",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
    singular="mutatingadmissionpolicybinding",
    namespaced=False,
    categories=("api-extensions",),
    columns=columns.ADMISSION_POLICY_BINDING,
    strategy=admission.MutatingBindingStrategy(),
    storage_version_hash="ZKgZT1uTmZ0=",
    stored_as=GVR("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicybindings"),
    conversion=versions.between(
        "admissionregistration.k8s.io/v1", "admissionregistration.k8s.io/v1beta1"
    ),
    served_by_default=False,
)

RESOURCES = (
    MUTATING_ADMISSION_POLICY_V1,
    MUTATING_ADMISSION_POLICY_BINDING_V1,
    MUTATING_WEBHOOK_CONFIGURATION,
    VALIDATING_ADMISSION_POLICY,
    VALIDATING_ADMISSION_POLICY_BINDING,
    VALIDATING_WEBHOOK_CONFIGURATION,
    MUTATING_ADMISSION_POLICY_V1ALPHA1,
    MUTATING_ADMISSION_POLICY_BINDING_V1ALPHA1,
    MUTATING_ADMISSION_POLICY_V1BETA1,
    MUTATING_ADMISSION_POLICY_BINDING_V1BETA1,
)
