#!/usr/bin/env python3
"""Which image is made of which layers, for oci_layout.py.

usage: image_spec.py LAYERS_DIR minimal|full >spec.json

The names are those that e2e.test v1.37 (test/utils/image/manifest.go), kubelet and kubeadm ask
for; two short ones serve people who try `make up`.
"""

import json
import sys
from pathlib import Path
from typing import Any

E2E = "registry.k8s.io/e2e-test-images/"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
AGNHOST: dict[str, Any] = {"Entrypoint": ["/agnhost"], "WorkingDir": "/"}
WEB_SERVER: dict[str, Any] = {**AGNHOST, "Cmd": ["test-webserver"]}

Row = tuple[list[str], list[str], dict[str, Any]]

MINIMAL: list[Row] = [
    (
        [f"registry.k8s.io/pause:{tag}" for tag in ("3.10.2", "3.10.1", "3.10")],
        ["pause"],
        {"User": "65535:65535", "Entrypoint": ["/pause"]},
    ),
    (
        [f"{E2E}agnhost:{tag}" for tag in ("2.66.1", "2.55", "2.53")],
        ["base", "agnhost"],
        {**AGNHOST, "Cmd": ["pause"]},
    ),
    (
        [f"{E2E}busybox:1.37.0-2", f"{E2E}busybox:1.36.1-1", "docker.io/library/busybox:latest"],
        ["busybox"],
        {"Cmd": ["sh"]},
    ),
    (
        [f"{E2E}nginx:1.27.0-2", f"{E2E}nginx:1.28.0-2", "docker.io/library/nginx:latest"],
        ["base", "nginx"],
        {
            "Cmd": ["nginx", "-g", "daemon off;"],
            "ExposedPorts": {"80/tcp": {}},
            "StopSignal": "SIGQUIT",
        },
    ),
    (
        ["registry.k8s.io/coredns/coredns:v1.14.6"],
        ["coredns"],
        {"Entrypoint": ["/coredns"], "ExposedPorts": {"53/tcp": {}, "53/udp": {}}},
    ),
]

FULL: list[Row] = [
    *MINIMAL,
    ([f"{E2E}kitten:1.8"], ["base", "agnhost", "kitten"], WEB_SERVER),
    ([f"{E2E}nautilus:1.8"], ["base", "agnhost", "nautilus"], WEB_SERVER),
    ([f"{E2E}nonroot:1.5"], ["busybox"], {"Cmd": ["sh"], "User": "1234"}),
    ([f"{E2E}ipc-utils:1.4"], ["base"], {"Cmd": ["sh"]}),
    ([f"{E2E}glibc-dns-testing:2.1.1"], ["base"], {"Cmd": ["bash"]}),
    ([f"{E2E}perl:5.26"], ["base", "perl"], {"Cmd": ["perl", "-de0"]}),
    ([f"{E2E}nonewprivs:1.4"], ["busybox", "nnp"], {"Cmd": ["nnp"]}),
    (
        [f"{E2E}regression-issue-74839:1.5"],
        ["busybox", "regression-issue-74839"],
        {"Entrypoint": ["/regression-issue-74839"]},
    ),
    (
        [f"{E2E}sample-apiserver:1.29.2"],
        ["sample-apiserver"],
        {"Entrypoint": ["/sample-apiserver"]},
    ),
    (["registry.k8s.io/etcd:3.7.0-0"], ["base", "etcd"], {"Cmd": ["etcd"]}),
]


def spec(layers: Path, rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {
            "names": names,
            "layers": [str(layers / f"{layer}.tar") for layer in parts],
            "config": {"Env": [PATH], **config},
        }
        for names, parts, config in rows
    ]


def main() -> None:
    rows = {"minimal": MINIMAL, "full": FULL}[sys.argv[2]]
    json.dump(spec(Path(sys.argv[1]), rows), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
