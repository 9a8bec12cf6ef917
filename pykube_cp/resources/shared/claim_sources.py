"""The two fields that say what a claim's volume is filled with."""
# upstream: pkg/api/persistentvolumeclaim/util.go NormalizeDataSources

from pykube_cp.machinery.objects import Object


def normalize(spec: Object, old: Object | None) -> None:
    """Drop what was never supported, then fill in the one field from the other."""
    reference = spec.get("dataSourceRef")
    if reference is not None and reference.get("namespace") and not _in_use(old):
        del spec["dataSourceRef"]
    if spec.get("dataSourceRef") is None and not _in_use(old):
        if not _is_claim_or_snapshot(spec.get("dataSource")):
            spec.pop("dataSource", None)
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source is not None and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference is not None and source is None and not reference.get("namespace"):
        spec["dataSource"] = {k: v for k, v in reference.items() if k != "namespace"}


def _in_use(old: Object | None) -> bool:
    return old is not None and any(
        old.get(field) is not None for field in ("dataSource", "dataSourceRef")
    )


def _is_claim_or_snapshot(source: Object | None) -> bool:
    if source is None:
        return False
    group, kind = source.get("apiGroup") or "", source.get("kind")
    return (group, kind) in {
        ("", "PersistentVolumeClaim"),
        ("snapshot.storage.k8s.io", "VolumeSnapshot"),
    }
