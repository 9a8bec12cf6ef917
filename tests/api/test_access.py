import pytest

from pykube_cp import pki
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.user import UserInfo
from tests.api.serving import Api, config_map

pytestmark = pytest.mark.asyncio(loop_scope="session")

RBAC = "/apis/rbac.authorization.k8s.io/v1"


async def test_refusals_say_who_may_not_do_what(api: Api) -> None:
    path = await api.namespace()
    name = path.rpartition("/")[2]
    user = 'User "jane" cannot'
    rest = f'in API group "" in the namespace "{name}"'
    everywhere = 'in API group "apps" at the cluster scope'
    for method, url, text in (
        ("GET", path + "/pods", f'pods is forbidden: {user} list resource "pods" {rest}'),
        ("GET", path + "/pods/a", f'pods "a" is forbidden: {user} get resource "pods" {rest}'),
        (
            "GET",
            path + "/pods/a/log",
            f'pods "a" is forbidden: {user} get resource "pods/log" {rest}',
        ),
        (
            "DELETE",
            path + "/pods",
            f'pods is forbidden: {user} deletecollection resource "pods" {rest}',
        ),
        (
            "GET",
            "/apis/apps/v1/deployments?watch=1",
            f'deployments.apps is forbidden: {user} watch resource "deployments" {everywhere}',
        ),
        ("GET", "/metrics", f'forbidden: {user} get path "/metrics"'),
    ):
        answer = await api(method, url, user="jane")
        assert (answer.status, answer.json["reason"]) == (403, "Forbidden")
        assert answer.message == text
    answer = await api("POST", path + "/configmaps", config_map(), user="jane")
    assert answer.message == f'configmaps is forbidden: {user} create resource "configmaps" {rest}'


async def test_nobody_may_see_little(api: Api) -> None:
    answer = await api("GET", "/api/v1/nodes", user="")
    assert answer.status == 403
    assert 'User "system:anonymous" cannot list resource "nodes"' in answer.message
    for path in ("/healthz", "/livez", "/readyz", "/version"):
        assert (await api("GET", path, user="")).status == 200


async def test_a_role_opens_what_it_names(api: Api) -> None:
    path = await api.namespace()
    name = path.rpartition("/")[2]
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    base = f"{RBAC}/namespaces/{name}"
    role = {"metadata": {"name": "reader"}, "rules": rules}
    assert (await api("POST", base + "/roles", role)).status == 201
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader"},
        ],
    }
    assert (await api("POST", base + "/rolebindings", binding)).status == 201
    assert (await api("GET", path + "/configmaps", user="reader")).status == 200
    assert (await api("GET", path + "/secrets", user="reader")).status == 403
    assert (await api("GET", "/api/v1/configmaps", user="reader")).status == 403
    wider = {"metadata": {"name": "wider"}, "rules": [{**rules[0], "verbs": ["*"]}]}
    answer = await api("POST", base + "/roles", wider, user="reader")
    assert answer.status == 403


async def test_a_role_may_be_about_certain_names(api: Api) -> None:
    path = await api.namespace()
    base = f"{RBAC}/namespaces/{path.rpartition('/')[2]}"
    rule = {
        "apiGroups": [""],
        "resources": ["configmaps"],
        "verbs": ["get", "list"],
        "resourceNames": ["mine"],
    }
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "one"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "one"},
        "subjects": [{"apiGroup": group, "kind": "User", "name": "owner"}],
    }
    await api("POST", base + "/roles", {"metadata": {"name": "one"}, "rules": [rule]})
    await api("POST", base + "/rolebindings", binding)
    for name in ("mine", "theirs"):
        await api("POST", path + "/configmaps", config_map(name))

    async def seen() -> list[int]:
        paths = ("/configmaps/mine", "/configmaps/theirs", "/configmaps")
        paths += ("/configmaps?fieldSelector=metadata.name%3Dmine",)
        return [(await api("GET", path + each, user="owner")).status for each in paths]

    assert await seen() == [200, 403, 403, 200]
    del rule["resourceNames"]
    await api("PUT", base + "/roles/one", {"metadata": {"name": "one"}, "rules": [rule]})
    assert await seen() == [200, 200, 200, 200]


async def test_certificates_of_others_are_not_believed(api: Api) -> None:
    stranger = pki.client_certificate(pki.new_authority("other"), "admin", ["system:masters"])
    async with api.connection(stranger) as (reader, writer):
        writer.write(b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        assert b'"message":"Unauthorized"' in await reader.readexactly(length)


@pytest.mark.parametrize("token", ["a.b.c", "nonsense", "eyJhbGciOiJub25lIn0.e30."])
async def test_tokens_that_nobody_issued_are_not_believed(api: Api, token: str) -> None:
    answer = await api("GET", "/api/v1/nodes", user="", Authorization=f"Bearer {token}")
    assert (answer.status, answer.json["reason"]) == (401, "Unauthorized")


async def test_service_account_tokens(api: Api) -> None:
    path = await api.namespace()
    name = path.rpartition("/")[2]
    assert (
        await api("POST", path + "/serviceaccounts", {"metadata": {"name": "sa"}})
    ).status == 201
    answer = await api("POST", path + "/serviceaccounts/sa/token", {"spec": {}})
    assert answer.status == 201
    bearer = f"Bearer {answer.json['status']['token']}"
    answer = await api("GET", path + "/pods", user="", Authorization=bearer)
    assert f'User "system:serviceaccount:{name}:sa" cannot list' in answer.message
    await api("DELETE", path + "/serviceaccounts/sa")
    answer = await api("GET", path + "/pods", user="", Authorization=bearer)
    assert answer.status == 401


async def test_acting_as_someone_else(api: Api) -> None:
    answer = await api("GET", "/api/v1/nodes", Impersonate_User="jane")
    assert (answer.status, 'User "jane"' in answer.message) == (403, True)
    answer = await api("GET", "/api/v1/nodes", user="jane", Impersonate_User="admin")
    assert answer.status == 403
    assert 'User "jane" cannot impersonate resource "users"' in answer.message


async def test_inner_clients_are_authorized_too(api: Api) -> None:
    client = api.server.client(UserInfo("jane", groups=("system:authenticated",)))
    with pytest.raises(StatusError, match='User "jane" cannot list resource "secrets"'):
        await client.list(GVR("", "v1", "secrets"))
