"""Owner references that an object has twice."""
# upstream: apiserver pkg/endpoints/handlers/rest.go dedupOwnerReferencesAndAddWarning

from pykube_cp.machinery.objects import Object

_WARNING = (
    ".metadata.ownerReferences contains duplicate entries{}; API server dedups owner references in "
    "1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate "
    "UID(s) observed: {}"
)
_LATE = " after mutating admission happens"


def deduplicate(obj: Object, warnings: list[str], *, after_admission: bool = False) -> None:
    """Keep the first of each, and say so."""
    meta = obj.get("metadata") or {}
    owners = meta.get("ownerReferences")
    if not owners or len(owners) < 2:
        return
    kept: list[Object] = []
    repeated = []
    for owner in owners:
        if owner in kept:
            repeated.append(owner.get("uid", ""))
        else:
            kept.append(owner)
    if repeated:
        meta["ownerReferences"] = kept
        warnings.append(_WARNING.format(_LATE if after_admission else "", ", ".join(repeated)))
