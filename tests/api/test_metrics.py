"""What requests leave behind in ``/metrics``."""

import asyncio
import contextlib
import gc
import re
from dataclasses import replace
from types import ModuleType

import pytest

from pykube_cp.api.filters import deadline, fairness
from pykube_cp.api.request import Query, Request, RequestInfo, Response
from pykube_cp.api.request_metrics import RequestMetrics
from pykube_cp.machinery import errors
from pykube_cp.machinery.metrics import exposition
from tests.api.serving import PROTOBUF, Api, config_map, created, next_of, pod

pytestmark = pytest.mark.asyncio(loop_scope="session")

POST_PODS = (
    'component="apiserver",group="",resource="pods",scope="resource",subresource="",verb="POST",'
    'version="v1"'
)
ENDED = "apiserver_request_terminations_total"
CONFIG_MAPS = 'group="",resource="configmaps"'


async def sample(api: Api, name: str, labels: str = "") -> float:
    """The value of a sample; 0 when it is not there."""
    text = (await api("GET", "/metrics")).body.decode()
    braced = re.escape(f"{{{labels}}}") if labels else ""
    found = re.search(rf"^{name}{braced} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0


@pytest.mark.parametrize(
    ("name", "labels", "more"),
    [
        (
            "apiserver_admission_step_admission_duration_seconds_count",
            'operation="CREATE",rejected="false",type="validate"',
            2,  # of its namespace, too
        ),
        (
            "apiserver_admission_controller_admission_duration_seconds_count",
            'name="LimitRanger",operation="CREATE",rejected="false",type="admit"',
            1,
        ),
        ("apiserver_storage_events_received_total", 'group="",resource="pods"', 1),
        ("apiserver_request_body_size_bytes_count", 'group="",resource="pods",verb="create"', 1),
        (
            "apiserver_request_sli_duration_seconds_count",
            POST_PODS,
            1,
        ),
    ],
)
async def test_a_write(api: Api, name: str, labels: str, more: int) -> None:
    before = await sample(api, name, labels)
    await created(api, pod())
    assert await sample(api, name, labels) == before + more


async def test_bodies_by_verb(api: Api) -> None:
    path = await created(api, config_map())
    for method, verb, body in (
        ("PUT", "update", config_map(b="c")),
        ("DELETE", "delete", None),
    ):
        labels = f'{CONFIG_MAPS},verb="{verb}"'
        before = await sample(api, "apiserver_request_body_size_bytes_count", labels)
        assert (await api(method, path, body)).status == 200
        assert await sample(api, "apiserver_request_body_size_bytes_count", labels) == before + 1
    labels = f'{CONFIG_MAPS},verb="delete_collection"'
    assert (await api("DELETE", path.rpartition("/")[0])).status == 200
    assert await sample(api, "apiserver_request_body_size_bytes_count", labels) >= 1


async def test_what_is_deprecated(api: Api) -> None:
    await api("GET", "/api/v1/componentstatuses", Accept=PROTOBUF)
    labels = 'group="",removed_release="",resource="componentstatuses",subresource="",version="v1"'
    assert await sample(api, "apiserver_requested_deprecated_apis", labels) == 1


async def test_the_release_without_it() -> None:
    metrics = RequestMetrics()
    info = RequestInfo("", "get", group="g", version="v1beta1", resource="rs")
    metrics.note_deprecated(
        info, "g/v1beta1 R is deprecated in v1.37+, unavailable in v1.40+; use x"
    )
    assert list(metrics.deprecated.values) == [("g", "1.40", "rs", "", "v1beta1")]


async def test_watches(api: Api) -> None:
    labels = f'{CONFIG_MAPS},version="v1"'
    path = await created(api, config_map())
    before = await sample(api, "apiserver_watch_events_total", labels)
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1"
    async with api.watch(f"{path.rpartition('/')[0]}?{query}") as events:
        first, second = await next_of(events, 2)
        assert (first["type"], second["type"]) == ("ADDED", "BOOKMARK")
        after = await sample(api, "apiserver_watch_events_total", labels)
        assert after == before + 2
        assert await sample(api, "apiserver_watch_events_sizes_count", labels) == after
    scoped = f'{CONFIG_MAPS},scope="namespace",version="v1"'
    assert await sample(api, "apiserver_watch_list_duration_seconds_count", scoped) >= 1


async def test_storage_and_gates(api: Api) -> None:
    assert await sample(api, "apiserver_storage_size_bytes", 'storage_cluster_id="etcd-0"') > 1000
    gate = 'name="CBORServingAndStorage",stage="ALPHA"'
    assert (
        f"kubernetes_feature_enabled{{{gate}}} 0\n" in (await api("GET", "/metrics")).body.decode()
    )


async def test_handshakes_that_fail(api: Api) -> None:
    before = await sample(api, "apiserver_tls_handshake_errors_total")
    reader, writer = await asyncio.open_connection("127.0.0.1", api.server.edge.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    async with asyncio.timeout(5):
        await reader.read()
        writer.close()
        while await sample(api, "apiserver_tls_handshake_errors_total") == before:
            gc.collect()
    assert await sample(api, "apiserver_tls_handshake_errors_total") == before + 1


@pytest.mark.parametrize(
    ("filter_", "changed", "code"),
    [
        (fairness, {"max_requests_inflight": 0}, "429"),
        (deadline, {"request_timeout_seconds": 0}, "504"),
    ],
)
@pytest.mark.parametrize("resource", ["pods", "of-my-choice"])
async def test_requests_cut_short(
    api: Api, filter_: ModuleType, changed: dict[str, int], code: str, resource: str
) -> None:
    async def nobody(request: Request) -> Response:
        raise AssertionError(request)

    services = api.server.services
    services = replace(services, config=replace(services.config, **changed))
    request = Request(method="GET", path="", query=Query(""), is_served=resource == "pods")
    request.info = RequestInfo(
        "", "list", is_resource=True, version="v1", resource=resource, parts=(resource,)
    )
    known, unknown = (labels_of(code, named=named) for named in (True, False))
    before = [await sample(api, ENDED, labels) for labels in (known, unknown)]
    with contextlib.suppress(errors.StatusError):
        await filter_.build(services, nobody)(request)
    after = [await sample(api, ENDED, labels) for labels in (known, unknown)]
    more = [now - then for now, then in zip(after, before, strict=True)]
    assert more == ([1, 0] if resource == "pods" else [0, 1])


def labels_of(code: str, *, named: bool) -> str:
    said = ("pods", "cluster", "LIST", "v1") if named else ("", "", "other", "")
    resource, scope, verb, version = said
    return (
        f'code="{code}",component="apiserver",group="",resource="{resource}",scope="{scope}",'
        f'subresource="",verb="{verb}",version="{version}"'
    )


async def test_dry_runs_are_few() -> None:
    metrics = RequestMetrics()
    for query, label in (
        ("", ""),
        ("dryRun=All&dryRun=All", "All"),
        ("dryRun=x", "invalid"),
        ("dryRun=All&dryRun=y", "invalid"),
    ):
        request = Request(method="GET", path="/version", query=Query(query), is_served=True)
        request.info = RequestInfo("/version", "get")
        metrics.observe(request, Response(200), 0.03)
        assert metrics.total.values.pop(("200", "apiserver", label, "", "", "", "", "GET", "")) == 1


async def test_own_seconds_are_those_without_dry_runs() -> None:
    metrics = RequestMetrics()
    for query, seconds in (("", 0.001), ("", 0.03), ("", 0.3), ("", 90), ("dryRun=All", 0.5)):
        request = Request(method="GET", path="/version", query=Query(query), is_served=True)
        request.info = RequestInfo("/version", "get")
        metrics.observe(request, Response(200), seconds)
    for _ in range(2):  # whoever looks changes nothing
        text = exposition([metrics.own_seconds])
        assert re.search(r'le="0.05"} 2\n', text)
        assert re.search(r'le="0.2"} 2\n', text)
        assert re.search(r'le="60"} 3\n', text)
        assert re.search(r'le="\+Inf"} 4\n', text)
        assert re.search(r"_sum{.*} 90.331\n", text)
