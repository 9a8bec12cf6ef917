"""What goes over the wire: media types, forms, and bodies that make no sense."""

import asyncio
from typing import Any

import pytest

from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec import protobuf
from pykube_cp.storage import object_store
from tests.api.serving import JSON, MERGE, PROTOBUF, Api, config_map, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
PARTIAL_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("body", "status", "text"),
    [
        (
            b"{",
            400,
            (
                "the object provided is unrecognized (must be of type ConfigMap): "
                "couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
            ),
        ),
        (b"", 400, "json parse error: unexpected end of JSON input (<empty>)"),
        (b"[]", 400, "json: cannot unmarshal array into Go value of type struct"),
        (b'"x"', 400, "(227822)"),
        (b'{"metadata": {"name": "a" "b"}}', 400, ' ({"metadata": {"name": "a" "b"} ...)'),
        (b'{"metadata": 1}', 400, "cannot be handled as a ConfigMap"),
        (b'{"metadata": {"name": "a"}, "data": {"x": 1}}', 400, "cannot be handled as a ConfigMap"),
        (b'{"metadata": {"name": "a", "labels": []}}', 400, "cannot be handled as a ConfigMap"),
        (b'{"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}', 400, "Secret"),
        (b'{"kind": "Nope", "metadata": {"name": "a"}}', 400, 'no kind "Nope" is registered'),
        (b'{"apiVersion": "v9", "metadata": {"name": "a"}}', 400, "v9"),
        (b'{"apiVersion": "v1/"}', 400, 'ConfigMap in version "" cannot be handled as a ConfigMap'),
        (b'{"apiVersion": "__internal"}', 400, "does not match the expected API version (v1)"),
        (
            b'{"metadata": {"name": "a", "labels": {"-": "x"}}}',
            422,
            "metadata.labels: Invalid value",
        ),
        (b'{"metadata": {"name": "../a"}}', 422, "metadata.name: Invalid value"),
        (b'{"metadata": {"name": "a\\u0000"}}', 422, "metadata.name: Invalid value"),
        (b"\xff\xfe", 400, "invalid character '\u00ff' looking for beginning of value (fffe)"),
        (b"[" * 20_000, 400, "invalid character '[' exceeded max depth"),
        (b'{"a":' * 20_000, 400, "invalid character '{' exceeded max depth"),
    ],
)
async def test_bad_bodies_are_refused(api: Api, body: bytes, status: int, text: str) -> None:
    path = await api.namespace() + "/configmaps"
    answer = await api("POST", path, body)
    assert answer.status == status, answer.body
    assert answer.json["kind"] == "Status"
    assert answer.json["reason"] == {400: "BadRequest", 422: "Invalid"}[status]
    assert text in answer.message
    assert (await api("GET", path)).json["items"] == []


async def test_internal_objects_have_no_field_that_a_client_could_name(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    body = b'{"apiVersion":"__internal","kind":"ConfigMap","metadata":{}}'
    answer = await api("POST", path, body)
    assert answer.warnings == ['299 - "unknown field \\"metadata\\""']
    answer = await api("POST", path + "?fieldValidation=Strict", body)
    assert answer.message == (
        'ConfigMap in version "__internal" cannot be handled as a ConfigMap: strict decoding error: '
        'unknown field "metadata"'
    )


async def test_bodies_have_a_limit(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    answer = await api("POST", path, config_map(x="y" * (3 << 20)))
    assert (answer.status, answer.json["reason"]) == (413, "RequestEntityTooLarge")
    assert answer.message == "Request entity too large: limit is 3145728"
    answer = await api("POST", path, config_map(x="y" * 500_000))
    assert answer.status == 201


async def test_unknown_media_types_are_refused(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    answer = await api("POST", path, b"<xml/>", "text/xml")
    assert (answer.status, answer.json["reason"]) == (415, "UnsupportedMediaType")
    answer = await api("GET", path, Accept="image/png")
    assert (answer.status, answer.json["reason"]) == (406, "NotAcceptable")


async def test_yaml_bodies(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    body = b"metadata:\n  name: a\ndata:\n  x: 'yes'\n"
    answer = await api("POST", path, body, "application/yaml", Accept="application/yaml")
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/yaml"
    assert (await api("GET", path + "/a")).json["data"] == {"x": "yes"}


async def test_protobuf_both_ways(api: Api) -> None:
    path = await api.namespace() + "/pods"
    body = codecs.encode(PROTOBUF, pod("a", labels={"x": "y"}))
    answer = await api("POST", path, body, PROTOBUF, Accept=PROTOBUF)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == PROTOBUF
    created = protobuf.decode(answer.body)
    assert created == (await api("GET", path + "/a")).json
    assert created["metadata"]["labels"] == {"x": "y"}
    found = protobuf.decode((await api("GET", path, Accept=PROTOBUF)).body)
    assert [item["metadata"]["name"] for item in found["items"]] == ["a"]
    answer = await api("GET", path + "/none", Accept=f"{PROTOBUF},{JSON}")
    assert answer.status == 404
    assert protobuf.decode(answer.body)["reason"] == "NotFound"
    answer = await api(
        "POST", path, codecs.encode(PROTOBUF, pod("b")).replace(b"Pod", b"Pud"), PROTOBUF
    )
    assert answer.message.startswith(
        'Pud in version "v1" cannot be handled as a Pod: no kind "Pud"'
    )
    for bad in (b"k8s\0", b"k8s\0\xff\xff\xff", body[:-3], b"{}"):
        assert (await api("POST", path, bad, PROTOBUF)).status == 400


async def test_tables(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    version = (await api("POST", path, config_map("a", x="1", y="2"))).version
    table = (await api("GET", path, Accept=f"{TABLE},{JSON}")).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:2] == ["a", 2]
    assert row["object"]["kind"] == "PartialObjectMetadata"
    assert "data" not in row["object"]
    assert int(table["metadata"]["resourceVersion"]) >= int(version)
    whole = (await api("GET", path + "/a?includeObject=Object", Accept=TABLE)).json
    assert whole["rows"][0]["object"]["data"] == {"x": "1", "y": "2"}
    bare = (await api("GET", path + "/a?includeObject=None", Accept=TABLE)).json
    assert bare["rows"][0].get("object") is None


async def test_tables_of_a_watch_name_their_columns_once(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    for name in ("a", "b"):
        await api("POST", path, config_map(name))
    async with api.watch(path + "?watch=1", TABLE) as events:
        first, second = [await anext(events) for _ in range(2)]
    assert first["object"]["columnDefinitions"][0]["name"] == "Name"
    assert second["object"]["columnDefinitions"] is None


async def test_metadata_alone(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    created = (await api("POST", path, config_map("a", x="1"))).json
    one = (await api("GET", path + "/a", Accept=PARTIAL)).json
    assert one == {
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": created["metadata"],
    }
    many = (await api("GET", path, Accept=PARTIAL_LIST)).json
    assert many["kind"] == "PartialObjectMetadataList"
    assert many["items"][0]["metadata"] == created["metadata"]
    async with api.watch(path + "?watch=1", PARTIAL) as events:
        event = await anext(events)
    assert event["object"] == one
    assert (await api("GET", path, Accept="application/json;as=Chair;v=v1;g=x")).status == 406


# Discovery.


async def test_discovery(api: Api) -> None:
    assert (await api("GET", "/api")).json["versions"] == ["v1"]
    groups = (await api("GET", "/apis")).json
    assert groups["kind"] == "APIGroupList"
    apps = next(group for group in groups["groups"] if group["name"] == "apps")
    assert apps["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    for path in ("/apis/apps", "/apis/apps/"):
        assert (await api("GET", path)).json["name"] == "apps"
    core = (await api("GET", "/api/v1")).json
    found = {row["name"]: row for row in core["resources"]}
    assert found["pods"]["shortNames"] == ["po"]
    assert found["pods"]["categories"] == ["all"]
    assert found["pods/status"]["verbs"] == ["get", "patch", "update"]
    assert found["pods/eviction"]["group"] == "policy"
    for path in ("/apis/none", "/apis/apps/v0", "/nowhere"):
        assert (await api("GET", path)).status == 404


async def test_aggregated_discovery(api: Api) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    answer = await api("GET", "/apis", Accept=f"{accept},{JSON}")
    assert answer.json["kind"] == "APIGroupDiscoveryList"
    assert answer.headers["Content-Type"] == accept
    names = {group["metadata"]["name"]: group for group in answer.json["items"]}
    version = names["apps"]["versions"][0]
    found: dict[str, Any] = {row["resource"]: row for row in version["resources"]}
    assert found["deployments"]["scope"] == "Namespaced"
    assert {sub["subresource"] for sub in found["deployments"]["subresources"]} == {
        "scale",
        "status",
    }
    again = await api("GET", "/apis", Accept=accept, If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    with_profile = await api("GET", "/apis", Accept=f"{accept};profile=nopeer,{JSON}")
    assert with_profile.json["kind"] == "APIGroupDiscoveryList"


async def test_versions_of_one_kind_show_the_same_objects(api: Api) -> None:
    name = (await api.namespace()).rpartition("/")[2]
    event = {
        "metadata": {"name": "e"},
        "involvedObject": {"kind": "Pod", "name": "p", "namespace": name},
        "message": "m",
        "reason": "R",
        "type": "Normal",
    }
    answer = await api("POST", f"/api/v1/namespaces/{name}/events", event)
    assert answer.status == 201, answer.body
    other = (await api("GET", f"/apis/events.k8s.io/v1/namespaces/{name}/events/e")).json
    assert (other["apiVersion"], other["note"]) == ("events.k8s.io/v1", "m")
    assert other["regarding"]["name"] == "p"
    assert other["metadata"]["resourceVersion"] == answer.version


@pytest.mark.parametrize(
    ("method", "kind"),
    [("POST", "application/yaml"), ("PATCH", "application/apply-patch+yaml")],
)
async def test_others_are_served_while_a_long_body_is_read(
    api: Api, method: str, kind: str
) -> None:
    path = await api.namespace()
    url = path + ("/configmaps" if method == "POST" else "/configmaps/a?fieldManager=me")
    body = b"apiVersion: v1\nkind: ConfigMap\ndata: [%s]" % (b"a," * 300_000)
    slow = asyncio.ensure_future(api(method, url, body, kind))
    served = 0
    while not slow.done():
        assert (await api("GET", path + "/configmaps")).status == 200
        served += 1
    assert served > 12  # some come before all of the body is there
    assert (await slow).status in {400, 500}


async def test_objects_that_etcd_would_not_take(api: Api) -> None:
    path = await api.namespace()
    body = pod("a")
    body["spec"]["containers"][0]["args"] = ["a" * 1_600_000]
    answer = await api("POST", path + "/pods", body)
    assert (answer.status, answer.message) == (500, "etcdserver: request is too large")
    assert "reason" not in answer.json
    # a mebibyte, though two in JSON
    created = await api("POST", path + "/configmaps", config_map(k="\n" * ((1 << 20) - 1)))
    assert created.status == 201
    patch = {"metadata": {"annotations": {"a": "b"}}}
    assert (await api("PATCH", path + "/configmaps/a", patch, MERGE)).status == 200


async def test_what_was_larger_before_can_be_changed_and_deleted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = await api.namespace() + "/serviceaccounts"
    meta = {"name": "a", "finalizers": ["a.io/b"]}
    body = {"metadata": meta, "secrets": [{"name": "a" * 1_600_000}]}
    with monkeypatch.context() as earlier:
        earlier.setattr(object_store, "LARGEST", 1 << 30)
        assert (await api("POST", url, body)).status == 201
    url += "/a"
    labels = {"metadata": {"labels": {"a": "b"}}}
    assert (await api("PATCH", url, labels, MERGE)).status == 200
    assert (await api("DELETE", url)).json["metadata"]["deletionTimestamp"]
    finalizers = {"metadata": {"finalizers": None}}
    assert (await api("PATCH", url, finalizers, MERGE)).status == 200
    assert (await api("GET", url)).status == 404


async def test_long_errors_come_in_gzip_for_who_takes_it(api: Api) -> None:
    path = await api.namespace()
    body = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 1}] * 2000}}
    answer = await api("POST", path + "/services", body, **{"Accept-Encoding": "gzip"})
    assert answer.status == 422
    assert answer.headers["Content-Encoding"] == "gzip"
