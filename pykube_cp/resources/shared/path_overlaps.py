"""Warnings about files of one volume that would lie in one another's place."""
# upstream: pkg/api/pod/warnings.go warningsForOverlappingVirtualPaths

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object


class _File(NamedTuple):
    path: str
    source: str = ""

    def __str__(self) -> str:
        return f"{quote(self.path)} ({self.source})" if self.source else quote(self.path)


def warnings(volumes: Sequence[Object]) -> list[str]:
    found = []
    for volume in volumes:
        name = volume.get("name", "")
        for described, files in _plain(volume):
            found += _of_volume(name, described, files)
        for source in (volume.get("projected") or {}).get("sources") or ():
            if not any(value is not None for value in source.values()):
                found.append(f"volume {quote(name)} (Projected) has no sources provided")
        projected = volume.get("projected") or {}
        files = [f for source in projected.get("sources") or () for f in _projected(source)]
        found += _of_volume(name, "Projected", files)
    return found


def _plain(volume: Object) -> Iterator[tuple[str, list[_File]]]:
    if config := volume.get("configMap"):
        yield f"ConfigMap {quote(config.get('name', ''))}", _files(config, "")
    if secret := volume.get("secret"):
        yield f"Secret {quote(secret.get('secretName', ''))}", _files(secret, "")
    if downward := volume.get("downwardAPI"):
        yield "DownwardAPI", _files(downward, "")


def _files(source: Object, described: str) -> list[_File]:
    return [_File(item.get("path", ""), described) for item in source.get("items") or ()]


def _projected(source: Object) -> list[_File]:
    for kind, title in (("configMap", "ConfigMap"), ("secret", "Secret")):
        if (source.get(kind) or {}).get("items"):
            return _files(source[kind], f"{title} {quote(source[kind].get('name', ''))}")
    if (source.get("downwardAPI") or {}).get("items"):
        return _files(source["downwardAPI"], "DownwardAPI")
    if token := source.get("serviceAccountToken"):
        return [_File(token.get("path", ""), "ServiceAccountToken")]
    if bundle := source.get("clusterTrustBundle"):
        name = bundle.get("name") or bundle.get("signerName") or ""
        return [_File(bundle.get("path", ""), f"ClusterTrustBundle {quote(name)}")]
    certificate = source.get("podCertificate") or {}
    parts = {
        "certificateChainPath": "PodCertificate chain",
        "keyPath": "PodCertificate key",
        "credentialBundlePath": "PodCertificate credential bundle",
    }
    return [_File(certificate[key], text) for key, text in parts.items() if certificate.get(key)]


def _of_volume(name: str, described: str, files: Sequence[_File]) -> list[str]:
    found = []
    seen: list[_File] = []
    for file in files:
        tidy = file._replace(path=file.path.rstrip("/"))
        for other in seen:
            if _overlap(tidy.path, other.path):
                body = f"{tidy} with {other}"
                found.append(f"volume {quote(name)} ({described}): overlapping paths: {body}")
        seen.append(tidy)
    return found


def _overlap(one: str, other: str) -> bool:
    if not one or not other:
        return False
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")
