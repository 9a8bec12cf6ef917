import gzip
from dataclasses import replace

import orjson
import pytest

from pykube_cp.api.openapi.documents import Documents
from pykube_cp.registry.catalog import Catalog
from pykube_cp.registry.resource import Resource
from pykube_cp.resources import apps, core
from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")
V2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
V3 = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf"
WIDGET = Resource(
    group="stable.example.com", version="v1", kind="Widget", plural="widgets", is_custom=True
)


async def url_of(api: Api, root: str) -> str:
    index = (await api("GET", "/openapi/v3")).json
    found: str = index["paths"][root]["serverRelativeURL"]
    return found


async def test_the_index_leads_to_documents_that_may_be_kept(api: Api) -> None:
    url = await url_of(api, "apis/apps/v1")
    path, _, digest = url.partition("?hash=")
    assert path == "/openapi/v3/apis/apps/v1"
    answer = await api("GET", url)
    assert answer.headers["ETag"] == f'"{digest}"'
    assert answer.headers["Cache-Control"] == "public, immutable"
    assert answer.headers["Expires"].endswith(" UTC")
    assert "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale" in answer.json["paths"]
    bare = await api("GET", path)
    assert bare.headers["Cache-Control"] == "no-cache, private"
    assert bare.body == answer.body


async def test_an_old_hash_is_led_to_the_new_one(api: Api) -> None:
    url = await url_of(api, "version")
    answer = await api("GET", "/openapi/v3/version?hash=OLD")
    assert (answer.status, answer.headers["Location"], answer.body) == (301, url, b"")


async def test_what_the_client_has_is_not_sent_again(api: Api) -> None:
    first = await api("GET", "/openapi/v3/version")
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": modified},
    ):
        again = await api("GET", "/openapi/v3/version", **headers)
        assert (again.status, again.body) == (304, b""), headers
    for headers in (
        {"If-None-Match": '"other"', "If-Modified-Since": modified},
        {"If-Modified-Since": "Mon, 30 Nov 2020 08:09:08 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert (await api("GET", "/openapi/v3/version", **headers)).status == 200, headers


@pytest.mark.parametrize(
    ("path", "accept", "media_type"),
    [
        ("/openapi/v2", V2.replace("v2.v1", "v2@v1"), V2),
        ("/openapi/v2", V2, V2),
        ("/openapi/v2", "text/html, application/*;q=0.1", "application/json"),
        ("/openapi/v2", "", "application/json"),
        ("/openapi/v3/version", V3.replace("v3.v1", "v3@v1"), V3),
        ("/openapi/v3/version", f"{V3};q=0.5, application/json", "application/json"),
        ("/openapi/v3/version", "*/*", "application/json"),
    ],
)
async def test_media_types(api: Api, path: str, accept: str, media_type: str) -> None:
    answer = await api("GET", path, Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.body.startswith(b"\n" if "protobuf" in media_type else b'{"')


@pytest.mark.parametrize("path", ["/openapi/v2", "/openapi/v3/version"])
async def test_media_types_that_are_not_there(api: Api, path: str) -> None:
    answer = await api("GET", path, Accept="text/html")
    assert (answer.status, answer.body) == (406, b"")
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/openapi/v3/apis/nowhere/v1", b""),
        ("/openapi/v3/", b""),
        ("/openapi/v2/", b"404 page not found\n"),
        ("/openapi", b"404 page not found\n"),
    ],
)
async def test_documents_that_are_not_there(api: Api, path: str, body: bytes) -> None:
    answer = await api("GET", path)
    assert (answer.status, answer.body) == (404, body)


async def test_version_2_is_compressed_for_who_takes_it(api: Api) -> None:
    plain = await api("GET", "/openapi/v2", Accept_Encoding="identity")
    async with api.connection() as (reader, writer):
        writer.write(
            b"GET /openapi/v2 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br, gzip\r\n"
            b"Connection: close\r\n\r\n"
        )
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(body) == plain.body
    assert len(body) * 5 < len(plain.body)


async def test_documents_follow_the_catalog() -> None:
    catalog = Catalog([core.CONFIG_MAP, *apps.RESOURCES])
    documents = Documents(catalog)
    before, whole = dict(await documents.v3()), await documents.v2()
    catalog.add(WIDGET)
    after = await documents.v3()
    assert after.keys() - before.keys() == {"apis/stable.example.com", "apis/stable.example.com/v1"}
    assert after["apis/apps/v1"] is before["apis/apps/v1"]
    assert (
        "com.example.stable.v1.Widget"
        in orjson.loads((await documents.v2()).unpacked())["definitions"]
    )
    catalog.add(replace(WIDGET, namespaced=False))
    changed = await documents.v3()
    assert changed["apis/stable.example.com/v1"].tag != after["apis/stable.example.com/v1"].tag
    catalog.remove(WIDGET.gvr)
    assert dict(await documents.v3()) == before
    assert (await documents.v2()).tag == whole.tag


async def test_protobuf_is_made_again_when_the_document_changes() -> None:
    catalog = Catalog([core.CONFIG_MAP])
    documents = Documents(catalog)
    root = "api/v1"
    first = await documents.in_protobuf(root, (await documents.v3())[root])
    assert await documents.in_protobuf(root, (await documents.v3())[root]) is first
    catalog.add(core.SECRET)
    assert (
        b"/api/v1/secrets"
        in (await documents.in_protobuf(root, (await documents.v3())[root])).unpacked()
    )
