import asyncio
import gzip
import zlib
from pathlib import Path

import orjson
import pytest

from pykube_cp.api import compression
from pykube_cp.client.http import HttpClient
from pykube_cp.machinery.codec.catalog import CBOR
from pykube_cp.registry import feature_gates
from tests.api.serving import JSON, PROTOBUF, Answer, Api, config_map, start

pytestmark = pytest.mark.asyncio(loop_scope="session")

YAML = "application/yaml"
ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"


async def get(api: Api, path: str, encoding: str, accept: str = JSON) -> Answer:
    """The answer as it comes, not unpacked."""
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    client = HttpClient(tls=api.tls(api.admin), decompress=False)
    try:
        response = await client.request("GET", api.access.server + path, headers=headers)
    finally:
        await client.close()
    return Answer(response.status, response.body, response.headers)


@pytest.mark.parametrize("accept", [JSON, YAML, PROTOBUF])
async def test_large_objects_come_in_gzip_for_who_takes_it(api: Api, accept: str) -> None:
    path = await api.namespace()
    await api("POST", path + "/configmaps", config_map(k="x" * 150_000))
    url = path + "/configmaps/a"
    packed = await get(api, url, "deflate, gzip", accept)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    body = gzip.decompress(packed.body)
    assert len(packed.body) < len(body) / 10
    for wish in ("identity", "gzip;q=1", "GZIP", "br"):
        answer = await get(api, url, wish, accept)
        assert "Content-Encoding" not in answer.headers
        assert answer.body == body


async def test_errors_are_squeezed_like_objects(api: Api) -> None:
    path = await api.namespace()
    answer = await get(api, f"{path}/configmaps/{'a' * 140_000}", "gzip")
    assert (answer.status, answer.headers["Content-Encoding"]) == (404, "gzip")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("gzip, deflate", "gzip"),
        ("*", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("gzip;q=0", None),
        ("gzip;x", None),
        ("br", None),
        ("", None),
        ("a" * (1 << 19) + "!", None),
    ],
)
async def test_metrics_are_squeezed_for_who_prefers_that(
    api: Api, encoding: str, found: str | None
) -> None:
    answer = await get(api, "/metrics", encoding)
    assert answer.headers.get("Content-Encoding") == found
    assert (gzip.decompress(answer.body) if found else answer.body).startswith(b"# HELP")


async def test_only_what_is_large_is_worth_it(api: Api) -> None:
    path = await api.namespace()
    await api("POST", path + "/configmaps", config_map(k="x" * 100_000))
    answer = await get(api, path + "/configmaps/a", "gzip")
    assert "Content-Encoding" not in answer.headers
    assert answer.json["data"]["k"] == "x" * 100_000


async def test_lists_that_are_sent_in_pieces_are_squeezed_in_pieces(api: Api) -> None:
    path = await api.namespace()
    for name in ("a", "b", "c"):
        await api("POST", path + "/configmaps", config_map(name, k=name * 300_000))
    plain = await get(api, path + "/configmaps", "identity")
    packed = await get(api, path + "/configmaps", "gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Length" not in packed.headers
    assert len(packed.body) < compression.LEAST
    assert gzip.decompress(packed.body) == plain.body


async def test_cbor_is_behind_its_gate(api: Api) -> None:
    answer = await api("GET", "/api/v1/namespaces", Accept=CBOR.media_type)
    assert answer.status == 406
    path = await api.namespace()
    answer = await api("POST", path + "/configmaps", CBOR.encode(config_map()), CBOR.media_type)
    assert answer.status == 415
    assert answer.message == (
        "the body of the request was in an unknown format - accepted media types include: "
        + ACCEPTED
    )


async def test_cbor_with_its_gate(tmp_path: Path) -> None:
    gates = feature_gates.parse("CBORServingAndStorage=true")
    api = await start(tmp_path, feature_gates=gates)
    try:
        path = await api.namespace()
        body, cbor = CBOR.encode(config_map()), CBOR.media_type
        answer = await api("POST", path + "/configmaps", body, cbor, Accept=cbor)
        assert answer.status == 201
        assert CBOR.decode(answer.body)["metadata"]["name"] == "a"
        patch = CBOR.encode({**config_map(), "data": {"x": "y"}})
        url, kind = (
            path + "/configmaps/a?fieldManager=me&force=true",
            "application/apply-patch+cbor",
        )
        assert (await api("PATCH", url, patch, kind)).json["data"] == {"x": "y"}
        assert (await api("PATCH", url, b"\xff", kind)).status == 400
        answer = await api("PATCH", url, CBOR.encode([]), kind)
        assert answer.message.startswith("error decoding patch: cbor: cannot unmarshal array")
        answer = await api("DELETE", path + "/configmaps/a", b"{}", cbor)
        assert answer.message == "unable to determine group/version/kind: unexpected EOF"
        for document in ("/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1"):
            assert CBOR.decode((await api("GET", document, Accept=cbor)).body)["kind"]
        answer = await api("GET", path + "/configmaps", Accept="text/plain")
        assert answer.message.partition(": ")[2].endswith(
            "protobuf;stream=watch, application/cbor-seq"
        )
    finally:
        await api.close()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Nothing=true", "unrecognized feature gate: Nothing"),
        ("CBORServingAndStorage", "missing bool value for CBORServingAndStorage"),
        (
            "CBORServingAndStorage=yes",
            (
                'invalid value of CBORServingAndStorage=yes, err: strconv.ParseBool: parsing "yes": '
                "invalid syntax"
            ),
        ),
    ],
)
async def test_gates_that_nobody_knows(text: str, error: str) -> None:
    with pytest.raises(feature_gates.FeatureGateError) as refused:
        feature_gates.parse(text)
    assert str(refused.value) == error


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("limit=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("limit=1_0", 'strconv.ParseInt: parsing "1_0": invalid syntax'),
        ("timeoutSeconds=%201", 'strconv.ParseInt: parsing " 1": invalid syntax'),
        (
            "limit=" + "9" * 5000,
            f'strconv.ParseInt: parsing "{"9" * 5000}": value out of range',
        ),
        ("limit=-" + "9" * 20, f'strconv.ParseInt: parsing "-{"9" * 20}": value out of range'),
    ],
)
async def test_numbers_of_lists(api: Api, query: str, message: str) -> None:
    answer = await api("GET", f"/api/v1/namespaces?{query}")
    assert (answer.status, answer.message) == (400, message)


async def test_a_list_without_bounds(api: Api) -> None:
    assert (await api("GET", "/api/v1/namespaces?limit=-1")).status == 200
    assert (await api("GET", "/api/v1/namespaces?limit=" + "0" * 5000)).status == 200


@pytest.mark.parametrize("size", [10, compression.AT_ONCE])
async def test_a_watch_that_begins_with_a_list_is_squeezed(api: Api, size: int) -> None:
    path = await api.namespace()
    for name in ("a", "b"):
        await api("POST", path + "/configmaps", config_map(name, k=name * size))
    url = path + "/configmaps?watch=true&timeoutSeconds=1&sendInitialEvents=true"
    url += "&resourceVersionMatch=NotOlderThan"
    answer = await get(api, url, "gzip")
    assert "Content-Encoding" not in answer.headers
    answer = await get(api, url + "&allowWatchBookmarks=true", "gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    lines = gzip.decompress(answer.body).splitlines()
    assert [orjson.loads(line)["type"] for line in lines[:3]] == ["ADDED", "ADDED", "BOOKMARK"]


class Collected:
    """A sink that keeps what it gets, and takes only so many frames."""

    def __init__(self, limit: int) -> None:
        self.frames: list[bytes] = []
        self._limit = limit
        self.closed = asyncio.get_running_loop().create_future()

    def write(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return len(self.frames) < self._limit


async def test_each_turn_of_the_loop_is_one_member() -> None:
    sink = Collected(9)
    squeezed = compression.SqueezedSink(sink)
    large = b"l" * (compression.AT_ONCE + 1)
    for frames in ([b"a", b"b"], [b"c"], [large, b"d"], [b"e"], [b"f"]):
        assert all(squeezed.write(frame) for frame in frames)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await squeezed.flushed()
    members = [gzip.decompress(frame) for frame in sink.frames]
    assert members[:3] == [b"ab", b"c", large + b"d"]
    assert b"".join(members[3:]) == b"ef"
    for frame, member in zip(sink.frames, members, strict=True):
        # Go holds the last block back until the next member comes
        read = zlib.decompressobj(-zlib.MAX_WBITS).decompress(frame[10:-10])
        assert read == member


async def test_a_reader_who_takes_no_more_is_told_at_the_next_frame() -> None:
    squeezed = compression.SqueezedSink(Collected(1))
    assert squeezed.write(b"a")
    await squeezed.flushed()
    assert not squeezed.write(b"b")


TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PARTIAL = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/configmaps/missing", "application/json;stream=x"),
        ("GET", "/pods/missing/ephemeralcontainers", TABLE),
        ("GET", "/pods/missing/log", TABLE),
        ("DELETE", "/configmaps/missing", "application/json;as=Table;v=v2;g=meta.k8s.io"),
        ("POST", "/configmaps", "application/json;sv=v2"),
    ],
)
async def test_the_form_of_the_answer_is_agreed_on_first(
    api: Api, method: str, path: str, accept: str
) -> None:
    answer = await api(method, f"/api/v1/namespaces/default{path}", b"{", Accept=accept)
    assert (answer.status, answer.json["reason"]) == (406, "NotAcceptable")
    assert answer.message == f"only the following media types are accepted: {ACCEPTED}"


@pytest.mark.parametrize("query", ["", "&watch=true&timeoutSeconds=1"])
async def test_what_goes_with_a_row_of_a_table(api: Api, query: str) -> None:
    path = await api.namespace()
    answer = await api("GET", f"{path}/configmaps?includeObject=none{query}", Accept=TABLE)
    assert answer.status == 400
    assert answer.message == (
        "Unable to convert to Table as requested: includeObject: Invalid value: "
        "\"none\": must be 'Metadata', 'Object', 'None', or empty"
    )


async def test_reviews_are_no_tables_but_have_metadata(api: Api) -> None:
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    answer = await api("POST", path, {}, Accept=PARTIAL)
    assert (answer.status, answer.json["kind"]) == (201, "PartialObjectMetadata")
    assert (await api("POST", path, {}, Accept=TABLE)).status == 406


async def test_creations_are_no_streams(api: Api) -> None:
    path = await api.namespace()
    answer = await api("POST", f"{path}/configmaps", config_map(), Accept="text/html")
    assert answer.message == f"406: Not Acceptable\n\nAvailable representations: {ACCEPTED}"
