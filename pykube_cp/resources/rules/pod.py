"""Pod, and its status."""
# upstream: pkg/apis/core/v1/defaults.go SetDefaults_Pod

from pykube_cp.machinery import objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, pod_annotations


def _default_pod(pod: Object, _ctx: RuleContext) -> None:
    """What pods get and pod templates do not."""
    spec = pod.setdefault("spec", {})
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for field in ("containers", "initContainers"):
        for container in spec.get(field) or ():
            _default_requests(container.get("resources") or {})
            if spec.get("hostNetwork"):
                _default_host_ports(container)
    if spec.get("enableServiceLinks") is None:
        spec["enableServiceLinks"] = True


def _default_requests(resources: Object) -> None:
    """Requests that are not given equal the limits."""
    limits = resources.get("limits")
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}


def _default_host_ports(container: Object) -> None:
    for port in container.get("ports") or ():
        if not port.get("hostPort") and port.get("containerPort"):
            port["hostPort"] = port["containerPort"]


def _default_status(status: Object, _ctx: RuleContext) -> None:
    """Keep the one address and the list of addresses in step."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PodStatus
    address, addresses = status.get("podIP"), status.get("podIPs")
    if address and (not addresses or addresses[0].get("ip") != address):
        status["podIPs"] = [{"ip": address}]
    elif addresses and not address:
        status["podIP"] = addresses[0].get("ip", "")


def _validate(pod: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """What is asked of pods and not of templates."""
    # upstream: pkg/apis/core/validation/validation.go validatePodMetadataAndSpec
    if _is_as_before(pod, ctx):
        return []
    where = path.child("metadata", "annotations")
    return pod_annotations.check(objects.annotations(pod), pod.get("spec") or {}, where)


def _validate_rest(pod: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if _is_as_before(pod, ctx):
        return []
    spec, where = pod.get("spec") or {}, path.child("spec")
    annotations = objects.annotations(pod)
    found = _tokens(spec, where.child("volumes"))
    found += checks.nonnegative(spec, where, "terminationGracePeriodSeconds")
    if pod_annotations.MIRROR in annotations and spec.get("resourceClaims"):
        text = "static pods do not support resource claims"
        found.append(FieldError.forbidden(Path(""), text))
    for field in ("containers", "initContainers", "ephemeralContainers"):
        for position, container in enumerate(spec.get(field) or ()):
            image = container.get("image") or ""
            if image != image.strip():
                text = "must not have leading or trailing whitespace"
                place = where.child(field).index(position).child("image")
                found.append(FieldError.invalid(place, image, text))
    if ctx.old is None:
        found += pod_annotations.check_fields(annotations, spec, where)
    return found


def _is_as_before(pod: Object, ctx: RuleContext) -> bool:
    return ctx.old is not None and _judged(pod) == _judged(ctx.old)


def _judged(pod: Object) -> tuple[Object, dict[str, str]]:
    return pod.get("spec") or {}, objects.annotations(pod)


def _tokens(spec: Object, path: Path) -> checks.Errors:
    """Without an account there are no tokens."""
    if spec.get("serviceAccountName"):
        return []
    found = []
    for position, volume in enumerate(spec.get("volumes") or ()):
        for number, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
            if source.get("serviceAccountToken") is not None:
                where = path.index(position).child("projected", "sources").index(number)
                text = "must not be specified when serviceAccountName is not set"
                place = where.child("serviceAccountToken")
                found.append(FieldError.forbidden(place, text))
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.core.v1.Pod",
        default=_default_pod,
        validate=_validate,
        order=("spec", _validate_rest),
    ),
    TypeRule(type="io.k8s.api.core.v1.PodStatus", default=_default_status),
)
