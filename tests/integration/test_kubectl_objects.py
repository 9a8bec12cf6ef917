"""Stock kubectl on objects that nobody runs: everything that creates, shows and changes them."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.integration.cluster import Kubectl

MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, labels: {part: manifest}}
data: {colour: red}
---
apiVersion: v1
kind: Service
metadata: {name: web, labels: {part: manifest}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


@pytest.fixture
def settings(kubectl: Kubectl) -> Kubectl:
    """A namespace with one ConfigMap."""
    kubectl.expect(
        "configmap/settings created", "create", "configmap", "settings", "--from-literal=a=1"
    )
    return kubectl


def script(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_every_generator_of_create(
    kubectl: Kubectl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("content\n")
    monkeypatch.chdir(tmp_path)
    image = "--image=registry.k8s.io/pause:3.10.2"
    commands = {
        "configmap/m created": "configmap m --from-file=file --from-literal=a=b",
        "secret/s created": "secret generic s --from-literal=password=x",
        "secret/r created": "secret docker-registry r --docker-username=u --docker-password=p",
        "deployment.apps/d created": f"deployment d {image} --replicas=2",
        "job.batch/j created": f"job j {image}",
        "cronjob.batch/c created": f"cronjob c {image} --schedule=@hourly",
        "service/s created": "service clusterip s --tcp=80:8080",
        "serviceaccount/robot created": "serviceaccount robot",
        "role.rbac.authorization.k8s.io/reader created": "role reader --verb=get,list --resource=pods",
        "rolebinding.rbac.authorization.k8s.io/b created": "rolebinding b --role=reader --user=u",
        "ingress.networking.k8s.io/i created": "ingress i --rule=example.com/*=s:80",
        "resourcequota/q created": "quota q --hard=pods=3",
        "poddisruptionbudget.policy/p created": "poddisruptionbudget p --selector=a=b --min-available=1",
    }
    for says, command in commands.items():
        words = command.split()
        kubectl.expect(f"^{re.escape(says)}$", "create", *words)
    assert kubectl.json("get", "configmap", "m")["data"] == {"file": "content\n", "a": "b"}
    kubectl.expect(
        "priorityclass.scheduling.k8s.io/vip created", "create", "priorityclass", "vip", "--value=9"
    )
    kubectl.expect(r'"vip" deleted', "delete", "priorityclass", "vip")
    kubectl.expect('configmaps "m" already exists', "create", "configmap", "m", status=1)


def test_dry_runs_store_nothing(kubectl: Kubectl) -> None:
    command = ("create", "configmap", "a", "--from-literal=x=1", "-o", "yaml")
    drawn = yaml.safe_load(kubectl.run(*command, "--dry-run=client"))
    assert "uid" not in drawn["metadata"]
    served = yaml.safe_load(kubectl.run(*command, "--dry-run=server"))
    assert served["metadata"]["uid"]
    kubectl.expect('configmaps "a" not found', "get", "configmap", "a", status=1)


def test_every_output_of_get(settings: Kubectl) -> None:
    get = ("get", "configmap", "settings")
    assert settings.run(*get, "-o", "name") == "configmap/settings\n"
    settings.expect(r"^NAME +DATA +AGE\nsettings +1 +\d+s$", *get)
    settings.expect(r"^NAME +DATA +AGE +LABELS\nsettings +1 +\d+s +<none>$", *get, "--show-labels")
    assert yaml.safe_load(settings.run(*get, "-o", "yaml"))["data"] == {"a": "1"}
    assert settings.json(*get)["metadata"]["namespace"] == settings.namespace
    assert settings.value("configmap", "settings", path="{.data.a}") == "1"
    columns = "custom-columns=NAME:.metadata.name,A:.data.a,B:.data.b"
    settings.expect(r"^NAME +A +B\nsettings +1 +<none>$", *get, "-o", columns)
    assert settings.run(*get, "-o", "go-template={{.data.a}}") == "1"
    settings.run("create", "service", "nodeport", "web", "--tcp=80")
    header = r"^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE +SELECTOR\n"
    line = r"web +NodePort +10\.96\.\d+\.\d+ +<none> +80:3\d+/TCP +\d+s +app=web$"
    settings.expect(header + line, "get", "service", "web", "-o", "wide")


def test_lists_in_every_way(settings: Kubectl) -> None:
    for name in ("b", "c", "d"):
        settings.run("create", "configmap", name, f"--from-literal=from={name}")
    settings.run("label", "configmap", "b", "c", "own=yes")
    assert (
        settings.run("get", "configmaps", "-l", "own=yes", "-o", "name")
        == "configmap/b\nconfigmap/c\n"
    )
    settings.expect(r"^b .*\n", "get", "cm", "--field-selector", "metadata.name=b", "--no-headers")
    names = settings.run(
        "get", "cm", "--sort-by=.metadata.name", "--chunk-size=2", "-o", "name"
    ).split()
    assert names == sorted(names)
    assert len(names) == 5  # with kube-root-ca.crt
    both = settings.json("get", "configmap/b", "serviceaccount/default")["items"]
    assert [item["kind"] for item in both] == ["ConfigMap", "ServiceAccount"]
    settings.expect(rf"^{settings.namespace} +b ", "get", "configmaps", "--all-namespaces")
    settings.expect("No resources found", "get", "pods")


def test_describe(settings: Kubectl) -> None:
    settings.expect(
        r"(?s)Name: +settings.*Data\n====\na:\n----\n1", "describe", "configmap", "settings"
    )
    settings.run("create", "service", "clusterip", "web", "--tcp=80:8080")
    settings.expect(r"TargetPort: +8080/TCP", "describe", "service", "web")
    settings.expect(r"Status: +Active", "describe", "namespace", settings.namespace)


def test_client_side_apply_prunes_what_the_manifest_no_longer_has(kubectl: Kubectl) -> None:
    apply = ("apply", "-f", "-")
    kubectl.expect(r"configmap/settings created\nservice/web created", *apply, stdin=MANIFEST)
    kubectl.expect(r"configmap/settings unchanged\nservice/web unchanged", *apply, stdin=MANIFEST)
    changed = MANIFEST.replace("{colour: red}", "{shape: round}")
    kubectl.expect(r"configmap/settings configured\nservice/web unchanged", *apply, stdin=changed)
    assert kubectl.json("get", "configmap", "settings")["data"] == {"shape": "round"}
    kubectl.expect(r"^data:\n +shape: round$", "apply", "view-last-applied", "configmap/settings")
    kubectl.run("apply", "set-last-applied", "-f", "-", "--create-annotation", stdin=MANIFEST)
    kubectl.expect("colour: red", "apply", "view-last-applied", "configmap/settings")
    only_map = MANIFEST.split("---", maxsplit=1)[0]
    prune = ("--prune", "-l", "part=manifest", "--prune-allowlist=core/v1/Service")
    kubectl.expect("service/web pruned", *apply, *prune, stdin=only_map)
    kubectl.expect('services "web" not found', "get", "service", "web", status=1)


def test_server_side_apply_and_its_conflicts(kubectl: Kubectl) -> None:
    apply = ("apply", "--server-side", "-f", "-")
    kubectl.expect("configmap/settings serverside-applied", *apply, stdin=MANIFEST)
    blue = MANIFEST.replace("red", "blue")
    refused = kubectl.run(*apply, "--field-manager=other", stdin=blue, status=1)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .data.colour' in refused
    kubectl.run(*apply, "--field-manager=other", "--force-conflicts", stdin=blue)
    managers = kubectl.json("get", "configmap", "settings", "--show-managed-fields")["metadata"][
        "managedFields"
    ]
    assert {(each["manager"], each["operation"]) for each in managers} == {
        ("kubectl", "Apply"),
        ("other", "Apply"),
    }
    assert kubectl.json("get", "configmap", "settings")["data"] == {"colour": "blue"}


def test_apply_moves_from_client_to_server_side(kubectl: Kubectl) -> None:
    kubectl.run("apply", "-f", "-", stdin=MANIFEST)
    kubectl.expect(
        "settings serverside-applied", "apply", "--server-side", "-f", "-", stdin=MANIFEST
    )
    without = MANIFEST.replace("{colour: red}", "{shape: round}")
    kubectl.run("apply", "--server-side", "-f", "-", stdin=without)
    assert kubectl.json("get", "configmap", "settings")["data"] == {"shape": "round"}


def test_diff(kubectl: Kubectl) -> None:
    kubectl.run("apply", "-f", "-", stdin=MANIFEST)
    assert kubectl.run("diff", "-f", "-", stdin=MANIFEST) == ""
    blue = MANIFEST.replace("red", "blue")
    for how in ((), ("--server-side", "--force-conflicts")):
        out = kubectl.run("diff", "-f", "-", *how, stdin=blue, status=1)
        assert re.search(r"^-  colour: red\n\+  colour: blue$", out, re.MULTILINE), out
    assert kubectl.json("get", "configmap", "settings")["data"] == {"colour": "red"}


def test_edit_with_an_editor(settings: Kubectl, tmp_path: Path) -> None:
    edit = ("edit", "configmap", "settings")
    editor = script(tmp_path / "editor", 'sed -i \'s/a: "1"/a: "2"/\' "$1"')
    settings.expect("configmap/settings edited", *edit, EDITOR=editor)
    assert settings.value("configmap", "settings", path="{.data.a}") == "2"
    settings.expect("Edit cancelled, no changes made", *edit, EDITOR="true")
    # what is refused comes back to the editor, and is left when nothing changes then
    wrong = script(tmp_path / "wrong", "sed -i 's/^  name: settings/  name: other/' \"$1\"")
    assert "error" in settings.run(*edit, status=1, EDITOR=wrong)
    assert settings.value("configmap", "settings", path="{.data.a}") == "2"


def test_replace(settings: Kubectl) -> None:
    found = settings.json("get", "configmap", "settings")
    found["data"] = {"b": "2"}
    settings.expect("configmap/settings replaced", "replace", "-f", "-", stdin=json.dumps(found))
    conflict = "the object has been modified; please apply your changes to the latest version"
    settings.expect(conflict, "replace", "-f", "-", stdin=json.dumps(found), status=1)
    uid = found["metadata"].pop("uid")
    del found["metadata"]["resourceVersion"]
    settings.expect(
        "configmap/settings replaced", "replace", "--force", "-f", "-", stdin=json.dumps(found)
    )
    assert settings.value("configmap", "settings", path="{.metadata.uid}") != uid


def test_three_forms_of_patch(settings: Kubectl) -> None:
    patch = ("patch", "configmap", "settings")
    settings.expect("configmap/settings patched", *patch, "-p", '{"data":{"b":"2"}}')
    settings.expect("patched", *patch, "--type=merge", "-p", '{"data":{"a":null}}')
    step = '[{"op":"replace","path":"/data/b","value":"3"}]'
    settings.expect("patched", *patch, "--type=json", "-p", step)
    settings.expect(r"patched \(no change\)", *patch, "-p", '{"data":{"b":"3"}}')
    assert settings.json("get", "configmap", "settings")["data"] == {"b": "3"}
    missing = '[{"op":"remove","path":"/data/nothing"}]'
    settings.expect("The request is invalid", *patch, "--type=json", "-p", missing, status=1)


def test_label_and_annotate(settings: Kubectl) -> None:
    name = "configmap/settings"
    settings.expect("configmap/settings labeled", "label", name, "tier=front")
    taken = "'tier' already has a value \\(front\\), and --overwrite is false"
    settings.expect(taken, "label", name, "tier=back", status=1)
    settings.expect("configmap/settings labeled", "label", name, "tier=back", "--overwrite")
    settings.expect("configmap/settings unlabeled", "label", name, "tier-")
    settings.expect("configmap/settings annotated", "annotate", name, "why=because")
    assert settings.value("configmap", "settings", path="{.metadata.annotations.why}") == "because"
    settings.expect("configmap/settings annotated", "annotate", name, "why-")
    metadata = settings.json("get", name)["metadata"]
    assert "labels" not in metadata
    assert "annotations" not in metadata
    settings.expect("invalid label value", "label", name, "tier=not valid", status=1)


def test_get_watch_shows_changes_as_they_come(settings: Kubectl) -> None:
    command = settings.command("get", "configmap", "settings", "--watch", "--output-watch-events")
    columns = "custom-columns=T:type,A:object.data.a"
    with subprocess.Popen(
        [*command, "-o", columns], stdout=subprocess.PIPE, text=True, env=settings.environment()
    ) as process:
        assert process.stdout
        try:
            lines = [process.stdout.readline().split() for _ in range(2)]
            settings.run("patch", "configmap", "settings", "-p", '{"data":{"a":"2"}}')
            lines.append(process.stdout.readline().split())
            settings.run("delete", "configmap", "settings")
            lines.append(process.stdout.readline().split())
        finally:
            process.terminate()
    assert lines == [["T", "A"], ["ADDED", "1"], ["MODIFIED", "2"], ["DELETED", "2"]]


def test_wait(settings: Kubectl) -> None:
    wait = ("wait", "configmap/settings")
    settings.expect("configmap/settings condition met", *wait, "--for=jsonpath={.data.a}=1")
    settings.expect(
        "timed out waiting", *wait, "--for=jsonpath={.data.a}=2", "--timeout=1s", status=1
    )
    command = settings.command(*wait, "--for=delete", "--timeout=30s")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=settings.environment()
    ) as process:
        settings.run("delete", "configmap", "settings")
        output, _ = process.communicate(timeout=40)
        assert (process.returncode, output) == (0, "configmap/settings condition met\n")


def test_delete(settings: Kubectl) -> None:
    settings.run("apply", "-f", "-", stdin=MANIFEST)
    settings.expect(
        r'configmap "settings" deleted.*\nservice "web" deleted',
        "delete",
        "-f",
        "-",
        stdin=MANIFEST,
    )
    settings.expect('configmaps "settings" not found', "delete", "configmap", "settings", status=1)
    assert settings.run("delete", "configmap", "settings", "--ignore-not-found") == ""
    for name in ("b", "c"):
        settings.run("create", "configmap", name)
        settings.run("label", "configmap", name, "own=yes")
    settings.expect(r'"b" deleted.*\n.*"c" deleted', "delete", "configmaps", "-l", "own=yes")
    settings.run("create", "configmap", "held")
    settings.run(
        "patch", "configmap", "held", "-p", '{"metadata":{"finalizers":["example.com/hold"]}}'
    )
    settings.run("delete", "configmap", "held", "--wait=false")
    assert settings.value("configmap", "held", path="{.metadata.deletionTimestamp}")
    settings.run(
        "patch",
        "configmap",
        "held",
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/metadata/finalizers"}]',
    )
    settings.expect('configmaps "held" not found', "get", "configmap", "held", status=1)


def test_errors_reach_the_user_in_upstreams_words(settings: Kubectl) -> None:
    create = ("create", "-f", "-")
    unknown = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"datta":{}}'
    message = r'strict decoding error: unknown field "datta"'
    settings.expect(message, *create, stdin=unknown, status=1)
    settings.expect("unknown field", *create, "--validate=warn", stdin=unknown)
    upper = unknown.replace('"x"', '"X"').replace("datta", "data")
    settings.expect(
        'The ConfigMap "X" is invalid: metadata.name: Invalid value', *create, stdin=upper, status=1
    )
    nowhere = r'no matches for kind "Nothing" in version "v1"'
    settings.expect(
        nowhere,
        *create,
        stdin='{"apiVersion":"v1","kind":"Nothing","metadata":{"name":"x"}}',
        status=1,
    )
    settings.expect(
        r"the server doesn't have a resource type \"nothings\"", "get", "nothings", status=1
    )
    service = '{"apiVersion":"v1","kind":"Service","metadata":{"name":"x"},"spec":{"ports":[{"port":-1}]}}'
    settings.expect("spec.ports\\[0\\].port: Invalid value: -1", *create, stdin=service, status=1)
    settings.expect(
        '"data.a" is not a known field selector', "get", "cm", "--field-selector=data.a=1", status=1
    )
