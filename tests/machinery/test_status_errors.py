"""Refusals: their texts, the Status they become, and what they are taken for."""

from typing import Any

import pytest

from pykube_cp.machinery import errors, field_errors, go_text
from pykube_cp.machinery.field_errors import FieldError, Path

PODS = ("", "pods")
DEPLOYMENTS = ("apps", "deployments")


@pytest.mark.parametrize(
    ("error", "code", "reason", "message", "details"),
    [
        (
            errors.not_found(DEPLOYMENTS, "web"),
            404,
            "NotFound",
            'deployments.apps "web" not found',
            {"name": "web", "group": "apps", "kind": "deployments"},
        ),
        (
            errors.forbidden(PODS, "", 'User "x" cannot list'),
            403,
            "Forbidden",
            'pods is forbidden: User "x" cannot list',
            {"kind": "pods"},
        ),
        (errors.forbidden(("", ""), "", "no"), 403, "Forbidden", "forbidden: no", {}),
        (
            errors.conflict(PODS, "a", "changed"),
            409,
            "Conflict",
            'Operation cannot be fulfilled on pods "a": changed',
            {"name": "a", "kind": "pods"},
        ),
        (
            errors.internal_error("boom"),
            500,
            "InternalError",
            "Internal error occurred: boom",
            {"causes": [{"message": "boom"}]},
        ),
        (errors.unauthorized(""), 401, "Unauthorized", "not authorized", None),
        (
            errors.too_many_requests("slow down", 3),
            429,
            "TooManyRequests",
            "slow down",
            {"retryAfterSeconds": 3},
        ),
        (
            errors.too_large_resource_version(9, 5, 1),
            504,
            "Timeout",
            "Timeout: Too large resource version: 9, current: 5",
            {
                "causes": [
                    {
                        "reason": "ResourceVersionTooLarge",
                        "message": "Too large resource version",
                    }
                ],
                "retryAfterSeconds": 1,
            },
        ),
        (
            errors.generic_server_response(422, "", ("", ""), "", "x", 0, is_unexpected=False),
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
            {},
        ),
        (
            errors.generic_server_response(404, "GET", PODS, "a", "x", 0, is_unexpected=True),
            404,
            "NotFound",
            "the server could not find the requested resource (get pods a)",
            {
                "name": "a",
                "kind": "pods",
                "causes": [{"reason": "UnexpectedServerResponse", "message": "x"}],
            },
        ),
    ],
)
def test_status(
    error: errors.StatusError, code: int, reason: str, message: str, details: Any
) -> None:
    status = error.status()
    assert (status["code"], status["reason"], status["message"]) == (code, reason, message)
    assert status.get("details") == details
    again = errors.from_status(status)
    assert again.status() == status


def test_invalid_lists_each_cause_once_in_its_message() -> None:
    path = Path("spec").child("containers").index(0)
    found = [
        FieldError.required(path.child("name"), ""),
        FieldError.invalid(path.child("image"), "a b", "must not have spaces"),
        FieldError.required(path.child("name"), ""),
    ]
    error = errors.invalid(("", "Pod"), "a", found)
    assert str(error) == (
        'Pod "a" is invalid: [spec.containers[0].name: Required value, '
        'spec.containers[0].image: Invalid value: "a b": must not have spaces]'
    )
    assert [cause["field"] for cause in error.causes] == [
        "spec.containers[0].name",
        "spec.containers[0].image",
        "spec.containers[0].name",
    ]


def test_predicates_go_by_code_only_where_the_reason_is_unknown() -> None:
    assert errors.is_conflict(errors.conflict(PODS, "a", ""))
    assert not errors.is_conflict(errors.already_exists(PODS, "a"))
    assert errors.is_not_found(errors.StatusError(404, "", ""))
    assert not errors.is_not_found(errors.StatusError(404, "Conflict", ""))
    assert not errors.is_not_found(ValueError())
    assert errors.is_gone_or_expired(errors.resource_expired("x"))
    assert errors.is_too_large_resource_version(errors.too_large_resource_version(2, 1, 1))


def test_delay() -> None:
    assert errors.suggests_client_delay(errors.server_timeout(PODS, "list", 0)) == 0
    assert errors.suggests_client_delay(errors.too_many_requests("", 2)) == 2
    assert errors.suggests_client_delay(errors.not_found(PODS, "a")) is None


SPEC = Path("spec")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FieldError.invalid(SPEC, None, "no"), "spec: Invalid value: null: no"),
        (FieldError.invalid(SPEC, 1.5e21, ""), "spec: Invalid value: 1.5e+21"),
        (FieldError.invalid(SPEC, {"a": "<"}, ""), 'spec: Invalid value: {"a":"\\u003c"}'),
        (FieldError.invalid(SPEC, field_errors.OMITTED, "x"), "spec: Invalid value: x"),
        (FieldError.invalid(None, True, "x"), "<nil>: Invalid value: true: x"),
        (
            FieldError.not_supported(SPEC, "c", ["a", "b"]),
            'spec: Unsupported value: "c": supported values: "a", "b"',
        ),
        (FieldError.duplicate(SPEC, "a\n"), 'spec: Duplicate value: "a\\n"'),
        (FieldError.not_found(SPEC, "a"), 'spec: Not found: "a"'),
        (FieldError.forbidden(SPEC, "no"), "spec: Forbidden: no"),
        (FieldError.too_long(SPEC, "aaa", 1), "spec: Too long: may not be more than 1 byte"),
        (
            FieldError.too_long_characters(SPEC, "aaa", 2),
            "spec: Too long: may not be more than 2 characters",
        ),
        (FieldError.too_many(SPEC, 3, 2), "spec: Too many: 3: must have at most 2 items"),
        (FieldError.too_many(SPEC, -1, 1), "spec: Too many: must have at most 1 item"),
        (FieldError.too_few(SPEC, 0, 1), "spec: Too few: 0: must have at least 1 item"),
        (FieldError.internal(SPEC, "boom"), "spec: Internal error: boom"),
    ],
)
def test_field_error(error: FieldError, text: str) -> None:
    assert error.error() == text


def test_paths() -> None:
    assert str(Path("metadata").child("labels").key("a.b/c")) == "metadata.labels[a.b/c]"
    assert str(Path().child("a", "b").index(0).child("c")) == "a.b[0].c"
    assert str(Path()) == "<nil>"
    assert Path("a").child("b") == Path("a", "b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e6, "1e+06"),
        (123456.5, "123456.5"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.0, "-0"),
        (100.0, "100"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert go_text.number(value) == text


def test_strings() -> None:
    assert go_text.quote('a"\\\x00\x7f\u200b\U000e0001é') == (
        '"a\\"\\\\\\x00\\x7f\\u200b\\U000e0001é"'
    )
