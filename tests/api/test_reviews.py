"""Questions about access and identity; texts are upstream's."""

from typing import Any

import pytest

from tests.api.serving import Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

AUTHORIZATION = "/apis/authorization.k8s.io/v1"
AUTHENTICATION = "/apis/authentication.k8s.io/v1"
PODS = {"namespace": "default", "verb": "get", "resource": "pods"}
HEALTH = {"path": "/healthz", "verb": "get"}
EITHER = "exactly one of nonResourceAttributes or resourceAttributes must be specified"


async def ask(api: Api, plural: str, spec: Any, **metadata: Any) -> Answer:
    return await api("POST", f"{AUTHORIZATION}/{plural}", {"metadata": metadata, "spec": spec})


async def refusal(api: Api, plural: str, spec: Any, **metadata: Any) -> str:
    answer = await ask(api, plural, spec, **metadata)
    assert answer.status == 422
    assert "kind" not in answer.json["details"]
    text = answer.message.removeprefix('.authorization.k8s.io "" is invalid: ')
    assert text != answer.message
    return text


def selecting(**selectors: Any) -> dict[str, Any]:
    return {"user": "jane", "resourceAttributes": PODS | selectors}


def term(operator: str, *values: str, key: str = "a") -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": values}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"user": "jane"}, f"spec: Invalid value: null: {EITHER}"),
        (
            {"user": "jane", "resourceAttributes": PODS, "nonResourceAttributes": HEALTH},
            f'spec: Invalid value: {{"Path":"/healthz","Verb":"get"}}: {EITHER}',
        ),
        (
            {"resourceAttributes": PODS},
            'spec.user: Invalid value: "": at least one of user or group must be specified',
        ),
        (
            selecting(fieldSelector={}),
            (
                "spec.resourceAttributes.fieldSelector.requirements: Required value: when "
                "spec.resourceAttributes.fieldSelector is specified, requirements or rawSelector is "
                "required"
            ),
        ),
        (
            selecting(labelSelector={"rawSelector": "a", "requirements": [term("Exists")]}),
            (
                'spec.resourceAttributes.labelSelector.rawSelector: Invalid value: "a": may not '
                "specified at the same time as requirements"
            ),
        ),
        (
            selecting(fieldSelector={"requirements": [term("In", key="")]}),
            (
                "[spec.resourceAttributes.fieldSelector.requirements[0].key: Required value: must be "
                "specified, spec.resourceAttributes.fieldSelector.requirements[0].values: Required "
                "value: must be specified when `operator` is 'In' or 'NotIn']"
            ),
        ),
    ],
)
async def test_refused(api: Api, spec: dict[str, Any], text: str) -> None:
    assert await refusal(api, "subjectaccessreviews", spec) == text


@pytest.mark.parametrize(
    ("selectors", "error"),
    [
        ({"fieldSelector": {"requirements": [term("In", "b")]}}, None),
        (
            {"fieldSelector": {"rawSelector": "a"}},
            "spec.resourceAttributes.fieldSelector ignored due to parse error",
        ),
        (
            {
                "fieldSelector": {"requirements": [term("Near", "b")]},
                "labelSelector": {"requirements": [term("Near", "b"), term("In", "b")]},
            },
            (
                "spec.resourceAttributes.fieldSelector ignored due to parse error; "
                "spec.resourceAttributes.labelSelector partially ignored due to parse error"
            ),
        ),
    ],
)
async def test_what_cannot_be_read(api: Api, selectors: Any, error: str | None) -> None:
    answer = await ask(api, "subjectaccessreviews", selecting(**selectors))
    assert answer.status == 201
    assert answer.json["status"].get("evaluationError") == error


async def test_metadata_of_questions(api: Api) -> None:
    own = {"resourceAttributes": PODS}
    text = await refusal(api, "selfsubjectaccessreviews", own, labels={"a": "b"})
    assert text.startswith('metadata: Invalid value: {"labels":{"a":"b"},"managedFields":[')
    assert text.endswith('"f:verb":{}}}}}]}: must be empty')
    for given in ({}, {"namespace": "default"}, {"uid": "x", "creationTimestamp": None}):
        answer = await ask(api, "selfsubjectaccessreviews", own, **given)
        assert answer.status == 201
        assert list(answer.json["metadata"]) == ["managedFields"]


async def test_in_one_namespace(api: Api) -> None:
    local = "namespaces/default/localsubjectaccessreviews"
    answer = await ask(api, local, {"user": "jane", "resourceAttributes": PODS})
    assert answer.status == 201
    assert answer.json["status"] == {"allowed": False}
    elsewhere = {"user": "jane", "resourceAttributes": PODS | {"namespace": "other"}}
    assert await refusal(api, local, elsewhere) == (
        'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'
    )
    assert await refusal(api, local, {"user": "jane", "nonResourceAttributes": HEALTH}) == (
        'spec.nonResourceAttributes: Invalid value: {"Path":"/healthz","Verb":"get"}: disallowed '
        "on this kind of request"
    )


async def test_answers_without_the_question(api: Api) -> None:
    answer = await ask(api, "selfsubjectrulesreviews", {"namespace": "default"}, name="mine")
    assert answer.json["metadata"] == {}
    assert answer.json["spec"] == {}
    path = f"{AUTHENTICATION}/selfsubjectreviews"
    answer = await api("POST", path, {"metadata": {"name": "mine"}})
    assert list(answer.json["metadata"]) == ["creationTimestamp"]
    assert answer.json["status"]["userInfo"]["username"] == "admin"


@pytest.mark.parametrize("token", ["x", "a.b.c"])
async def test_tokens_of_nobody(api: Api, token: str) -> None:
    answer = await api("POST", f"{AUTHENTICATION}/tokenreviews", {"spec": {"token": token}})
    assert answer.json["status"] == {"user": {}, "error": "invalid bearer token"}


async def test_questions_are_only_asked(api: Api) -> None:
    path = f"{AUTHENTICATION}/tokenreviews"
    assert (await api("GET", path)).status == 405
    assert (await api("GET", f"{path}/x")).status == 404


ATTESTATIONS = "spec.attestations"
WEBHOOK = {
    "kind": "MutatingWebhookConfiguration",
    "apiVersion": "admissionregistration.k8s.io/v1",
    "name": "x",
}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"attestations": {"a": ["b"]}, "expirationSeconds": 1},
            (
                f'{ATTESTATIONS}: Invalid value: {{"a":["b"]}}: attestations may only be specified '
                "with a webhook bound object reference"
            ),
        ),
        (
            {"boundObjectRef": WEBHOOK, "audiences": ["a", "b"]},
            (
                '[spec.audiences: Invalid value: ["a","b"]: must be length 1 when bound to a webhook '
                f"config, {ATTESTATIONS}: Invalid value: null: webhook bound requests require exactly "
                "one admissionReviewAPIGroups attestation]"
            ),
        ),
        (
            {"boundObjectRef": WEBHOOK, "audiences": ["a"], "attestations": {"a": ["b"]}},
            (
                f'{ATTESTATIONS}[a]: Unsupported value: "a": supported values: '
                '"admissionReviewAPIGroups"'
            ),
        ),
    ],
)
async def test_requests_for_tokens(api: Api, spec: dict[str, Any], text: str) -> None:
    path = await api.namespace()
    await api("POST", f"{path}/serviceaccounts", {"metadata": {"name": "a"}})
    answer = await api("POST", f"{path}/serviceaccounts/a/token", {"spec": spec})
    assert answer.message == f'TokenRequest.authentication.k8s.io "" is invalid: {text}'


async def test_tokens_for_webhooks_are_off(api: Api) -> None:
    path = await api.namespace()
    await api("POST", f"{path}/serviceaccounts", {"metadata": {"name": "a"}})
    attested = {"admissionReviewAPIGroups": ["*"]}
    spec = {"boundObjectRef": WEBHOOK, "audiences": ["a"], "attestations": attested}
    answer = await api("POST", f"{path}/serviceaccounts/a/token", {"spec": spec})
    assert answer.message == (
        "cannot bind token to object of type admissionregistration.k8s.io/v1, "
        "Kind=MutatingWebhookConfiguration (feature gate APIServerWebhookAuthenticationToken is "
        "disabled)"
    )


async def test_the_account_of_a_token(api: Api) -> None:
    path = await api.namespace()
    await api("POST", f"{path}/serviceaccounts", {"metadata": {"name": "a"}})
    answer = await api("POST", f"{path}/serviceaccounts/a/token", {"metadata": {"name": "b"}})
    assert answer.status == 422
    assert answer.message.endswith(
        'metadata.name: Invalid value: "b": must match the service account name if specified'
    )
    answer = await api("POST", f"{path}/serviceaccounts/a/token", {"metadata": {"uid": "x"}})
    assert answer.status == 409
