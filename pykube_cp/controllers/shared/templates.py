"""Pod templates: when two are the same, their hash, and the pod that comes of one."""

from typing import Any

import orjson

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.objects import Object

POD_TEMPLATE_HASH = "pod-template-hash"
MAX_POD_NAME = 253
# Of these booleans false is the same as absent; of all others it is a choice of its own.
_PLAIN_BOOLEANS = frozenset(
    ("hostIPC", "hostNetwork", "hostPID", "readOnly", "stdin", "stdinOnce", "tty")
)
# Here an empty object is a choice, not an absence.
_MEANINGFUL_WHEN_EMPTY = frozenset(("emptyDir",))


def normalized(value: Any) -> Any:
    """``value`` without what a Go client would not have written: empty and null members."""
    if isinstance(value, dict):
        members = ((key, normalized(member)) for key, member in value.items())
        return {key: member for key, member in members if not _is_absent(key, member)}
    if isinstance(value, list):
        return [normalized(item) for item in value]
    return value


def _is_absent(key: str, value: Any) -> bool:
    if value is None or value in ("", []):
        return True
    if value == {}:
        return key not in _MEANINGFUL_WHEN_EMPTY
    return value is False and key in _PLAIN_BOOLEANS


def semantic_equal(one: Any, other: Any) -> bool:
    return bool(one == other or normalized(one) == normalized(other))


def canonical(value: Any) -> bytes:
    """Bytes that are equal for semantically equal values."""
    return orjson.dumps(normalized(value), option=orjson.OPT_SORT_KEYS)


def template_hash(template: Object, collision_count: int | None) -> str:
    """A short name for a template, safe in a label value.

    Upstream hashes a dump of its Go structure; which hash it is matters to nobody, only that it is
    stable, so this one is taken from canonical JSON.
    """
    data = canonical(template)
    if collision_count is not None:
        data += collision_count.to_bytes(8, "little")
    return names.safe_encode_string(str(names.fnv32a(data)))


def without_template_hash(template: Object) -> Object:
    meta = template.get("metadata") or {}
    labels = {k: v for k, v in (meta.get("labels") or {}).items() if k != POD_TEMPLATE_HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def equal_ignoring_hash(one: Object, other: Object) -> bool:
    # upstream: pkg/controller/deployment/util/deployment_util.go EqualIgnoreHash
    return semantic_equal(without_template_hash(one), without_template_hash(other))


def pod_from_template(template: Object, owner: Object, controller_ref: Object) -> Object:
    """A new pod as the template says, owned by ``owner`` and with a name generated from it."""
    # upstream: pkg/controller/controller_utils.go GetPodFromTemplate
    source = template.get("metadata") or {}
    meta: Object = {
        key: objects.deep_copy(source[key])
        for key in ("labels", "annotations", "finalizers")
        if source.get(key)
    }
    meta["generateName"] = pod_name_prefix(objects.name(owner))
    meta["ownerReferences"] = [*objects.deep_copy(source.get("ownerReferences") or [])]
    meta["ownerReferences"].append(controller_ref)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": objects.deep_copy(template.get("spec") or {}),
    }


def pod_name_prefix(owner_name: str) -> str:
    return f"{owner_name}-" if len(owner_name) < MAX_POD_NAME else owner_name


def int_or_percent(value: int | str | None, total: int, *, round_up: bool) -> int:
    """``value`` itself, or so many percent of ``total``; ``ValueError`` for anything else."""
    # upstream: apimachinery pkg/util/intstr/intstr.go GetScaledValueFromIntOrPercent
    if isinstance(value, int):
        return value
    if value is None:
        raise ValueError("nil value for IntOrString")
    if not value.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    share = int(value[:-1]) * total
    return -(-share // 100) if round_up else share // 100


def drop_zeros(status: Object, keep: tuple[str, ...] = ()) -> Object:
    """A status without counters and lists that Go leaves out when they are zero."""
    return {
        key: value
        for key, value in status.items()
        if key in keep or value not in (None, 0, "", [], {})
    }
