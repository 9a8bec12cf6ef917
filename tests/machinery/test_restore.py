"""Free JSON that becomes a typed object by way of upstream's converter."""

from typing import Any

import pytest

from pykube_cp.machinery import restore, schema
from pykube_cp.machinery.gvk import GVK

DEPLOYMENT = schema.type_of(GVK("apps", "v1", "Deployment"))
SECRET = schema.type_of(GVK("", "v1", "Secret"))


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (3.0, 3),
        ((1 << 31) + 1, -(1 << 31) + 1),
        (1 << 32, 0),
        (-(1 << 31) - 1, (1 << 31) - 1),
    ],
)
def test_numbers_take_the_width_of_their_field(given: float, made: int) -> None:
    obj, unknown = restore.normalize({"spec": {"replicas": given}}, DEPLOYMENT, strict=True)
    assert (obj["spec"]["replicas"], unknown) == (made, [])


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"replicas": 1.5}, "cannot convert float64 to int32"),
        ({"replicas": "1"}, "unrecognized type: int32"),
        ({"paused": 1}, "unrecognized type: bool"),
        ({"strategy": {"type": 1}}, "cannot convert int64 to v1.DeploymentStrategyType"),
        ({"strategy": {"type": True}}, "unrecognized type: string"),
        ({"template": []}, "cannot restore struct from: slice"),
        ({"template": {"spec": {"containers": {}}}}, "cannot restore slice from map"),
        ({"selector": {"matchLabels": "x"}}, "cannot restore map from string"),
    ],
)
def test_what_does_not_fit_is_told_in_the_words_of_the_converter(
    spec: dict[str, Any], text: str
) -> None:
    with pytest.raises(restore.RestoreError) as caught:
        restore.normalize({"spec": spec}, DEPLOYMENT, strict=False)
    assert str(caught.value) == text


def test_bytes_are_base64_or_a_list_of_numbers() -> None:
    with pytest.raises(restore.RestoreError, match="error decoding from json: illegal base64"):
        restore.normalize({"data": {"a": "?"}}, SECRET, strict=False)
    assert restore.restore({"data": {"a": [300]}}, SECRET) == {"data": {"a": [44]}}


def test_unknown_fields_are_sorted() -> None:
    _, unknown = restore.normalize({"z": 1, "spec": {"b": 1}, "a": 1}, DEPLOYMENT, strict=True)
    assert unknown == ['unknown field "a"', 'unknown field "spec.b"', 'unknown field "z"']
