#!/usr/bin/env python3
"""Read-only OCI registry over a layout that oci_layout.py wrote.

usage: oci_registry.py LAYOUT HOST:PORT

Images are stored under their upstream names; here the repository's path alone selects the image,
so that one server mirrors any number of registries (containerd's certs.d/_default).
"""

import http.server
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

MANIFESTS = re.compile(r"/v2/(.+)/manifests/(.+)")
BLOBS = re.compile(r"/v2/(.+)/blobs/(sha256:[0-9a-f]{64})")

Manifests = dict[tuple[str, str], dict[str, Any]]


def manifests_of(layout: Path) -> Manifests:
    """(repository, tag or digest) -> descriptor; read anew each time, for a rebuilt layout."""
    found: Manifests = {}
    for descriptor in json.loads((layout / "index.json").read_text())["manifests"]:
        name = descriptor["annotations"]["io.containerd.image.name"]
        repository, tag = name.split("/", 1)[1].rsplit(":", 1)
        found[repository, tag] = found[repository, descriptor["digest"]] = descriptor
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    """GET and HEAD of manifests and blobs."""

    protocol_version = "HTTP/1.1"
    layout: Path

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in ("/v2", "/v2/"):
            self.answer_json(200, {})
        elif match := MANIFESTS.fullmatch(path):
            self.answer_manifest(match[1], match[2])
        elif match := BLOBS.fullmatch(path):
            self.answer_blob(match[2], "application/octet-stream", "BLOB_UNKNOWN")
        else:
            self.answer_error("NAME_UNKNOWN")

    do_HEAD = do_GET  # noqa: N815 - the name that http.server calls

    def answer_manifest(self, repository: str, reference: str) -> None:
        descriptor = manifests_of(self.layout).get((repository, reference))
        if descriptor is None:
            self.answer_error("MANIFEST_UNKNOWN")
        else:
            self.answer_blob(descriptor["digest"], descriptor["mediaType"], "MANIFEST_UNKNOWN")

    def answer_blob(self, digest: str, media_type: str, error: str) -> None:
        blob = self.layout.joinpath("blobs", *digest.split(":"))
        if not blob.exists():
            self.answer_error(error)
            return
        self.start(200, media_type, blob.stat().st_size, digest)
        if self.command == "GET":
            with blob.open("rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

    def answer_error(self, code: str) -> None:
        self.answer_json(404, {"errors": [{"code": code, "message": "not here"}]})

    def answer_json(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.start(status, "application/json", len(body))
        if self.command == "GET":
            self.wfile.write(body)

    def start(self, status: int, media_type: str, size: int, digest: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(size))
        self.send_header("Docker-Distribution-Api-Version", "registry/2.0")
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keep quiet: every pull asks a dozen times."""


def server(layout: Path, host: str, port: int) -> http.server.ThreadingHTTPServer:
    handler = type("LayoutHandler", (Handler,), {"layout": layout})
    return http.server.ThreadingHTTPServer((host, port), handler)


def main() -> None:
    host, port = sys.argv[2].rsplit(":", 1)
    server(Path(sys.argv[1]), host, int(port)).serve_forever()


if __name__ == "__main__":
    main()
