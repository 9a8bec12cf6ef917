"""Small controllers: ServiceCIDRs, bootstrap tokens, trust bundles, old tokens, policies."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.bootstrap_signer import CONTROLLER as SIGNER
from pykube_cp.controllers.bootstrap_signer import signature
from pykube_cp.controllers.cluster_trust_bundle_publisher import CONTROLLER as BUNDLES
from pykube_cp.controllers.legacy_service_account_token_cleaner import CONTROLLER as LEGACY
from pykube_cp.controllers.legacy_service_account_token_cleaner import secret_names
from pykube_cp.controllers.pod_certificate_request_cleaner import CONTROLLER as POD_CERTIFICATES
from pykube_cp.controllers.service_cidr import CONTROLLER as SERVICE_CIDR
from pykube_cp.controllers.shared.cluster_kinds import (
    CLUSTER_TRUST_BUNDLES,
    IP_ADDRESSES,
    POD_CERTIFICATE_REQUESTS,
    SERVICE_CIDRS,
    VALIDATING_ADMISSION_POLICIES,
)
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, SECRETS
from pykube_cp.controllers.token_cleaner import CONTROLLER as TOKEN_CLEANER
from pykube_cp.controllers.validating_admission_policy_status import CONTROLLER as POLICIES
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, pod

pytestmark = pytest.mark.virtual_time


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def find(run: Harness, gvr: GVR, name: str, namespace: str = "") -> Json:
    found = run.client.find(gvr, name, namespace)
    assert found is not None
    return found


# --- ServiceCIDRs


def service_cidr(name: str, *cidrs: str) -> Json:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": meta(name, ""),
        "spec": {"cidrs": list(cidrs)},
    }


def ip_address(address: str) -> Json:
    labels = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IPAddress",
        "metadata": meta(address, "", labels=labels),
        "spec": {},
    }


def ready(run: Harness, name: str) -> tuple[str, str, str]:
    condition = find(run, SERVICE_CIDRS, name)["status"]["conditions"][0]
    return condition["status"], condition.get("reason", ""), condition["message"]


async def test_service_cidr_is_ready_and_held_by_its_addresses() -> None:
    seeds = (service_cidr("one", "10.0.0.0/24"), ip_address("10.0.0.5"))
    async with running(SERVICE_CIDR, objects=seeds) as run:
        assert ready(run, "one") == ("True", "", "Kubernetes Service CIDR is ready")
        held = "networking.k8s.io/service-cidr-finalizer"
        assert objects.finalizers(find(run, SERVICE_CIDRS, "one")) == [held]
        await run.client.delete(SERVICE_CIDRS, "one")
        await run.settle(60)
        assert ready(run, "one")[:2] == ("False", "Terminating")
        run.client.remove(IP_ADDRESSES, "10.0.0.5")
        await run.settle(60)
        assert run.client.find(SERVICE_CIDRS, "one") is None


async def test_service_cidr_inside_another_goes_after_a_while() -> None:
    seeds = (
        service_cidr("small", "10.0.0.0/24"),
        service_cidr("large", "10.0.0.0/16"),
        ip_address("10.0.0.5"),
    )
    async with running(SERVICE_CIDR, objects=seeds) as run:
        await run.client.delete(SERVICE_CIDRS, "small")
        await run.settle(5)
        assert run.client.find(SERVICE_CIDRS, "small") is not None
        await run.settle(10)
        assert run.client.find(SERVICE_CIDRS, "small") is None


# --- bootstrap tokens


def token(name: str = "abcdef", **data: str) -> Json:
    values = {"token-id": name, "token-secret": "0123456789abcdef", **data}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "bootstrap.kubernetes.io/token",
        "metadata": meta(f"bootstrap-token-{name}", "kube-system"),
        "data": {key: encode(value) for key, value in values.items()},
    }


def test_signature_is_a_detached_jws() -> None:
    header, middle, digest = signature("content", "abcdef", "secret").split(".")
    padded = header + "=" * (-len(header) % 4)
    assert base64.urlsafe_b64decode(padded) == b'{"alg":"HS256","kid":"abcdef"}'
    assert middle == ""
    payload = base64.urlsafe_b64encode(b"content").rstrip(b"=").decode()
    wanted = hmac.digest(b"secret", f"{header}.{payload}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)) == wanted


async def test_cluster_info_is_signed_with_every_token() -> None:
    info = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta("cluster-info", "kube-public"),
        "data": {"kubeconfig": "x", "jws-kubeconfig-gone00": "old"},
    }
    signing = {"usage-bootstrap-signing": "true"}
    seeds = (
        info,
        token(**signing),
        token("ghijkl"),
        token("mnopqr", expiration="2000-01-01T00:00:00Z", **signing),
    )
    config = ControllerManagerConfig(controllers=(SIGNER.name,))
    async with running(SIGNER, objects=seeds, config=config) as run:
        data = find(run, CONFIG_MAPS, "cluster-info", "kube-public")["data"]
        assert data == {
            "kubeconfig": "x",
            "jws-kubeconfig-abcdef": signature("x", "abcdef", "0123456789abcdef"),
        }
        run.client.remove(SECRETS, "bootstrap-token-abcdef", "kube-system")
        await run.settle(5)
        data = find(run, CONFIG_MAPS, "cluster-info", "kube-public")["data"]
        assert data == {"kubeconfig": "x"}


async def test_expired_tokens_go() -> None:
    soon = clock.format_time(clock.now() + 60)
    seeds = (token(expiration=soon), token("ghijkl"), token("mnopqr", expiration="nonsense"))
    async with running(TOKEN_CLEANER, objects=seeds) as run:
        assert {objects.name(item) for item in run.client.all(SECRETS)} == {
            "bootstrap-token-abcdef",
            "bootstrap-token-ghijkl",
        }
        await run.settle(60)
        assert [objects.name(item) for item in run.client.all(SECRETS)] == [
            "bootstrap-token-ghijkl"
        ]


# --- the rest


async def test_trust_bundle_of_the_api_server() -> None:
    signer = "kubernetes.io/kube-apiserver-serving"

    def bundle(name: str, signer_name: str) -> Json:
        return {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "ClusterTrustBundle",
            "metadata": meta(name, ""),
            "spec": {"signerName": signer_name, "trustBundle": "old"},
        }

    config = ControllerManagerConfig(root_ca_pem="PEM")
    seeds = (bundle("old", signer), bundle("other", "example.com/x"))
    async with running(BUNDLES, objects=seeds, config=config) as run:
        name = f"kubernetes.io:kube-apiserver-serving:{hashlib.sha256(b'PEM').hexdigest()[:24]}"
        assert {objects.name(item) for item in run.client.all(CLUSTER_TRUST_BUNDLES)} == {
            "other",
            name,
        }
        made = find(run, CLUSTER_TRUST_BUNDLES, name)
        assert made["spec"] == {"signerName": signer, "trustBundle": "PEM"}
        run.client.remove(CLUSTER_TRUST_BUNDLES, name)
        await run.settle(5)
        assert find(run, CLUSTER_TRUST_BUNDLES, name)


async def test_policy_status() -> None:
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": meta("p", "", generation=3),
        "spec": {},
    }
    async with running(POLICIES, objects=(policy,)) as run:
        status = find(run, VALIDATING_ADMISSION_POLICIES, "p")["status"]
        assert status == {"observedGeneration": 3, "typeChecking": {}}
        patches = run.client.writes("patch", resource="validatingadmissionpolicies")
        assert len(patches) == 1


async def test_pod_certificate_requests_go() -> None:
    request = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "PodCertificateRequest",
        "metadata": meta("r"),
        "spec": {},
    }
    async with running(POD_CERTIFICATES, objects=(request,)) as run:
        await run.settle(14 * 60)
        assert run.client.find(POD_CERTIFICATE_REQUESTS, "r", NS)
        await run.settle(60)
        assert run.client.find(POD_CERTIFICATE_REQUESTS, "r", NS) is None


def legacy(name: str, **labels: str) -> Json:
    annotations = {"kubernetes.io/service-account.name": "default"}
    created = "2020-01-01T00:00:00Z"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": meta(
            name,
            labels={
                f"kubernetes.io/legacy-token-{key.replace('_', '-')}": value
                for key, value in labels.items()
            },
            annotations=annotations,
            creationTimestamp=created,
        ),
    }


async def test_unused_legacy_tokens_are_marked_and_go_a_period_later() -> None:
    names = ("unused", "used", "mounted", "stale")
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta("default"),
        "secrets": [{"name": name} for name in names],
    }
    tracking = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta("kube-apiserver-legacy-service-account-token-tracking", "kube-system"),
        "data": {"since": "2020-01-01"},
    }
    today = clock.timestamp()[:10]
    mounting = pod("p", spec={"volumes": [{"name": "t", "secret": {"secretName": "mounted"}}]})
    seeds = (
        account,
        tracking,
        mounting,
        legacy("unused", last_used="2021-01-01"),
        legacy("used", last_used=today),
        legacy("mounted"),
        legacy("manual"),
        legacy("stale", invalid_since="2022-01-01"),
    )
    async with running(LEGACY, objects=seeds) as run:
        shown = {objects.name(item): objects.labels(item) for item in run.client.all(SECRETS)}
        assert shown.keys() == {"unused", "used", "mounted", "manual"}
        assert shown["unused"]["kubernetes.io/legacy-token-invalid-since"] == today
        assert "kubernetes.io/legacy-token-invalid-since" not in shown["manual"]


def test_secrets_of_a_pod() -> None:
    spec: dict[str, Any] = {
        "imagePullSecrets": [{"name": "pull"}],
        "containers": [
            {
                "env": [{"valueFrom": {"secretKeyRef": {"name": "env"}}}],
                "envFrom": [{"secretRef": {"name": "from"}}],
            }
        ],
        "volumes": [
            {"secret": {"secretName": "plain"}},
            {"projected": {"sources": [{"secret": {"name": "projected"}}]}},
            {"azureFile": {"secretName": "azure"}},
            {"csi": {"nodePublishSecretRef": {"name": "csi"}}},
        ],
    }
    assert set(secret_names(spec)) == {"pull", "env", "from", "plain", "projected", "azure", "csi"}
