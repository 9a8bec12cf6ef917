"""What containers take from the volumes and the resource claims of their pod."""

from collections.abc import Collection, Mapping, Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, pod_volume_sources, pods
from pykube_cp.resources.shared.go_names import internal

_CLAIM = "io.k8s.api.core.v1.PodResourceClaim"

_PROPAGATIONS = ("Bidirectional", "HostToContainer", "None")
_RECURSIVE = ("Disabled", "Enabled", "IfPossible")

Volumes = Mapping[str, Object]


def check_volumes(
    volumes: Sequence[Object], pod_name: str, path: Path
) -> tuple[dict[str, Object], checks.Errors]:
    """Also answers the volumes that are right, by name. ``pod_name`` is empty in a template."""
    # upstream: pkg/apis/core/validation/validation.go ValidateVolumes
    made = {
        f"{pod_name}-{volume.get('name', '')}"
        for volume in volumes
        if pod_name and volume.get("ephemeral") is not None
    }
    found: checks.Errors = []
    right: dict[str, Object] = {}
    for position, volume in enumerate(volumes):
        name, where = volume.get("name") or "", path.index(position)
        wrong = pod_volume_sources.check(volume, where)
        if pod_name and name and volume.get("ephemeral") is not None:
            wrong += _claim_name(f"{pod_name}-{name}", name, where.child("name"))
        if name in right:
            wrong.append(FieldError.duplicate(where.child("name"), name))
        elif not wrong:
            right[name] = volume
        found += wrong
        claim = (volume.get("persistentVolumeClaim") or {}).get("claimName")
        if claim in made:
            text = "must not reference a PVC that gets created for an ephemeral volume"
            where = where.child("persistentVolumeClaim", "claimName")
            found.append(FieldError.invalid(where, claim, text))
    return right, found


def _claim_name(claim: str, name: str, path: Path) -> checks.Errors:
    texts = [f'PVC name "{claim}": {text}' for text in names.is_dns1123_subdomain(claim)]
    return checks.invalid(path, name, texts)


def check_mounts(container: Object, volumes: Volumes, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateVolumeMounts
    mounts, devices = container.get("volumeMounts") or [], container.get("volumeDevices") or []
    found = []
    seen: set[str] = set()
    device_names = {device.get("name") for device in devices}
    device_paths = {device.get("devicePath") for device in devices}
    for position, mount in enumerate(mounts):
        where = path.child("volumeMounts").index(position)
        found += _names_volume(mount, volumes, where)
        place = mount.get("mountPath") or ""
        found += checks.required(mount, where, "mountPath")
        if place in seen:
            found.append(FieldError.invalid(where.child("mountPath"), place, "must be unique"))
        seen.add(place)
        if mount.get("name") in device_names:
            text = "must not already exist in volumeDevices"
            found.append(FieldError.invalid(where.child("name"), mount.get("name"), text))
        if place in device_paths:
            text = "must not already exist as a path in volumeDevices"
            found.append(FieldError.invalid(where.child("mountPath"), place, text))
        found += _mount_options(mount, container, where, path.child("volumeMounts"))
    return found


def _names_volume(item: Object, volumes: Volumes, path: Path) -> checks.Errors:
    found = checks.required(item, path, "name")
    name = item.get("name") or ""
    if name not in volumes:
        found.append(FieldError.not_found(path.child("name"), name))
    return found


def _mount_options(mount: Object, container: Object, path: Path, mounts: Path) -> checks.Errors:
    """Errors go by the path of all mounts, as upstream's."""
    found = []
    if mount.get("subPath"):
        found += checks.relative_path(mount["subPath"], mounts.child("subPath"))
    if expression := mount.get("subPathExpr"):
        if mount.get("subPath"):
            text = "subPathExpr and subPath are mutually exclusive"
            found.append(FieldError.invalid(path.child("subPathExpr"), expression, text))
        found += checks.relative_path(expression, mounts.child("subPathExpr"))
    found += checks.optional(mount, mounts, "mountPropagation", _PROPAGATIONS)
    privileged = (container.get("securityContext") or {}).get("privileged")
    if mount.get("mountPropagation") == "Bidirectional" and not privileged:
        text = "Bidirectional mount propagation is available only to privileged containers"
        found.append(FieldError.forbidden(mounts.child("mountPropagation"), text))
    return found + _recursive(mount, mounts)


def _recursive(mount: Object, mounts: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateMountRecursiveReadOnly
    found = checks.optional(mount, mounts, "recursiveReadOnly", _RECURSIVE)
    if mount.get("recursiveReadOnly") not in {"Enabled", "IfPossible"}:
        return found
    where = mounts.child("recursiveReadOnly")
    if not mount.get("readOnly"):
        found.append(FieldError.forbidden(where, "may only be specified when readOnly is true"))
    if mount.get("mountPropagation") not in {None, "None"}:
        text = "may only be specified when mountPropagation is None or not specified"
        found.append(FieldError.forbidden(where, text))
    return found


def check_devices(container: Object, volumes: Volumes, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateVolumeDevices
    mounts = container.get("volumeMounts") or []
    taken = {mount.get("name") for mount in mounts}, {mount.get("mountPath") for mount in mounts}
    found = []
    seen_names: set[str] = set()
    seen_paths: set[str] = set()
    for position, device in enumerate(container.get("volumeDevices") or ()):
        where = path.child("volumeDevices").index(position)
        name, place = device.get("name") or "", device.get("devicePath") or ""
        found += _device(device, volumes, where)
        for field, value, seen, used, text in (
            ("name", name, seen_names, taken[0], "must not already exist in volumeMounts"),
            ("devicePath", place, seen_paths, taken[1], _PATH_TAKEN),
        ):
            if value in seen:
                found.append(FieldError.invalid(where.child(field), value, "must be unique"))
            if value in used:
                found.append(FieldError.invalid(where.child(field), value, text))
            seen.add(value)
    return found


_PATH_TAKEN = "must not already exist as a path in volumeMounts"


def _device(device: Object, volumes: Volumes, path: Path) -> checks.Errors:
    found = _names_volume(device, volumes, path)
    name, place = device.get("name") or "", device.get("devicePath") or ""
    volume = volumes.get(name)
    kinds = ("persistentVolumeClaim", "ephemeral")
    if volume is not None and not any(volume.get(kind) is not None for kind in kinds):
        text = (
            "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
        )
        found.append(FieldError.invalid(path.child("name"), name, text))
    found += checks.required(device, path, "devicePath")
    if ".." in place.split("/"):
        text = "can not contain backsteps ('..')"
        found.append(FieldError.invalid(path.child("devicePath"), place, text))
    return found


def check_file_keys(spec: Object, volumes: Volumes, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateFileKeyRefVolumes
    found = []
    for container, where in pods.containers_with_paths(spec, path):
        for position, variable in enumerate(container.get("env") or ()):
            reference = (variable.get("valueFrom") or {}).get("fileKeyRef")
            if reference is None:
                continue
            name = reference.get("volumeName") or ""
            place = where.child("env").index(position).child("valueFrom", "fileKeyRef")
            if name not in volumes:
                found.append(FieldError.not_found(place.child("volumeName"), name))
            elif volumes[name].get("emptyDir") is None:
                text = "referenced volume must be of type emptyDir"
                found.append(FieldError.invalid(place.child("volumeName"), name, text))
    return found


def check_claims(claims: Sequence[Object], path: Path) -> checks.Errors:
    """The resource claims of a pod."""
    # upstream: pkg/apis/core/validation/validation.go validatePodResourceClaim
    found = []
    seen: set[str] = set()
    fields = ("resourceClaimName", "resourceClaimTemplateName")
    for position, claim in enumerate(claims):
        where, name = path.index(position), claim.get("name") or ""
        if name in seen:
            found.append(FieldError.duplicate(where.child("name"), name))
        else:
            found += checks.must_name(claim, where, "name", names.is_dns1123_label)
        seen.add(name)
        given = [field for field in fields if claim.get(field) is not None]
        if len(given) > 1:
            text = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            )
            found.append(FieldError.invalid(where, internal(claim, _CLAIM), text))
        if not given:
            text = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            found.append(FieldError.invalid(where, internal(claim, _CLAIM), text))
        for field in given:
            found += checks.subdomain(claim[field], where.child(field))
    return found


def check_claim_names(
    claims: Sequence[Object], known: Collection[str], path: Path
) -> checks.Errors:
    """The claims that a container uses."""
    # upstream: pkg/apis/core/validation/validation.go validateResourceClaimNames
    found = []
    seen: set[tuple[str, str]] = set()
    for position, claim in enumerate(claims):
        where, name = path.index(position), claim.get("name") or ""
        request = claim.get("request") or ""
        if not name:
            found.append(FieldError.required(where))
        else:
            if request:
                found += checks.label(request, where.child("request"))
            found += _used_before(name, request, seen, where)
            seen.add((name, request))
        if name and name not in known:
            error = FieldError.not_found(where, name)
            shown = f": {', '.join(sorted(known))}" if known else " which is empty"
            error.detail = f"must be one of the names in pod.spec.resourceClaims{shown}"
            found.append(error)
    return found


def _used_before(
    name: str, request: str, seen: Collection[tuple[str, str]], path: Path
) -> checks.Errors:
    """A claim is used as a whole once, or each of its requests is."""
    if (name, "") in seen or (not request and any(name == used for used, _ in seen)):
        return [FieldError.duplicate(path, name)]
    if (name, request) in seen:
        return [FieldError.duplicate(path, f"{name}/{request}")]
    return []
