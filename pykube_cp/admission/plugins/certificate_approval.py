"""Only who may approve for a signer approves its requests."""
# upstream: plugin/pkg/admission/certificates/approval/admission.go

from pykube_cp.admission.base import UPDATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.admission.signers import may

_TEXT = "user not permitted to approve requests with signerName {}"


class CertificateApproval(BasePlugin):
    """Looks at the approval subresource."""

    name = "CertificateApproval"
    operations = UPDATE
    resources = frozenset({("certificates.k8s.io", "certificatesigningrequests")})

    async def validate(self, attributes: Attributes) -> None:
        old = attributes.old_object
        if attributes.subresource != "approval" or old is None:
            return
        signer = old["spec"]["signerName"]
        if not await may(self.services.authorizer, attributes.user, "approve", signer):
            raise forbidden(attributes, _TEXT.format(f'"{signer}"'))
