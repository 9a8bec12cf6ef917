"""Lists whose elements may lack the keys that tell them apart."""

import pytest

from pykube_cp.machinery import schema
from pykube_cp.machinery.apply import keyless
from pykube_cp.machinery.apply.fields import FieldsError
from pykube_cp.machinery.gvk import GVK

ACCOUNT = schema.type_of(GVK("", "v1", "ServiceAccount"))
SCHEMA = schema.type_of(GVK("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"))
POD = schema.type_of(GVK("", "v1", "Pod"))


def test_an_element_without_its_keys_is_told_with_its_place() -> None:
    with pytest.raises(FieldsError, match=r"^\.secrets: .* omits all key fields"):
        keyless.check(ACCOUNT, {"secrets": [{"name": "a"}, {"namespace": "b"}]})
    with pytest.raises(FieldsError, match=r"^\.status\.conditions: .* omits all key fields"):
        keyless.check(SCHEMA, {"status": {"conditions": [{"status": "True"}]}})


def test_what_has_keys_or_defaults_of_them_passes() -> None:
    keyless.check(ACCOUNT, {"secrets": [{"name": "a"}], "imagePullSecrets": [{}]})
    keyless.check(POD, {"spec": {"imagePullSecrets": [{}], "containers": [{"name": "c"}]}})
