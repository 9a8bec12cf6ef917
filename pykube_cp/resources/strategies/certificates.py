"""Kinds of ``certificates.k8s.io``."""

from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from pykube_cp.admission import signers
from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, der, pem
from pykube_cp.registry.strategy import StatusStrategy, Strategy, WriteContext
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared import issued_certificates, signer_names
from pykube_cp.resources.shared.checks import invalid
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.pod_updates import difference
from pykube_cp.resources.shared.spec_and_status import KeptMetaStatusStrategy, SpecAndStatusStrategy

_POD_REQUEST_SPEC = "io.k8s.api.certificates.v1beta1.PodCertificateRequestSpec"
_DECISIONS = ("Approved", "Denied")


class CertificateSigningRequestStrategy(SpecAndStatusStrategy):
    """Signing requests; who asks is who is logged in."""

    # upstream: pkg/registry/certificates/certificates/strategy.go

    has_generation = False
    reset_fields: ClassVar[Object] = {"f:spec": {}, "f:status": {}}

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        super().prepare_for_create(ctx, obj)
        spec, user = obj["spec"], ctx.user
        for field in ("username", "uid", "groups", "extra"):
            spec.pop(field, None)
        found: Object = {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        }
        spec.update({key: value for key, value in found.items() if value})

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        obj["spec"] = old["spec"]

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _conditions(obj, old, may_decide=False) + _certificate(obj, old, may_set=False)


class CertificateStatusStrategy(StatusStrategy):
    """``certificatesigningrequests/status``, which signers write."""

    reset_fields: ClassVar[Object] = {"f:spec": {}, "f:status": {"f:conditions": {}}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        for kind in _DECISIONS:
            _preserve(obj, old, kind)
        set_condition_times(obj, old)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = _issued(obj, old) + _conditions(obj, old, may_decide=False)
        return found + _certificate(obj, old, may_set=True)


class CertificateApprovalStrategy(Strategy):
    """``certificatesigningrequests/approval``: only conditions change."""

    reset_fields: ClassVar[Object] = {"f:spec": {}, "f:status": {"f:certificate": {}}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        set_condition_times(obj, old)
        conditions = _of(obj)
        obj["spec"] = old["spec"]
        obj["status"] = dict(old.get("status") or {})
        obj["status"].pop("conditions", None)
        if conditions:
            obj["status"]["conditions"] = conditions

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _conditions(obj, old, may_decide=True)


def _of(obj: Object) -> list[Object]:
    return (obj.get("status") or {}).get("conditions") or []


def set_condition_times(obj: Object, old: Object) -> None:
    """Fill in times that a client leaves out."""
    # upstream: populateConditionTimestamps
    now = clock.timestamp()
    conditions = [dict(condition) for condition in _of(obj)]
    for condition in conditions:
        condition["lastUpdateTime"] = condition.get("lastUpdateTime") or now
        if condition.get("lastTransitionTime"):
            continue
        same = (
            before.get("lastTransitionTime")
            for before in _of(old)
            if (before.get("type"), before.get("status"))
            == (condition.get("type"), condition.get("status"))
        )
        condition["lastTransitionTime"] = next((time for time in same if time), now)
    if conditions:
        obj["status"] = {**obj["status"], "conditions": conditions}


def _preserve(obj: Object, old: Object, kind: str) -> None:
    """Carry over conditions of that type as they were, when none came or went."""
    conditions = list(_of(obj))
    places = [place for place, condition in enumerate(conditions) if condition.get("type") == kind]
    before = [condition for condition in _of(old) if condition.get("type") == kind]
    if not places or len(places) != len(before):
        return
    for place, condition in zip(places, before, strict=True):
        conditions[place] = condition
    obj["status"] = {**obj["status"], "conditions": conditions}


def _conditions(obj: Object, old: Object, *, may_decide: bool) -> list[FieldError]:
    # upstream: pkg/apis/certificates/validation/validation.go validateCertificateSigningRequestUpdate
    path, found = Path("status", "conditions"), []
    for kind in (*_DECISIONS, "Failed"):
        now, before = (
            [condition for condition in _of(one) if condition.get("type") == kind]
            for one in (obj, old)
        )
        named = f"a condition of type {quote(kind)}"
        if len(now) < len(before):
            found.append(FieldError.forbidden(path, f"updates may not remove {named}"))
        elif may_decide or kind == "Failed":
            continue
        elif len(now) > len(before):
            found.append(FieldError.forbidden(path, f"updates may not add {named}"))
        elif now != before:
            text = f"updates may not modify {named}\n{difference(before, now)}"
            found.append(FieldError.forbidden(path, text))
    return found


def _issued(obj: Object, old: Object) -> list[FieldError]:
    """What is wrong with a certificate that is new, unless the one before was no better."""
    now, before = _certificates(obj, old)
    problem = _problem(now)
    if now == before or not problem or _problem(before):
        return []
    return [FieldError.invalid(Path("status", "certificate"), "<certificate data>", problem)]


def _problem(encoded: str) -> str:
    """Why that is no PEM of certificates; nothing is none, too."""
    # upstream: pkg/apis/certificates/validation/validation.go validateCertificate
    blocks = list(pem.blocks(b64decode(encoded)))
    for block in blocks:
        if block.type != "CERTIFICATE":
            return f"only CERTIFICATE PEM blocks are allowed, found {quote(block.type)}"
        if block.headers:
            return "no PEM block headers are permitted"
        try:
            if not der.read_certificates(block.content):
                return "found CERTIFICATE PEM block containing 0 certificates"
        except PKIError as error:
            return f"x509: {error}"
    return "" if blocks or not encoded else "must contain at least one CERTIFICATE PEM block"


def _certificates(obj: Object, old: Object) -> tuple[str, str]:
    now, before = ((one.get("status") or {}).get("certificate") or "" for one in (obj, old))
    return now, before


def _certificate(obj: Object, old: Object, *, may_set: bool) -> list[FieldError]:
    now, before = _certificates(obj, old)
    path = Path("status", "certificate")
    if now == before:
        return []
    if not may_set:
        return [FieldError.forbidden(path, "updates may not set certificate content")]
    if before:
        text = "updates may not modify existing certificate content"
        return [FieldError.forbidden(path, text)]
    return []


class ClusterTrustBundleStrategy(Strategy):
    """Trust bundles; those of a signer are named after it."""

    # upstream: pkg/registry/certificates/clustertrustbundle/strategy.go

    allow_unconditional_update = False

    def name_check(self, obj: Object) -> Callable[..., list[str]]:
        return partial(signer_names.check_bundle, signer=_signer(obj))

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        name = obj["metadata"]["name"]
        ctx.refused += invalid(Path("metadata", "name"), name, self.name_check(obj)(name))

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return validate_immutable(_signer(obj), _signer(old), Path("spec", "signerName"))


def _signer(bundle: Object) -> str:
    name: str = (bundle.get("spec") or {}).get("signerName") or ""
    return name


class PodCertificateRequestStrategy(SpecAndStatusStrategy):
    """Certificates for pods."""

    # upstream: pkg/registry/certificates/podcertificaterequest/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        if obj["spec"] == old["spec"]:
            return []
        shown = internal(obj["spec"], _POD_REQUEST_SPEC)
        return [FieldError.invalid(Path("spec"), shown, IMMUTABLE)]


class PodCertificateStatusStrategy(KeptMetaStatusStrategy):
    """``podcertificaterequests/status``, for those who may sign."""

    allow_unconditional_update = False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return issued_certificates.check(obj, old)

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        status, before = obj.get("status") or {}, old.get("status") or {}
        if not issued_certificates.differs(status, before):
            return
        signer = old["spec"].get("signerName") or ""
        if not await signers.may(ctx.services["authorizer"], ctx.user, "sign", signer):
            who, what = quote(ctx.user.name), quote(signer)
            text = f'User {who} is not permitted to "sign" for signer {what}'
            ctx.refused_last.append(FieldError.forbidden(Path("spec", "signerName"), text))
