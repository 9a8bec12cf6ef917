"""Who may write policies, and under which names; texts are upstream's."""

from typing import Any

import pytest
import pytest_asyncio

from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROUP = "/apis/admissionregistration.k8s.io/v1"
POLICIES = f"{GROUP}/mutatingadmissionpolicies"
BINDINGS = f"{POLICIES[:-3]}ybindings"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
RULE = {
    "apiGroups": ["apps"],
    "apiVersions": ["v1"],
    "operations": ["CREATE"],
    "resources": ["deployments"],
}
JO = "&{jo  [system:authenticated] map["


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def jo(api: Api) -> None:
    """May write policies, and read config maps."""
    rules = [
        {"apiGroups": ["admissionregistration.k8s.io"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]},
    ]
    await api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "jo"}, "rules": rules})
    binding = {
        "metadata": {"name": "jo"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "jo"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jo"}],
    }
    await api("POST", f"{RBAC}/clusterrolebindings", binding)


def policy(kind: str = "", name: str = "p", **spec: Any) -> dict[str, Any]:
    patch = {"patchType": "JSONPatch", "jsonPatch": {"expression": "[]"}}
    made: dict[str, Any] = {
        "matchConstraints": {"resourceRules": [RULE]},
        "mutations": [patch],
        "reinvocationPolicy": "Never",
    }
    if kind:
        made["paramKind"] = {"apiVersion": "v1", "kind": kind}
    return {"metadata": {"name": name}, "spec": made | spec}


def binding(to: str, **reference: Any) -> dict[str, Any]:
    reference["parameterNotFoundAction"] = "Deny"
    return {"metadata": {"name": "b"}, "spec": {"policyName": to, "paramRef": reference}}


async def refusal(api: Api, path: str, body: Any, user: str = "jo") -> str:
    answer = await api("POST", f"{path}?dryRun=All", body, user=user)
    if answer.status == 201:
        return ""
    assert answer.status == 422
    return answer.message.partition(" is invalid: ")[2]


async def test_parameters_of_a_policy_must_be_readable(api: Api) -> None:
    assert await refusal(api, POLICIES, policy("ConfigMap")) == ""
    assert await refusal(api, POLICIES, policy("Secret"), "admin") == ""
    text = await refusal(api, POLICIES, policy("Secret"))
    assert text.startswith(f"spec.paramKind: Forbidden: user {JO}")
    assert text.endswith(
        '} must have "get" permission on all objects of the referenced paramKind (kind=Secret, '
        "apiVersion=v1)"
    )


async def test_only_what_else_is_right_is_judged(api: Api) -> None:
    text = await refusal(api, POLICIES, policy("Secret", failurePolicy="Odd"))
    assert text == (
        'spec.failurePolicy: Unsupported value: "Odd": supported values: "Fail", "Ignore"'
    )


async def test_parameters_of_a_binding_must_be_readable(api: Api) -> None:
    for name, kind in (("of-maps", "ConfigMap"), ("of-secrets", "Secret"), ("of-what", "What")):
        assert (await api("POST", POLICIES, policy(kind, name))).status == 201
    assert await refusal(api, BINDINGS, binding("of-maps", name="x", namespace="default")) == ""
    text = await refusal(api, BINDINGS, binding("of-secrets", name="x"))
    # Upstream mixes up the user and the verb.
    assert text.startswith(f'spec.paramRef: Forbidden: user get does not have "{JO}')
    assert text.endswith('" permission on the object referenced by paramRef')
    text = await refusal(api, BINDINGS, binding("of-maps", selector={}))
    assert text.startswith("spec.paramRef: Forbidden: user list does not have")
    for name, why in (
        ("of-what", "unable to resolve paramKind &{v1 What}"),
        ("of-none", "unable to get policy of-none"),
    ):
        text = await refusal(api, BINDINGS, binding(name, name="x"))
        assert text.startswith(
            f"spec.paramRef: Forbidden: {why} to determine minimum required permissions and user {JO}"
        )


async def test_mutating_policies_know_no_deletes(api: Api) -> None:
    match = {"resourceRules": [RULE | {"operations": ["DELETE"]}]}
    for path, body in (
        (POLICIES, policy(matchConstraints=match)),
        (
            BINDINGS,
            {"metadata": {"name": "b"}, "spec": {"policyName": "p", "matchResources": match}},
        ),
    ):
        field = "matchConstraints" if path == POLICIES else "matchResources"
        assert await refusal(api, path, body) == (
            f'spec.{field}.resourceRules.operations: Unsupported value: "DELETE": supported values: '
            '"*", "CONNECT", "CREATE", "UPDATE"'
        )


async def test_reserved_names(api: Api) -> None:
    text = await refusal(api, POLICIES, policy(name="a.static.k8s.io"))
    assert text == (
        'metadata.name: Invalid value: "a.static.k8s.io": names ending with ".static.k8s.io" are '
        "reserved for static manifest-based configurations and cannot be managed via the API"
    )


async def test_webhooks_are_never_told_of_reviews(api: Api) -> None:
    rules = [
        {"apiGroups": [group], "apiVersions": ["*"], "operations": ["*"], "resources": [resource]}
        for group, resource in (
            ("authentication.k8s.io", "tokenreviews"),
            ("authentication.k8s.io", "*"),
            ("", "pods"),
        )
    ]
    webhook = {
        "name": "a.example.com",
        "clientConfig": {"url": "https://example.com"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "rules": rules,
    }
    body = {"metadata": {"name": "a"}, "webhooks": [webhook]}
    answer = await api("POST", f"{GROUP}/validatingwebhookconfigurations?dryRun=All", body)
    assert answer.status == 201
    assert answer.headers["warning"] == (
        '299 - "webhooks[0].rules[0]: tokenreviews.authentication.k8s.io is excluded from admission '
        'webhooks; this rule will have no effect"'
    )
