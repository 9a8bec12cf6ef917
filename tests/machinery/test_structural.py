from typing import Any

import pytest

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.strict_errors import message

POD = GVK("", "v1", "Pod")
SERVICE = GVK("", "v1", "Service")
LEASE = GVK("coordination.k8s.io", "v1", "Lease")
DEPLOYMENT = GVK("apps", "v1", "Deployment")
CRD = GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")


def normalized(kind: GVK, **members: Any) -> dict[str, Any]:
    return structural.normalize(members, schema.type_of(kind), strict=False)[0]


def refused(kind: GVK, **members: Any) -> str:
    with pytest.raises(DecodeError) as caught:
        normalized(kind, **members)
    return str(caught.value)


def test_zero_values_are_written_where_go_writes_them() -> None:
    assert structural.zero(schema.type_of(DEPLOYMENT)) == {
        "metadata": {},
        "spec": {
            "selector": None,
            "strategy": {},
            "template": {"metadata": {}, "spec": {"containers": None}},
        },
        "status": {},
    }
    assert structural.zero(schema.type_of(SERVICE))["status"] == {"loadBalancer": {}}


def test_empty_values_fall_away_where_go_omits_them() -> None:
    pod = normalized(
        POD,
        metadata={"labels": {}, "finalizers": [], "namespace": "", "generation": 0},
        spec={"containers": [], "securityContext": {}, "hostNetwork": False, "priority": 0},
    )
    assert pod["metadata"] == {}
    # A pointer to an empty value is a value.
    assert pod["spec"] == {"containers": None, "securityContext": {}, "priority": 0}


def test_kinds_stored_as_json_keep_their_empty_lists() -> None:
    crd = normalized(CRD, spec={"versions": []})
    assert crd["spec"]["versions"] == []
    assert crd["status"] == {
        "conditions": None,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": None,
    }


def test_lists_keep_empty_items() -> None:
    assert normalized(GVK("", "v1", "PodList"), items=[])["items"] == []


def test_times_quantities_and_base64_take_their_one_form() -> None:
    pod = normalized(
        POD,
        metadata={"creationTimestamp": "2026-01-01T01:02:03.999+02:00"},
        spec={"containers": [{"name": "c", "resources": {"limits": {"cpu": "1000m", "m": 0.5}}}]},
        status={"conditions": [{"type": "Ready", "status": "True", "lastProbeTime": None}]},
    )
    assert pod["metadata"]["creationTimestamp"] == "2025-12-31T23:02:03Z"
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1", "m": "500m"}
    assert pod["status"]["conditions"][0]["lastProbeTime"] is None
    secret = normalized(GVK("", "v1", "Secret"), data={"a": "aGVs\nbG8=", "b": None})
    assert secret["data"] == {"a": "aGVsbG8=", "b": ""}
    lease = normalized(LEASE, spec={"renewTime": "2026-01-01T01:00:00.123456+01:00"})
    assert lease["spec"]["renewTime"] == "2026-01-01T00:00:00.123456Z"


def test_null_elements_become_zero_values() -> None:
    pod = normalized(POD, metadata={"labels": {"a": None}}, spec={"containers": [None]})
    assert pod["metadata"]["labels"] == {"a": ""}
    assert pod["spec"]["containers"] == [{"name": "", "resources": {}}]


@pytest.mark.parametrize(
    ("kind", "members", "text"),
    [
        (
            POD,
            {"spec": {"containers": [{"name": 1}]}},
            (
                "json: cannot unmarshal number into Go struct field Container.spec.containers.name"
                " of type string"
            ),
        ),
        (
            POD,
            {"spec": {"volumes": [{"hostPath": "x"}]}},
            (
                "json: cannot unmarshal string into Go struct field"
                " Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource"
            ),
        ),
        (
            POD,
            {"spec": {"restartPolicy": {}}},
            (
                "json: cannot unmarshal object into Go struct field PodSpec.spec.restartPolicy"
                " of type v1.RestartPolicy"
            ),
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": 1.5}},
            (
                "json: cannot unmarshal number 1.5 into Go struct field"
                " DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            DEPLOYMENT,
            {"spec": {"replicas": 1 << 40}},
            (
                "json: cannot unmarshal number 1099511627776 into Go struct field"
                " DeploymentSpec.spec.replicas of type int32"
            ),
        ),
        (
            POD,
            {"metadata": {"labels": {"a": True}}},
            (
                "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels"
                " of type string"
            ),
        ),
        (
            POD,
            {"metadata": {"creationTimestamp": "yesterday"}},
            (
                'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00":'
                ' cannot parse "yesterday" as "2006"'
            ),
        ),
        (
            POD,
            {"metadata": {"creationTimestamp": "2026-02-30T00:00:00Z"}},
            'parsing time "2026-02-30T00:00:00Z": day out of range',
        ),
        (
            LEASE,
            {"spec": {"renewTime": "2026-01-01T00:00:00Z"}},
            (
                'parsing time "2026-01-01T00:00:00Z" as "2006-01-02T15:04:05.000000Z07:00":'
                ' cannot parse "Z" as ".000000"'
            ),
        ),
        (
            GVK("", "v1", "Secret"),
            {"data": {"a": "aG*="}},
            "illegal base64 data at input byte 2",
        ),
        (
            CRD,
            {"spec": {"versions": [{"schema": {"openAPIV3Schema": {"additionalProperties": 1}}}]}},
            "boolean or JSON schema expected",
        ),
    ],
)
def test_wrong_values_are_refused_in_gos_words(
    kind: GVK, members: dict[str, Any], text: str
) -> None:
    assert refused(kind, **members) == text


def strict(kind: GVK, body: bytes) -> list[str]:
    obj = json.loads_noticing_duplicates(body)
    return structural.normalize(obj, schema.type_of(kind), strict=True)[1]


def test_strict_errors_stand_in_the_order_of_the_body() -> None:
    body = b"""{"kind": "Pod", "spec": {"bar": 1, "hostNetwork": true, "hostNetwork": false,
        "containers": [{"name": "a", "naem": "b", "resources": {"limits": {"cpu": 1, "cpu": 2}}}]},
        "metadata": {"labels": {"x": "1", "x": "2"}}}"""
    errors = strict(POD, body)
    assert errors == [
        'unknown field "spec.bar"',
        'duplicate field "spec.hostNetwork"',
        'unknown field "spec.containers[0].naem"',
        'duplicate field "spec.containers[0].resources.limits.cpu"',
        'duplicate field "metadata.labels.x"',
    ]
    assert message(errors[:2]) == (
        'strict decoding error: unknown field "spec.bar", duplicate field "spec.hostNetwork"'
    )


def test_what_looks_like_a_duplicate_inside_text_is_none() -> None:
    assert strict(POD, b'{"metadata": {"annotations": {"a": "{\\"a\\":1,\\"a\\" :2}"}}}') == []


def test_unknown_fields_are_dropped_and_unreported_when_lenient() -> None:
    obj, errors = structural.normalize({"foo": 1}, schema.type_of(POD), strict=False)
    assert "foo" not in obj
    assert errors == []


def test_strictness_ends_where_upstream_decodes_anew() -> None:
    body = b"""{"spec": {"versions": [{"schema": {"openAPIV3Schema":
        {"bad": 1, "items": {"bad": 1, "type": "string"}}}}]}}"""
    assert strict(CRD, body) == ['unknown field "spec.versions[0].schema.openAPIV3Schema.bad"']


def test_normalizing_is_idempotent_and_leaves_its_input_alone() -> None:
    given = {"spec": {"containers": [{"name": "c", "args": ["x"], "ports": []}], "x": 1}}
    first, _ = structural.normalize(given, schema.type_of(POD), strict=False)
    assert given["spec"]["x"] == 1
    second, _ = structural.normalize(first, schema.type_of(POD), strict=True)
    assert second == first


def test_deep_schemas_are_refused_not_crashed_on() -> None:
    deep: dict[str, Any] = {}
    for _ in range(2000):
        deep = {"not": deep}
    versions = [{"schema": {"openAPIV3Schema": deep}}]
    assert refused(CRD, spec={"versions": versions}) == "exceeded max depth"
