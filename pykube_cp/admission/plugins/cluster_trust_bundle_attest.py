"""Only who may attest for a signer says whom to trust in its name."""
# upstream: plugin/pkg/admission/certificates/ctbattest/admission.go

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.admission.signers import may
from pykube_cp.machinery import objects
from pykube_cp.machinery.go_text import quote


class ClusterTrustBundleAttest(BasePlugin):
    """Looks at bundles that belong to a signer."""

    name = "ClusterTrustBundleAttest"
    operations = WRITES
    resources = frozenset({("certificates.k8s.io", "clustertrustbundles")})

    async def validate(self, attributes: Attributes) -> None:
        obj, old = attributes.object, attributes.old_object
        signer = ((obj or {}).get("spec") or {}).get("signerName")
        if obj is None or not signer:
            return
        is_change = attributes.operation is Operation.UPDATE and old is not None
        if is_change and objects.only_lets_go(obj, old or {}):
            return
        if not await may(self.services.authorizer, attributes.user, "attest", signer):
            text = f"user not permitted to attest for signerName {quote(signer)}"
            raise forbidden(attributes, text)
