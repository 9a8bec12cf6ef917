import logging
from collections.abc import Iterator

import pytest

from pykube_cp.api import endpoints, health
from pykube_cp.api.endpoints import Endpoint
from pykube_cp.api.request import Outcome, Query, Request, Response
from pykube_cp.machinery import errors
from tests.api.serving import JSON, Api, config_map

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def nothing(request: Request) -> Outcome:
    return Response(200)


async def well() -> str:
    return ""


async def ill() -> str:
    return "out of order"


async def test_where_endpoints_are_found() -> None:
    found = {
        "/exact": Endpoint(nothing),
        "/typed": Endpoint(nothing, produces=(JSON,)),
        "/tree/": Endpoint(nothing, below=True),
    }
    for path, there in (
        ("/exact", True),
        ("/exact/", False),
        ("/typed/", True),
        ("/tree", False),
        ("/tree/a/b", True),
        ("/treetop", False),
    ):
        assert (endpoints.find(found, path) is not None) is there, path


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        (JSON, 200),
        (f"text/html, {JSON};q=0.1", 200),
        ("application/*", 406),  # ranges count only as a whole, as upstream
        ("text/html", 406),
    ],
)
async def test_what_is_acceptable(accept: str, status: int) -> None:
    request = Request(method="GET", path="/", query=Query(""), headers={"accept": accept})
    if status == 200:
        endpoints.require_acceptable(request, (JSON,))
        return
    with pytest.raises(errors.StatusError) as caught:
        endpoints.require_acceptable(request, (JSON,))
    assert str(caught.value) == f"406: Not Acceptable\n\nAvailable representations: {JSON}"
    assert caught.value.code == 406


async def test_reports() -> None:
    checks = {"ping": well, "etcd": ill, "log": well}
    text, failed = await health.run("livez", checks, ["log", "x", "y"])
    assert failed == ["etcd"]
    assert text == (
        "[+]ping ok\n[-]etcd failed: reason withheld\n[+]log excluded: ok\n"
        'warn: some health checks cannot be excluded: no matches for "x","y"\n'
    )


@pytest.mark.parametrize("report", ["healthz", "livez", "readyz"])
async def test_health(api: Api, report: str) -> None:
    plain = await api("GET", f"/{report}")
    assert (plain.status, plain.body) == (200, b"ok")
    assert plain.headers["X-Content-Type-Options"] == "nosniff"
    verbose = (await api("GET", f"/{report}?verbose")).body.decode()
    lines = verbose.splitlines()
    assert lines[0] == "[+]ping ok"
    assert "[+]poststarthook/rbac/bootstrap-roles ok" in lines
    assert verbose.endswith(f"{report} check passed\n")
    assert ("[+]shutdown ok" in lines) is (report == "readyz")
    assert (await api("GET", f"/{report}/etcd?verbose")).body == b"ok"
    assert (await api("GET", f"/{report}/nothing")).status == 404


async def test_what_is_not_well_is_said(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap = api.server.bootstrap
    monkeypatch.setattr(bootstrap, "done", bootstrap.done - {"rbac/bootstrap-roles"})
    report = await api("GET", "/readyz")
    assert report.status == 500
    assert b"[-]poststarthook/rbac/bootstrap-roles failed: reason withheld\n" in report.body
    assert report.body.endswith(b"readyz check failed\n")
    single = await api("GET", "/readyz/poststarthook/rbac/bootstrap-roles")
    assert (single.status, single.body) == (500, b"internal server error: not finished\n")
    excluded = await api("GET", "/readyz?exclude=poststarthook/rbac/bootstrap-roles")
    assert excluded.status == 200
    outcome = 'kubernetes_healthcheck{name="poststarthook/rbac/bootstrap-roles",type="readyz"} 0'
    assert outcome in (await api("GET", "/metrics/slis")).body.decode()


@pytest.mark.parametrize(
    ("method", "path", "status", "media_type"),
    [
        ("GET", "/nothing", 404, "text/plain; charset=utf-8"),
        ("GET", "/readyz/", 404, "text/plain; charset=utf-8"),
        ("GET", "/apis/nothing", 404, "text/plain; charset=utf-8"),
        ("GET", "/apis/nothing/v1/pods", 404, "text/plain; charset=utf-8"),
        ("GET", "/api/v2", 404, JSON),
        ("GET", "/api/v2/pods", 404, JSON),
        ("GET", "/apis/apps/v9", 404, JSON),
        ("GET", "/api/v1/namespaces/default/pods/p/nothing", 404, JSON),
        ("POST", "/version", 405, JSON),
        ("DELETE", "/api", 405, JSON),
        ("POST", "/healthz", 200, "text/plain; charset=utf-8"),
    ],
)
async def test_what_is_not_there(
    api: Api, method: str, path: str, status: int, media_type: str
) -> None:
    answer = await api(method, path)
    assert (answer.status, answer.headers["Content-Type"]) == (status, media_type)
    if media_type == JSON:
        assert answer.json["details"] == {}


async def test_media_types_are_looked_at_before_the_object(api: Api) -> None:
    answer = await api("GET", "/api/v1/namespaces/nowhere", Accept="text/html")
    assert answer.status == 406
    assert answer.message.startswith("406: Not Acceptable\n\nAvailable representations: ")
    listed = await api("GET", "/api/v1/pods", Accept="text/html")
    assert listed.message.endswith("application/vnd.kubernetes.protobuf;stream=watch")


async def test_the_index_names_what_is_there(api: Api) -> None:
    paths = (await api("GET", "/")).json["paths"]
    assert paths == sorted(paths)
    for path in paths:
        if path != "/openapi/v3/":
            assert (await api("GET", path)).status == 200, path


async def test_nobody_is_told_less(api: Api) -> None:
    for path, status in (("/readyz", 200), ("/version", 200), ("/metrics", 403), ("/", 403)):
        assert (await api("GET", path, user="")).status == status, path
    refused = await api("GET", "/metrics", user="")
    assert refused.headers["X-Content-Type-Options"] == "nosniff"


async def test_metrics(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    assert (await api("POST", f"{path}?dryRun=All", config_map())).status == 201
    assert (await api("GET", "/api/v1/pods/x/y")).status == 404
    answer = await api("GET", "/metrics")
    text = answer.body.decode()
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4; charset=utf-8")
    assert (
        'apiserver_request_total{code="201",component="apiserver",dry_run="All",group="",'
        'resource="configmaps",scope="resource",subresource="",verb="POST",version="v1"} '
    ) in text
    assert 'resource="x"' not in text
    assert 'kubernetes_build_info{build_date="' in text
    assert "\nprocess_open_fds " in text


async def test_a_watch_is_counted_while_it_lasts(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    sample = (
        'apiserver_longrunning_requests{component="apiserver",group="",resource="configmaps",'
        'scope="namespace",subresource="",verb="WATCH",version="v1"} '
    )
    async with api.watch(f"{path}?watch=1"):
        assert f"{sample}1" in (await api("GET", "/metrics")).body.decode()


@pytest.mark.parametrize("kind", ["Statusz", "Flagz"])
async def test_z_pages(api: Api, kind: str) -> None:
    path = f"/{kind.lower()}"
    text = await api("GET", path, Accept="*/*")
    assert text.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert text.body.startswith(f"\napiserver {kind.lower()}\nWarning: ".encode())
    accept = f"{JSON};as={kind};g=config.k8s.io;v=v1beta1"
    answer = await api("GET", path, Accept=accept)
    assert answer.headers["Content-Type"] == f"{JSON};g=config.k8s.io;v=v1beta1;as={kind}"
    assert answer.json["metadata"] == {"name": "apiserver"}
    assert (await api("GET", path, Accept=JSON)).status == 406
    old = await api("GET", path, Accept=accept.replace("v1beta1", "v1alpha1"))
    assert "is deprecated" in old.headers["Warning"]


async def test_settings_are_shown_as_go_prints_them(api: Api) -> None:
    accept = f"{JSON};as=Flagz;g=config.k8s.io;v=v1beta1"
    flags = (await api("GET", "/flagz", Accept=accept)).json["flags"]
    assert flags["disable-admission-plugins"] == "[ServiceAccount]"
    assert flags["request-timeout"] == "1m0s"
    assert flags["service-node-port-range"] == "30000-32767"
    assert flags["anonymous-auth"] == "true"


@pytest.fixture
def level() -> Iterator[None]:
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)


@pytest.mark.usefixtures("level")
async def test_verbosity(api: Api) -> None:
    answer = await api("PUT", "/debug/flags/v", b"9", "text/plain")
    assert answer.body == b"successfully set klog.logging.verbosity to 9\n"
    assert logging.getLogger().level == logging.DEBUG
    assert (await api("PUT", "/debug/flags/v", b"-1", "text/plain")).status == 400
    assert (await api("GET", "/debug/flags/v")).status == 406
    assert b"<tr>v<br>" in (await api("GET", "/debug/flags")).body
