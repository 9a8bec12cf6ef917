"""Two lists of tolerations made one."""
# upstream: pkg/util/tolerations/tolerations.go MergeTolerations

from pykube_cp.machinery.objects import Object

_MANY = 200
"""More than that stay as they are: all pairs of what fits in a request would take hours."""


def merge(one: list[Object], other: list[Object]) -> list[Object]:
    """Both, without what another one of them tolerates anyway."""
    every = [*one, *other]
    if len(every) > _MANY:
        return every
    merged: list[Object] = []
    for position, each in enumerate(every):
        later = [more for more in every[position + 1 :] if more != each]
        if not any(_covers(known, each) for known in (*merged, *later)):
            merged.append(each)
    return merged


def _covers(wide: Object, narrow: Object) -> bool:
    if wide == narrow:
        return True
    exists = wide.get("operator") == "Exists"
    if wide.get("key", "") != narrow.get("key", "") and (wide.get("key") or not exists):
        return False
    if wide.get("effect") and wide["effect"] != narrow.get("effect"):
        return False
    if not _lasts(wide, narrow):
        return False
    if wide.get("operator", "Equal") == "Equal":
        is_equal = narrow.get("operator") == "Equal"
        return is_equal and narrow.get("value", "") == wide.get("value", "")
    return exists


def _lasts(wide: Object, narrow: Object) -> bool:
    """Whether the first holds as long as the second."""
    if wide.get("effect") != "NoExecute" or wide.get("tolerationSeconds") is None:
        return True
    seconds = narrow.get("tolerationSeconds")
    return seconds is not None and seconds <= wide["tolerationSeconds"]
