"""References from a pod to its own fields and resources."""

from collections.abc import Sequence

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_LABELS = frozenset(
    {
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
        "spec.host",
    }
)
_SUBSCRIPTED = ("metadata.annotations", "metadata.labels")
_RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
_HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
_BYTES = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
_DIVISORS = {
    "cpu": (("1m", "1"), "1m and 1 are supported with the cpu resource"),
    "memory": (_BYTES, f"{', '.join(_BYTES)} are supported with the memory resource"),
    "ephemeral-storage": (
        _BYTES,
        f"{', '.join(_BYTES)} are supported with the local ephemeral storage resource",
    ),
    "hugepages": (_BYTES, f"{', '.join(_BYTES)} are supported with the hugepages resource"),
}


def check_field(selector: Object, path: Path, allowed: Sequence[str]) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateObjectFieldSelector
    missing = checks.required(selector, path, "apiVersion", "fieldPath")
    if missing:
        return missing[:1]
    wanted, where = selector["fieldPath"], path.child("fieldPath")
    name, subscript = _split(wanted)
    if wrong := _unknown(selector["apiVersion"], name, wanted, is_plain=subscript is None):
        return [FieldError.invalid(where, wanted, f"error converting fieldPath: {wrong}")]
    if subscript is not None:
        is_annotation = name == "metadata.annotations"
        return checks.qualified(subscript.lower() if is_annotation else subscript, path)
    return checks.supported("spec.nodeName" if name == "spec.host" else name, where, allowed)


def _split(text: str) -> tuple[str, str | None]:
    """``metadata.labels['a']`` is a name and a subscript."""
    if text.endswith("']"):
        name, opened, subscript = text.removesuffix("']").partition("['")
        if name and opened:
            return name, subscript
    return text, None


def _unknown(version: str, name: str, wanted: str, *, is_plain: bool) -> str:
    # upstream: pkg/apis/core/pods/helpers.go ConvertDownwardAPIFieldLabel
    if version != "v1":
        return f"unsupported pod version: {version}"
    if is_plain:
        return "" if name in _LABELS else f"field label not supported: {wanted}"
    if name in _SUBSCRIPTED:
        return ""
    return f"field label does not support subscript: {wanted}"


def check_resource(selector: Object, path: Path, *, of_volume: bool) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateContainerResourceFieldSelector
    found = []
    resource = selector.get("resource") or ""
    if of_volume and not selector.get("containerName"):
        found.append(FieldError.required(path.child("containerName")))
    elif not resource:
        found.append(FieldError.required(path.child("resource")))
    elif not resource.startswith(_HUGE_PAGES):
        found += checks.supported(resource, path.child("resource"), _RESOURCES)
    return found + _divisor(resource, selector.get("divisor"), path.child("divisor"))


def _divisor(resource: str, divisor: str | int | None, path: Path) -> checks.Errors:
    amount = checks.quantity(divisor or 0)
    kind = resource.partition(".")[2]
    allowed = _DIVISORS.get("hugepages" if kind.startswith("hugepages-") else kind)
    if amount is None or amount.is_zero() or allowed is None or str(amount) in allowed[0]:
        return []
    return [FieldError.invalid(path, resource, f"only divisor's values {allowed[1]}")]
