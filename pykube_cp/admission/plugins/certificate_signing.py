"""Only a signer issues certificates for its requests."""
# upstream: plugin/pkg/admission/certificates/signing/admission.go

from pykube_cp.admission.base import UPDATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.admission.signers import may
from pykube_cp.machinery.objects import Object

_TEXT = "user not permitted to sign requests with signerName {}"


class CertificateSigning(BasePlugin):
    """Looks at the status subresource, when certificate or failure change."""

    name = "CertificateSigning"
    operations = UPDATE
    resources = frozenset({("certificates.k8s.io", "certificatesigningrequests")})

    async def validate(self, attributes: Attributes) -> None:
        old, obj = attributes.old_object, attributes.object
        if attributes.subresource != "status" or old is None or obj is None:
            return
        if _outcome(old) == _outcome(obj):
            return
        signer = old["spec"]["signerName"]
        if not await may(self.services.authorizer, attributes.user, "sign", signer):
            raise forbidden(attributes, _TEXT.format(f'"{signer}"'))


def _outcome(request: Object) -> tuple[str, bool]:
    status = request.get("status") or {}
    failed = any(each["type"] == "Failed" for each in status.get("conditions") or [])
    return status.get("certificate") or "", failed
