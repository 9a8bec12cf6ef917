"""Rows of authentication.k8s.io."""

from pykube_cp.registry.resource import CREATE_ONLY, Resource

SELF_SUBJECT_REVIEW = Resource(
    group="authentication.k8s.io",
    version="v1",
    kind="SelfSubjectReview",
    plural="selfsubjectreviews",
    singular="selfsubjectreview",
    namespaced=False,
    verbs=CREATE_ONLY,
)

TOKEN_REVIEW = Resource(
    group="authentication.k8s.io",
    version="v1",
    kind="TokenReview",
    plural="tokenreviews",
    singular="tokenreview",
    namespaced=False,
    verbs=CREATE_ONLY,
)

RESOURCES = (
    SELF_SUBJECT_REVIEW,
    TOKEN_REVIEW,
)
