from typing import Any

import pytest

from pykube_cp.machinery.codec import protobuf
from tests.api.serving import JSON, PROTOBUF, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def resource(items: list[Any], name: str) -> Any:
    return next(item for item in items if name in {item.get("name"), item.get("resource")})


async def test_versions_and_groups(api: Api) -> None:
    versions = (await api("GET", "/api")).json
    address = f"127.0.0.1:{api.server.services.config.port}"
    assert versions == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }
    groups = (await api("GET", "/apis")).json["groups"]
    apps = (await api("GET", "/apis/apps")).json
    assert apps == {"kind": "APIGroup", "apiVersion": "v1", **groups[1]}
    assert apps["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}


async def test_resources(api: Api) -> None:
    core = (await api("GET", "/api/v1/")).json
    assert list(core) == ["kind", "groupVersion", "resources"]
    assert resource(core["resources"], "pods") == {
        "name": "pods",
        "singularName": "pod",
        "namespaced": True,
        "kind": "Pod",
        "verbs": [
            "create",
            "delete",
            "deletecollection",
            "get",
            "list",
            "patch",
            "update",
            "watch",
        ],
        "shortNames": ["po"],
        "categories": ["all"],
        "storageVersionHash": "xPOwRZ+Yhw8=",
    }
    eviction = resource(core["resources"], "pods/eviction")
    assert (eviction["group"], eviction["version"]) == ("policy", "v1")
    apps = (await api("GET", "/apis/apps/v1")).json
    assert apps["apiVersion"] == "v1"
    assert "group" not in resource(apps["resources"], "deployments/status")


async def test_aggregated(api: Api) -> None:
    answer = await api("GET", "/apis", Accept=AGGREGATED)
    assert answer.headers["Content-Type"] == AGGREGATED
    assert (answer.headers["Vary"], answer.headers["Cache-Control"]) == ("Accept", "public")
    tag = answer.headers["ETag"]
    again = await api("GET", "/apis", Accept=AGGREGATED, If_None_Match=tag)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    apps = next(item for item in answer.json["items"] if item["metadata"]["name"] == "apps")
    found = resource(apps["versions"][0]["resources"], "deployments")
    assert found["responseKind"] == {"group": "", "version": "", "kind": "Deployment"}
    scale = next(sub for sub in found["subresources"] if sub["subresource"] == "scale")
    assert scale["responseKind"] == {"group": "autoscaling", "version": "v1", "kind": "Scale"}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (AGGREGATED, "APIGroupDiscoveryList"),
        (f"{AGGREGATED};profile=nopeer,{JSON}", "APIGroupDiscoveryList"),
        (f"{JSON},{AGGREGATED}", "APIGroupDiscoveryList"),  # upstream's order of preference
        (AGGREGATED.replace("v=v2", "v=v2beta1") + f",{JSON}", "APIGroupList"),
        (JSON, "APIGroupList"),
        ("*/*", "APIGroupList"),
    ],
)
async def test_which_form(api: Api, accept: str, kind: str) -> None:
    assert (await api("GET", "/apis", Accept=accept)).json["kind"] == kind


async def test_protobuf(api: Api) -> None:
    answer = await api("GET", "/api", Accept=PROTOBUF)
    assert protobuf.open_envelope(answer.body)[:2] == ("", "APIVersions")
    found = protobuf.decode((await api("GET", "/apis/apps/v1", Accept=PROTOBUF)).body)
    assert found["groupVersion"] == "apps/v1"
    wanted = AGGREGATED.replace(JSON, PROTOBUF)
    aggregated = await api("GET", "/api", Accept=wanted)
    assert aggregated.headers["Content-Type"] == wanted
    assert protobuf.decode(aggregated.body)["items"][0]["versions"][0]["version"] == "v1"


async def test_people_get_it_indented(api: Api) -> None:
    plain = await api("GET", "/api")
    pretty = await api("GET", "/api", User_Agent="curl/8.0")
    assert plain.body.endswith(b"}\n")
    assert pretty.body.startswith(b'{\n  "kind"')
    assert plain.json == pretty.json
    assert (await api("GET", "/api?pretty=0", User_Agent="curl/8.0")).body == plain.body


async def test_what_is_not_there(api: Api) -> None:
    answer = await api("GET", "/apis/nowhere.example.com")
    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    answer = await api("GET", "/apis/apps", Accept="text/html")
    assert answer.status == 406
    assert answer.message == (
        "only the following media types are accepted: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )
