#!/usr/bin/env python3
"""Write one OCI image layout (a directory) that holds every image of a spec.

usage: oci_layout.py SPEC.json OUTDIR [ARCHITECTURE]

SPEC: [{"names": [...], "layers": [tar, ...], "config": the "config" part of an OCI image config}].
Layers are plain tars; a tar that several images use is stored once.
"""

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CREATED = "2026-01-01T00:00:00Z"

Descriptor = dict[str, Any]


class Layout:
    """An OCI layout under construction: blobs by digest, and the index that names them."""

    def __init__(self, root: Path, architecture: str) -> None:
        self.root = root
        self.architecture = architecture
        self.manifests: list[Descriptor] = []
        self.layers: dict[str, Descriptor] = {}
        (root / "blobs" / "sha256").mkdir(parents=True)

    def path(self, digest: str) -> Path:
        return self.root / "blobs" / "sha256" / digest

    def add_bytes(self, media_type: str, content: bytes) -> Descriptor:
        digest = hashlib.sha256(content).hexdigest()
        self.path(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def add_layer(self, tar: str) -> Descriptor:
        if tar not in self.layers:
            with Path(tar).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            link_or_copy(tar, self.path(digest))
            self.layers[tar] = {
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": f"sha256:{digest}",
                "size": Path(tar).stat().st_size,
            }
        return self.layers[tar]

    def add_image(self, names: list[str], tars: list[str], config: dict[str, Any]) -> None:
        layers = [self.add_layer(tar) for tar in tars]
        image = {
            "created": CREATED,
            "architecture": self.architecture,
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
            "history": [{"created": CREATED, "created_by": Path(tar).name} for tar in tars],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add_bytes(
                "application/vnd.oci.image.config.v1+json", json.dumps(image).encode()
            ),
            "layers": layers,
        }
        descriptor = self.add_bytes(MANIFEST, json.dumps(manifest).encode())
        self.manifests += [self.named(descriptor, name) for name in names]

    def named(self, descriptor: Descriptor, name: str) -> Descriptor:
        return {
            **descriptor,
            "platform": {"architecture": self.architecture, "os": "linux"},
            "annotations": {
                "io.containerd.image.name": name,
                "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1],
            },
        }

    def finish(self) -> None:
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": self.manifests,
        }
        (self.root / "index.json").write_text(json.dumps(index, indent=1))
        (self.root / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))


def link_or_copy(source: str, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_layout(spec: list[dict[str, Any]], root: Path, architecture: str) -> None:
    shutil.rmtree(root, ignore_errors=True)
    layout = Layout(root, architecture)
    for image in spec:
        layout.add_image(image["names"], image["layers"], image.get("config", {}))
    layout.finish()


def main() -> None:
    architecture = sys.argv[3] if len(sys.argv) > 3 else "amd64"
    write_layout(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), architecture)


if __name__ == "__main__":
    main()
