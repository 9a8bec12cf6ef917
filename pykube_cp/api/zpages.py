"""``/statusz`` and ``/flagz``: what runs here since when, and with which settings."""
# upstream: apiserver pkg/server/statusz, pkg/server/flagz

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pykube_cp.api import respond, version
from pykube_cp.api.endpoints import PLAIN, Endpoint, Route
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.config import ApiServerConfig
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.codec.negotiation import matches, parse_accept
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

_COMPONENT = "apiserver"
_GROUP = "config.k8s.io"
_OBJECTS = ("application/json", "application/yaml")
_TEXT = "text/plain"
_WARNING = (
    "Warning: This endpoint is not meant to be machine parseable, has no formatting "
    "compatibility guarantees and is for debugging purposes only."
)
_PATHS = ("/flagz", "/healthz", "/livez", "/metrics", "/readyz", "/statusz", "/version")
_STARTED = clock.now()


def endpoints(services: Services) -> dict[str, Endpoint]:
    """Both pages, as text or as objects."""
    flags = flags_of(services.config)
    return {
        "/statusz": Endpoint(_page("Statusz", _status, _status_text)),
        "/flagz": Endpoint(_page("Flagz", lambda: {"flags": flags}, lambda: _flags_text(flags))),
    }


def _page(kind: str, made: Callable[[], Object], text: Callable[[], str]) -> Route:
    async def handle(request: Request) -> Outcome:
        target = _wanted(request, kind)
        if target is None:
            head = f"\n{_COMPONENT} {kind.lower()}\n{_WARNING}\n"
            return Response(200, (head + text()).encode(), PLAIN)
        if target.version == "v1alpha1":
            request.warnings.append(
                f"This version of the {kind.lower()} endpoint is deprecated. "
                "Please use a newer version."
            )
        obj: Object = {"kind": kind, "apiVersion": target.api_version}
        obj |= {"metadata": {"name": _COMPONENT}, **made()}

        def allows(media_type: str, found: GVK | None) -> bool:
            return found == target and media_type in _OBJECTS

        return respond.plain(request, obj, allows=allows)

    return handle


def _wanted(request: Request, kind: str) -> GVK | None:
    """The kind of object that the client wants, None for text."""
    # upstream: .../statusz/negotiate/negotiation.go StatuszEndpointRestrictions
    for clause in parse_accept(request.header("accept") or "*/*"):
        target = clause.target
        if target is None and matches(clause, _TEXT):
            return None
        is_ours = target is not None and _is_kind(target, kind)
        if is_ours and any(matches(clause, media_type) for media_type in _OBJECTS):
            return target
    names = ", ".join((*_OBJECTS, _TEXT))
    text = f"only the following media types are accepted: {names}"
    raise errors.StatusError(406, "NotAcceptable", text)


def _is_kind(target: GVK, kind: str) -> bool:
    return (
        target.group == _GROUP and target.version in {"v1alpha1", "v1beta1"} and target.kind == kind
    )


def _status() -> Object:
    running = version.info()
    return {
        "startTime": clock.format_time(_STARTED),
        "uptimeSeconds": int(clock.now() - _STARTED),
        "goVersion": running["goVersion"],
        "binaryVersion": running["gitVersion"][1:],
        "emulationVersion": f"{running['emulationMajor']}.{running['emulationMinor']}",
        "paths": list(_PATHS),
    }


def _status_text() -> str:
    status = _status()
    started = datetime.fromtimestamp(_STARTED, UTC).strftime("%a %b %e %H:%M:%S UTC %Y")
    return (
        f"\nStarted: {started}\nUp: {_uptime(status['uptimeSeconds'])}\n"
        f"Go version: {status['goVersion']}\nBinary version: {status['binaryVersion']}\n"
        f"Emulation version: {status['emulationVersion']}\nPaths: {' '.join(_PATHS)}\n"
    )


def _uptime(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours} hr {minutes:02} min {rest:02} sec"


def _flags_text(flags: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in flags.items())


def flags_of(config: ApiServerConfig) -> dict[str, str]:
    """The settings that we have, by the names of upstream's flags, as Go prints them."""
    first, last = config.node_port_range
    flags: dict[str, Any] = {
        "advertise-address": config.advertise_address,
        "anonymous-auth": config.anonymous_auth,
        "bind-address": config.bind_address,
        "disable-admission-plugins": config.disabled_admission_plugins,
        "feature-gates": ",".join(
            f"{name}={str(is_on).lower()}" for name, is_on in sorted(config.feature_gates.items())
        ),
        "etcd-compaction-interval": _duration(config.compaction_seconds),
        "kubelet-certificate-authority": config.kubelet_ca_file,
        "kubelet-client-certificate": config.kubelet_client_certificate,
        "kubelet-client-key": config.kubelet_client_key,
        "kubelet-preferred-address-types": config.kubelet_preferred_address_types,
        "max-mutating-requests-inflight": config.max_mutating_requests_inflight,
        "max-requests-inflight": config.max_requests_inflight,
        "request-timeout": _duration(config.request_timeout_seconds),
        "runtime-config": ",".join(f"{name}=true" for name in sorted(config.runtime_config)),
        "secure-port": config.port,
        "service-account-issuer": (config.service_account_issuer,),
        "service-account-jwks-uri": config.jwks_uri,
        "service-cluster-ip-range": ",".join(config.service_cidrs),
        "service-node-port-range": f"{first}-{last}",
    }
    return {name: _printed(value) for name, value in flags.items()}


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"[{','.join(value)}]" if isinstance(value, tuple) else str(value)


def _duration(seconds: float) -> str:
    """As Go prints it: ``1m0s``."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
