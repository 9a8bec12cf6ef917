"""Service account tokens: whose they are, and why they are refused."""

import base64
import uuid
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pykube_cp.authn.chain import AuthenticationChain
from pykube_cp.authn.interface import AuthenticationError, Credentials
from pykube_cp.authn.service_account import METRICS, ServiceAccount
from pykube_cp.authn.tokens import TokenSigner, TokenVerifier
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import CREDENTIAL_ID

ISSUER = "https://issuer"
NOW = clock.now()


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long ago the tests were collected."""
    monkeypatch.setattr(clock, "now", lambda: NOW)


class Objects:
    """A client that knows some objects."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], Object] = {}

    def add(self, plural: str, name: str, uid: str, **more: Any) -> Object:
        obj: Object = {"metadata": {"name": name, "uid": uid}, **more}
        self.found[plural, name] = obj
        return obj

    async def get(self, gvr: GVR, name: str, namespace: str = "", **_more: Any) -> Object:
        if (gvr.resource, name) not in self.found:
            raise errors.not_found((gvr.group, gvr.resource), name)
        return self.found[gvr.resource, name]


def _key() -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, public


PRIVATE, PUBLIC = _key()
OTHER, _ = _key()


@pytest.fixture(autouse=True)
def _at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


@pytest.fixture
def objects() -> Objects:
    made = Objects()
    made.add("serviceaccounts", "robot", "1")
    made.add("pods", "p", "2")
    return made


def claims(**more: Any) -> dict[str, Any]:
    private = {"namespace": "ns", "serviceaccount": {"name": "robot", "uid": "1"}}
    private |= more.pop("private", {})
    times = {"iat": NOW, "nbf": NOW, "exp": NOW + 600}
    return {**times, "aud": [ISSUER], "jti": "7", "kubernetes.io": private, **more}


async def judge(objects: Objects, said: dict[str, Any], *, key: bytes = PRIVATE) -> Any:
    token = TokenSigner(key, ISSUER, (ISSUER,)).sign(said)
    return await _judge(objects, token)


async def _judge(objects: Objects, token: str) -> Any:
    verifier = TokenVerifier([PUBLIC])
    checker = ServiceAccount(verifier, (ISSUER,), (ISSUER,), objects)  # type: ignore[arg-type] - only get
    return await checker.authenticate(Credentials({"authorization": f"Bearer {token}"}))


async def test_a_good_token_names_its_account_and_itself(objects: Objects) -> None:
    bound = {"pod": {"name": "p", "uid": "2"}, "node": {"name": "gone"}}
    user = (await judge(objects, claims(private=bound))).user
    assert (user.name, user.uid) == ("system:serviceaccount:ns:robot", "1")
    assert user.extra[CREDENTIAL_ID] == ("JTI=7",)
    assert user.extra["authentication.kubernetes.io/node-name"] == ("gone",)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (claims(exp=NOW - 61), "service account token has expired"),
        (claims(nbf=NOW + 120), "service account token is not valid yet"),
        (claims(iat=NOW + 120), "service account token is issued in the future"),
        (
            claims(aud=["a", "b"]),
            f'token audiences ["a" "b"] is invalid for the target audiences ["{ISSUER}"]',
        ),
        (
            claims(private={"serviceaccount": {"name": "robot", "uid": "9"}}),
            "service account UID (1) does not match claim (9)",
        ),
        (
            claims(private={"serviceaccount": {"name": "none", "uid": "1"}}),
            'serviceaccounts "none" not found',
        ),
        (
            claims(private={"pod": {"name": "p", "uid": "9"}}),
            "pod UID (2) does not match service account pod ref claim (9)",
        ),
        (
            claims(private={"node": {"name": "gone", "uid": "1"}}),
            "service account token has been invalidated",
        ),
    ],
)
async def test_why_tokens_are_refused(objects: Objects, said: dict[str, Any], why: str) -> None:
    with pytest.raises(AuthenticationError) as refused:
        await judge(objects, said)
    assert str(refused.value) == why


async def test_clocks_may_differ_a_little(objects: Objects) -> None:
    assert await judge(objects, claims(exp=NOW - 30, nbf=NOW + 30))


async def test_what_is_deleted_is_good_for_a_moment(objects: Objects) -> None:
    account = objects.found["serviceaccounts", "robot"]["metadata"]
    account["deletionTimestamp"] = clock.format_time(NOW - 5)
    assert await judge(objects, claims())
    account["deletionTimestamp"] = clock.format_time(NOW - 90)
    with pytest.raises(AuthenticationError, match="service account ns/robot has been deleted"):
        await judge(objects, claims())


async def test_a_signature_by_another_key_is_none(objects: Objects) -> None:
    with pytest.raises(AuthenticationError, match="invalid signature, no keys found"):
        await judge(objects, claims(), key=OTHER)


async def test_other_tokens_are_someone_elses_business(objects: Objects) -> None:
    assert await _judge(objects, "a.b.c") is None
    assert await _judge(objects, "abc") is None


def legacy() -> dict[str, Any]:
    start = "kubernetes.io/serviceaccount/"
    return {
        "iss": "kubernetes/serviceaccount",
        "sub": "system:serviceaccount:ns:robot",
        f"{start}namespace": "ns",
        f"{start}secret.name": "s",
        f"{start}service-account.name": "robot",
        f"{start}service-account.uid": "1",
    }


def _signed(said: dict[str, Any]) -> str:
    return TokenSigner(PRIVATE, said["iss"], ()).sign(said)


async def test_a_token_out_of_a_secret_lives_as_long_as_the_secret_holds_it(
    objects: Objects,
) -> None:
    token = _signed(legacy())
    with pytest.raises(AuthenticationError, match="Token has been invalidated"):
        await _judge(objects, token)
    held = base64.b64encode(token.encode()).decode()
    secret = objects.add("secrets", "s", "3", data={"token": held})
    assert (await _judge(objects, token)).audiences == (ISSUER,)
    secret["metadata"]["labels"] = {"kubernetes.io/legacy-token-invalid-since": "2026-01-01"}
    with pytest.raises(AuthenticationError, match="has been marked invalid"):
        await _judge(objects, token)
    secret["data"]["token"] = base64.b64encode(uuid.uuid4().bytes).decode()
    with pytest.raises(AuthenticationError, match="does not match server's copy"):
        await _judge(objects, token)


async def test_reviews_say_all_that_is_wrong(objects: Objects) -> None:
    verifier = TokenVerifier([PUBLIC])
    checker = ServiceAccount(verifier, (ISSUER,), (ISSUER,), objects)  # type: ignore[arg-type] - only get
    chain = AuthenticationChain((checker,))
    token = TokenSigner(PRIVATE, ISSUER, ()).sign(claims(exp=NOW - 61))
    for shown, why in (
        (token, "[invalid bearer token, service account token has expired]"),
        ("a.b.c", "invalid bearer token"),
    ):
        with pytest.raises(AuthenticationError) as refused:
            await chain.authenticate_token(
                Credentials({"authorization": f"Bearer {shown}"}), (ISSUER,)
            )
        assert str(refused.value) == why


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        (claims(), (0, 0, 0)),
        (claims(private={"warnafter": NOW + 1}), (0, 0, 1)),
        (claims(private={"warnafter": NOW - 1}), (0, 1, 0)),
        (claims(aud=[]), (1, 0, 0)),
    ],
)
async def test_uses_are_counted(
    objects: Objects, said: dict[str, Any], counted: tuple[int, ...]
) -> None:
    before = [metric.values[()] for metric in METRICS]
    await judge(objects, said)
    after = [metric.values[()] for metric in METRICS]
    assert tuple(now - then for now, then in zip(after, before, strict=True)) == counted
