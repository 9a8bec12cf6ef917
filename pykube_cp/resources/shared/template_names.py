"""Names of objects whose pods are named after them."""

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.objects import Object

_HINT = (
    "metadata.name: this is used in Pod names and hostnames, which can result in surprising "
    "behavior; a DNS label is recommended: "
)


def name_warnings(obj: Object) -> list[str]:
    texts = names.is_dns1123_label(objects.name(obj))
    return [f"{_HINT}[{' '.join(texts)}]"] if texts else []
