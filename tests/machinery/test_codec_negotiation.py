import pytest

from pykube_cp.machinery.codec.catalog import CODECS, JSON, PROTOBUF, YAML
from pykube_cp.machinery.codec.negotiation import (
    Accepted,
    NotAcceptableError,
    media_type_of,
    negotiate,
    parse_accept,
)
from pykube_cp.machinery.gvk import GVK

TABLE = GVK("meta.k8s.io", "v1", "Table")


def allows_tables(media_type: str, target: GVK | None) -> bool:
    return target is None or (target == TABLE and media_type == "application/json")


def agreed(header: str, *, stream: bool = False) -> Accepted:
    return negotiate(header, CODECS, allows=allows_tables, stream=stream)


@pytest.mark.parametrize(
    ("header", "codec"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("*", JSON),
        ("application/*", JSON),
        ("application/yaml", YAML),
        ("application/vnd.kubernetes.protobuf,application/json", PROTOBUF),
        ("application/json;q=0.5, application/yaml;q=0.9", YAML),
        ("*/*, application/yaml", YAML),
        ("text/html, application/vnd.kubernetes.protobuf", PROTOBUF),
    ],
)
def test_the_most_wanted_form_is_taken(header: str, codec: object) -> None:
    assert agreed(header).codec is codec


def test_kubectl_asks_for_tables_and_falls_back() -> None:
    v1beta1 = "application/json;as=Table;v=v1beta1;g=meta.k8s.io"
    header = f"application/json;as=Table;v=v1;g=meta.k8s.io,{v1beta1},application/json"
    assert agreed(header).convert == TABLE
    assert agreed(f"{v1beta1},application/json").convert is None
    assert (
        agreed("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,*/*").codec is JSON
    )


def test_parameters() -> None:
    accepted = agreed("application/json;stream=watch;pretty=1;profile=nopeer", stream=True)
    assert (accepted.stream, accepted.pretty, accepted.profile) == ("watch", True, "nopeer")


def test_nothing_fits() -> None:
    with pytest.raises(NotAcceptableError) as caught:
        agreed("text/html")
    assert str(caught.value) == (
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )
    with pytest.raises(NotAcceptableError) as caught:
        agreed("application/yaml", stream=True)
    assert str(caught.value) == (
        "only the following media types are accepted: application/json;stream=watch, "
        "application/vnd.kubernetes.protobuf;stream=watch"
    )
    with pytest.raises(NotAcceptableError, match=r"protobuf$"):
        agreed("application/json;stream=other", stream=True)


def test_malformed_clauses_are_skipped() -> None:
    assert [clause.subtype for clause in parse_accept("a, b/c/d, application/json;x;q=z=1")] == [
        "json"
    ]


def test_the_version_of_a_server() -> None:
    header = "application/json;sv=v1"
    assert negotiate(header, CODECS, server_version="v1").codec is JSON
    with pytest.raises(NotAcceptableError):
        negotiate(header, CODECS)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Application/JSON; charset=utf-8", "application/json"),
        (" application/json ;", "application/json"),
        ('application/json;a="b;\\"c";A="b;\\"c"', "application/json"),
        ("json", "json"),
        ("application/json;x", ""),
        ('application/json;x="', ""),
        ("application/json;x=a;x=b", ""),
        ("application/json;;", ""),
        ("application/json/x", ""),
        ("a b/c", ""),
        ("/json", ""),
    ],
)
def test_content_types(header: str, found: str) -> None:
    assert media_type_of(header) == found


def test_of_endless_headers_neither_much_is_made_nor_anything_kept() -> None:
    parameters = ";a=b" * (1 << 17)
    assert media_type_of(f"application/json{parameters}") == "application/json"
    assert media_type_of(f"application/json;a=b{' ' * (1 << 19)}!") == ""
    assert parse_accept(f"*/*{parameters}") is not parse_accept(f"*/*{parameters}")
