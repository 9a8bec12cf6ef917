"""Record what upstream serves, from its own discovery: tests/cases/resources.tsv.

    python tools/resources.py DEFAULT.conf ALL.conf >tests/cases/resources.tsv

DEFAULT.conf and ALL.conf are kubeconfigs of two kube-apiservers (conformance/refcp.sh starts one):
one as it is by default, one with ``--runtime-config=api/all=true`` and the feature gates that kinds
stand behind (GenericWorkload, CompositePodGroup and what it needs, EvictionRequestAPI).
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

COLUMNS = (
    "group",
    "version",
    "resource",
    "kind",
    "namespaced",
    "verbs",
    "shortNames",
    "categories",
    "singular",
    "speaks",
    "storageVersionHash",
    "served",
    "deprecated",
)


def get(kubeconfig: str, path: str) -> Any:
    return json.loads(run(kubeconfig, path).stdout)


def run(kubeconfig: str, path: str) -> "subprocess.CompletedProcess[bytes]":
    command = ["kubectl", "--kubeconfig", kubeconfig, "get", "--raw", path]
    return subprocess.run(command, check=True, capture_output=True)


def deprecated(kubeconfig: str, path: str) -> str:
    """What the server warns of when the resource is listed."""
    warning = run(kubeconfig, path).stderr.decode().strip()
    return warning.partition(" is deprecated in ")[2]


def versions(kubeconfig: str) -> Iterator[tuple[str, str, str]]:
    """Group, version and path of each."""
    yield "", "v1", "/api/v1"
    for group in get(kubeconfig, "/apis")["groups"]:
        for version in group["versions"]:
            yield group["name"], version["version"], f"/apis/{version['groupVersion']}"


def rows(kubeconfig: str) -> Iterator[dict[str, str]]:
    for group, version, path in versions(kubeconfig):
        for found in get(kubeconfig, path)["resources"]:
            spoken = found.get("version", "")
            old = "list" in found["verbs"] and deprecated(kubeconfig, f"{path}/{found['name']}")
            yield {
                "group": group,
                "version": version,
                "resource": found["name"],
                "kind": found["kind"],
                "namespaced": str(found["namespaced"]).lower(),
                "verbs": ",".join(sorted(found["verbs"])),
                "shortNames": ",".join(found.get("shortNames", ())),
                "categories": ",".join(found.get("categories", ())),
                "singular": found["singularName"],
                "speaks": f"{found.get('group', '')}/{spoken}".lstrip("/") if spoken else "",
                "storageVersionHash": found.get("storageVersionHash", ""),
                "deprecated": old or "",
            }


def main() -> None:
    default, everything = sys.argv[1:]
    key = "group", "version", "resource"
    by_default = {tuple(row[name] for name in key) for row in rows(default)}
    out = csv.DictWriter(sys.stdout, COLUMNS, delimiter="\t", lineterminator="\n")
    out.writeheader()
    for row in rows(everything):
        on = tuple(row[name] for name in key) in by_default
        out.writerow(row | {"served": "default" if on else "off"})


if __name__ == "__main__":
    main()
