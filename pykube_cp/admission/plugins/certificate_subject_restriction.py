"""No request asks for a client certificate of the administrators' group."""
# upstream: plugin/pkg/admission/certificates/subjectrestriction/admission.go

import base64
import binascii

from pykube_cp.admission.base import CREATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes

_SIGNER = "kubernetes.io/kube-apiserver-client"
_GROUP = "system:masters"


class CertificateSubjectRestriction(BasePlugin):
    """Looks into new requests of that signer."""

    name = "CertificateSubjectRestriction"
    operations = CREATE
    resources = frozenset({("certificates.k8s.io", "certificatesigningrequests")})

    async def validate(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None or attributes.subresource or obj["spec"].get("signerName") != _SIGNER:
            return
        from cryptography import x509  # noqa: PLC0415 - seldom needed
        from cryptography.x509.oid import NameOID  # noqa: PLC0415 - seldom needed

        try:
            request = x509.load_pem_x509_csr(base64.b64decode(obj["spec"]["request"]))
        except (ValueError, binascii.Error) as error:
            raise forbidden(attributes, f"failed to parse CSR: {error}") from None
        groups = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(group.value == _GROUP for group in groups):
            text = f"use of {_SIGNER} signer with {_GROUP} group is not allowed"
            raise forbidden(attributes, text)
