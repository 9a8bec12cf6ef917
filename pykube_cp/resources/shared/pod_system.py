"""What a pod wants of the operating system and of the host that it runs on."""

from collections.abc import Iterator

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, pods

_SYSTEMS = ("linux", "windows")
_NOT_WINDOWS = "cannot be set for a windows pod"
_NOT_LINUX = "windows options cannot be set for a linux pod"
_POD_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
_CONTAINER_CONTEXT = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
_SIGNALS_OF_WINDOWS = ("SIGKILL", "SIGTERM")
_IPC = frozenset({"kernel.sem", "kernel.shm", "kernel.msg"}) | {
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
}


def check_shared(spec: Object, path: Path) -> checks.Errors:
    found = _sysctls(spec, path.child("securityContext", "sysctls"))
    if spec.get("shareProcessNamespace") and spec.get("hostPID"):
        text = "ShareProcessNamespace and HostPID cannot both be enabled"
        found.append(FieldError.invalid(path.child("shareProcessNamespace"), True, text))
    return found


def check_host(spec: Object, path: Path) -> checks.Errors:
    return _host_process(spec, path) + _host_users(spec, path)


def check_host_network(spec: Object, path: Path, *, is_pod: bool) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validatePodHostNetworkDeps
    if not spec.get("hostNetwork"):
        return []
    found = []
    for position, container in enumerate(spec.get("containers") or ()):
        for number, port in enumerate(container.get("ports") or ()):
            given, wanted = port.get("hostPort") or 0, port.get("containerPort") or 0
            if (is_pod or given) and given != wanted:
                where = path.index(position).child("ports").index(number).child("hostPort")
                text = "must match `containerPort` when `hostNetwork` is true"
                found.append(FieldError.invalid(where, given, text))
    return found


def _sysctls(spec: Object, path: Path) -> checks.Errors:
    """What is not the pod's own it cannot set."""
    # upstream: pkg/apis/core/validation/validation.go ValidateHostSysctl
    found = []
    sysctls = (spec.get("securityContext") or {}).get("sysctls") or ()
    for position, sysctl in enumerate(sysctls):
        name = sysctl.get("name") or ""
        where = path.index(position).child("name")
        plain = name.replace("/", ".")
        if spec.get("hostNetwork") and plain.startswith("net."):
            text = "may not be specified when 'hostNetwork' is true"
            found.append(FieldError.invalid(where, name, text))
        elif spec.get("hostIPC") and (plain in _IPC or plain.startswith("fs.mqueue.")):
            text = "may not be specified when 'hostIPC' is true"
            found.append(FieldError.invalid(where, name, text))
    return found


def _host_users(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateHostUsers
    if spec.get("hostUsers") is not False:
        return []
    text = "when `hostUsers` is false"
    shown = {"hostNetwork": "hostNetwork", "hostPID": "HostPID", "hostIPC": "HostIPC"}
    found = [
        FieldError.forbidden(path.child(name), text)
        for field, name in shown.items()
        if spec.get(field)
    ]
    for container, where in pods.containers_with_paths(spec, path):
        if container.get("volumeDevices"):
            found.append(FieldError.forbidden(where.child("volumeDevices"), text))
    return found


def _host_process(spec: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateWindowsHostProcessPod
    general = _is_host_process(spec)
    found = []
    kinds = []
    for container, where in pods.containers_with_paths(spec, path):
        own = _is_host_process(container)
        if general is not None and own is not None and general != own:
            shown = str(general).lower()
            text = f"pod hostProcess value must be identical if both are specified, was {shown}"
            place = where.child("securityContext", "windowsOptions", "hostProcess")
            found.append(FieldError.invalid(place, own, text))
        kinds.append(general if own is None else own)
    if not any(kinds):
        return found
    if not all(kinds):
        text = (
            "If pod contains any hostProcess containers then all containers must be HostProcess "
            "containers"
        )
        found.append(FieldError.invalid(path, "", text))
    if not spec.get("hostNetwork"):
        text = "hostNetwork must be true if pod contains any hostProcess containers"
        found.append(FieldError.invalid(path.child("hostNetwork"), False, text))
    return found


def _is_host_process(holder: Object) -> bool | None:
    options = (holder.get("securityContext") or {}).get("windowsOptions") or {}
    value: bool | None = options.get("hostProcess")
    return value


def check_system(spec: Object, path: Path) -> checks.Errors:
    system = spec.get("os")
    found = _signals(spec, path)
    if system is None:
        return found
    name = system.get("name") or ""
    if not name:
        return [*found, FieldError.required(path.child("os", "name"))]
    if name == "linux":
        return found + list(_linux(spec, path))
    if name == "windows":
        return found + list(_windows(spec, path))
    return [*found, FieldError.not_supported(path.child("os"), name, _SYSTEMS)]


def _signals(spec: Object, path: Path) -> checks.Errors:
    """A field of the pod's that drops out while its feature is off."""
    # upstream: pkg/apis/core/validation/validation.go validateStopSignal
    system = spec.get("os")
    found = []
    for container, where in pods.containers_with_paths(spec, path):
        signal = (container.get("lifecycle") or {}).get("stopSignal")
        if signal is None:
            continue
        place = where.child("lifecycle", "stopSignal")
        if system is None:
            text = "may not be set for containers with empty `spec.os.name`"
            found.append(FieldError.forbidden(place, text))
        elif system.get("name") == "windows":
            found += checks.supported(signal, place, _SIGNALS_OF_WINDOWS)
    return found


def _linux(spec: Object, path: Path) -> Iterator[FieldError]:
    for holder, where in _holders(spec, path):
        if holder.get("windowsOptions") is not None:
            yield FieldError.forbidden(where.child("windowsOptions"), _NOT_LINUX)


def _windows(spec: Object, path: Path) -> Iterator[FieldError]:
    for holder, where in _holders(spec, path):
        is_pod = where == path.child("securityContext")
        for field in _POD_CONTEXT if is_pod else _CONTAINER_CONTEXT:
            if holder.get(field) is not None:
                yield FieldError.forbidden(where.child(field), _NOT_WINDOWS)
    for field in ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"):
        value = spec.get(field)
        if value or (value is False and field in {"hostUsers", "shareProcessNamespace"}):
            yield FieldError.forbidden(path.child(field), _NOT_WINDOWS)


def _holders(spec: Object, path: Path) -> Iterator[tuple[Object, Path]]:
    """All security contexts."""
    yield spec.get("securityContext") or {}, path.child("securityContext")
    for container, where in pods.containers_with_paths(spec, path):
        yield container.get("securityContext") or {}, where.child("securityContext")
