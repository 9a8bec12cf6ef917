"""Stock kubectl on the cluster itself: what it offers, who may do what, certificates and tokens."""

import base64
import json
import subprocess
from pathlib import Path

import yaml

from tests.integration.cluster import Kubectl


def test_version_and_health(anywhere: Kubectl) -> None:
    anywhere.expect(r"^Server Version: v1\.37\.", "version")
    assert anywhere.run("get", "--raw", "/readyz") == "ok"
    anywhere.expect(r"^\[\+\]etcd ok$", "get", "--raw", "/readyz?verbose")
    anywhere.expect(
        rf"Kubernetes control plane.* is running at .*{anywhere.server.url}", "cluster-info"
    )


def test_raw_requests(anywhere: Kubectl) -> None:
    listed = json.loads(anywhere.run("get", "--raw", "/api/v1/namespaces/default/services"))
    assert listed["kind"] == "ServiceList"
    assert [item["metadata"]["name"] for item in listed["items"]] == ["kubernetes"]
    body = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}'
    path = "/api/v1/namespaces/default/configmaps"
    assert json.loads(anywhere.run("create", "--raw", path, "-f", "-", stdin=body))["metadata"][
        "uid"
    ]
    assert json.loads(anywhere.run("delete", "--raw", f"{path}/raw"))["status"] == "Success"
    anywhere.expect(
        "the server could not find the requested resource", "get", "--raw", "/apis/x", status=1
    )


def test_api_resources_and_versions(anywhere: Kubectl) -> None:
    anywhere.expect(r"^pods +po +v1 +true +Pod$", "api-resources")
    anywhere.expect(
        r"^deployments +deploy +apps/v1 +true +Deployment +create,\S*watch +all$",
        "api-resources",
        "-o",
        "wide",
    )
    names = anywhere.run(
        "api-resources", "--namespaced=false", "--api-group=", "-o", "name"
    ).split()
    assert names == ["componentstatuses", "namespaces", "nodes", "persistentvolumes"]
    versions = anywhere.run("api-versions").split()
    assert versions == sorted(versions)
    assert {
        "v1",
        "apps/v1",
        "batch/v1",
        "networking.k8s.io/v1",
        "rbac.authorization.k8s.io/v1",
    } <= set(versions)


def test_explain(anywhere: Kubectl) -> None:
    anywhere.expect(
        r"(?s)KIND: +Deployment.*FIELD: maxSurge",
        "explain",
        "deployment.spec.strategy.rollingUpdate.maxSurge",
    )
    anywhere.expect(r"nodeSelector\t<map\[string\]string>", "explain", "pod.spec")
    anywhere.expect(r"restartPolicy.*<string>\n", "explain", "pods", "--recursive")
    anywhere.expect(
        r"GROUP: +batch\nKIND: +CronJob", "explain", "cronjob", "--api-version=batch/v1"
    )
    anywhere.expect('field "nothing" does not exist', "explain", "pod.nothing", status=1)


def test_config_view(anywhere: Kubectl) -> None:
    shown = yaml.safe_load(anywhere.run("config", "view"))
    assert shown["clusters"][0]["cluster"]["server"] == anywhere.server.url
    assert shown["users"][0]["user"]["client-key-data"] == "DATA+OMITTED"
    context = anywhere.run("config", "current-context").strip()
    anywhere.expect(rf"^\* +{context} ", "config", "get-contexts")
    minified = json.loads(anywhere.run("config", "view", "--minify", "--flatten", "-o", "json"))
    assert base64.b64decode(minified["users"][0]["user"]["client-key-data"]).startswith(
        b"-----BEGIN"
    )


def test_who_may_do_what(kubectl: Kubectl) -> None:
    assert kubectl.run("auth", "can-i", "delete", "nodes").endswith("yes\n")
    kubectl.expect("^Username +kubernetes-admin$", "auth", "whoami")
    account = f"system:serviceaccount:{kubectl.namespace}:robot"
    kubectl.run("create", "serviceaccount", "robot")
    kubectl.run("create", "role", "reader", "--verb=get,list", "--resource=pods")
    kubectl.run(
        "create", "rolebinding", "b", "--role=reader", f"--serviceaccount={kubectl.namespace}:robot"
    )
    kubectl.expect("^yes$", "auth", "can-i", "list", "pods", f"--as={account}")
    kubectl.expect("^no", "auth", "can-i", "delete", "pods", f"--as={account}", status=1)
    kubectl.expect(
        r"^pods +\[\] +\[\] +\[get list\]$", "auth", "can-i", "--list", f"--as={account}"
    )
    forbidden = f'User "{account}" cannot list resource "secrets" in API group ""'
    kubectl.expect(forbidden, "get", "secrets", f"--as={account}", status=1)
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader", "namespace": kubectl.namespace},
        "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}],
    }
    kubectl.expect("reader reconciled", "auth", "reconcile", "-f", "-", stdin=json.dumps(role))
    kubectl.expect("^yes$", "auth", "can-i", "get", "secrets", f"--as={account}")


def test_a_token_for_a_service_account(kubectl: Kubectl) -> None:
    kubectl.run("create", "serviceaccount", "robot")
    token = kubectl.run("create", "token", "robot", "--duration=1h").strip()
    account = f"system:serviceaccount:{kubectl.namespace}:robot"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "c",
                "cluster": {
                    "server": kubectl.server.url,
                    "certificate-authority": str(kubectl.server.data / "pki/ca.crt"),
                },
            }
        ],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    path = kubectl.home / "token.conf"
    path.write_text(json.dumps(config))
    kubectl.expect(f"Username +{account}", "auth", "whoami", f"--kubeconfig={path}")
    config["users"] = [{"name": "u", "user": {"token": f"{token}x"}}]
    path.write_text(json.dumps(config))
    refused = "You must be logged in to the server|asked for the client to provide credentials"
    kubectl.expect(refused, "get", "pods", f"--kubeconfig={path}", status=1)
    kubectl.expect('serviceaccounts "nobody" not found', "create", "token", "nobody", status=1)


def test_a_certificate_is_requested_and_approved(anywhere: Kubectl, tmp_path: Path) -> None:
    files = ["-keyout", str(tmp_path / "jane.key"), "-out", str(tmp_path / "jane.csr")]
    openssl = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=jane/O=developers",
    ]
    subprocess.run([*openssl, *files], check=True, capture_output=True)
    request = base64.b64encode((tmp_path / "jane.csr").read_bytes()).decode()
    spec = {
        "request": request,
        "signerName": "kubernetes.io/kube-apiserver-client",
        "usages": ["client auth"],
    }
    body = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "spec": spec,
    }
    for name in ("jane", "john"):
        anywhere.run("create", "-f", "-", stdin=json.dumps({**body, "metadata": {"name": name}}))
    anywhere.expect(
        r"^jane +\d+s +kubernetes.io/kube-apiserver-client +kubernetes-admin +<none> +Pending$",
        "get",
        "csr",
    )
    anywhere.expect(
        "certificatesigningrequest.certificates.k8s.io/jane approved",
        "certificate",
        "approve",
        "jane",
    )
    anywhere.expect("john denied", "certificate", "deny", "john")
    anywhere.within(20, r"(?s)^jane .*Approved,Issued$.*^john .*Denied$", "get", "csr")
    issued = base64.b64decode(anywhere.value("csr", "jane", path="{.status.certificate}"))
    (tmp_path / "jane.crt").write_bytes(issued)
    identity = [
        f"--client-certificate={tmp_path / 'jane.crt'}",
        f"--client-key={tmp_path / 'jane.key'}",
    ]
    identity += [f"--server={anywhere.server.url}"]
    identity += [f"--certificate-authority={anywhere.server.data / 'pki/ca.crt'}"]
    anywhere.expect(
        r"Username +jane(?s:.*)developers", "auth", "whoami", *identity, "--kubeconfig=/dev/null"
    )


def test_namespaces_and_what_every_one_has(anywhere: Kubectl) -> None:
    anywhere.run("create", "namespace", "fresh")
    anywhere.within(20, "^default ", "get", "serviceaccounts", "--namespace=fresh")
    anywhere.within(20, "^kube-root-ca.crt ", "get", "configmaps", "--namespace=fresh")
    anywhere.expect(r'namespace "fresh" deleted', "delete", "namespace", "fresh")
    anywhere.expect('namespaces "fresh" not found', "get", "namespace", "fresh", status=1)
    names = anywhere.run("get", "namespaces", "-o", "name").split()
    assert {
        f"namespace/{name}" for name in ("default", "kube-node-lease", "kube-public", "kube-system")
    } < set(names)


def test_debug_dump_of_the_cluster(anywhere: Kubectl) -> None:
    dump = anywhere.run("cluster-info", "dump", "--namespaces=kube-system")
    assert '"kind": "NodeList"' in dump
