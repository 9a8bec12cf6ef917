import asyncio
from typing import Any

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
    # Of several ways to be allowed, the refusal names the first that applies.
    assert 'User "jane" cannot impersonate-on:user-info:list resource "nodes"' in answer.message


async def test_the_way_one_may_act_as_others_is_tried_first_the_next_time(api: Api) -> None:
    path = await api.namespace()
    name = f"imp-{path.rpartition('/')[2]}"
    rule = {
        "apiGroups": [""],
        "resources": ["users"],
        "resourceNames": ["b"],
        "verbs": ["impersonate"],
    }
    await api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
    subjects = [{"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"}]
    reference = {"kind": "ClusterRole", "name": name, "apiGroup": "rbac.authorization.k8s.io"}
    binding = {"metadata": {"name": name}, "subjects": subjects, "roleRef": reference}
    await api("POST", f"{RBAC}/clusterrolebindings", binding)

    async def refusal(user: str) -> str:
        answer = await api("GET", path + "/pods", user=name, Impersonate_User=user)
        assert answer.status == 403
        return answer.message

    assert "cannot impersonate-on:user-info:list" in await refusal("c")
    for _ in range(100):
        if 'User "b" cannot list' in await refusal("b"):
            break
        await asyncio.sleep(0.05)
    assert f'users "c" is forbidden: User "{name}" cannot impersonate' in await refusal("c")


async def test_inner_clients_are_authorized_too(api: Api) -> None:
    client = api.server.client(UserInfo("jane", groups=("system:authenticated",)))
    with pytest.raises(StatusError, match='User "jane" cannot list resource "secrets"'):
        await client.list(GVR("", "v1", "secrets"))


async def granted(api: Api, user: str, *rules: dict[str, Any]) -> str:
    """A fresh namespace's path of roles and bindings, where the user has these rules."""
    name = (await api.namespace()).rpartition("/")[2]
    path = f"{RBAC}/namespaces/{name}"
    await api("POST", f"{path}/roles", {"metadata": {"name": "r"}, "rules": list(rules)})
    await api("POST", f"{path}/rolebindings", bound("r", user))
    async with asyncio.timeout(5):
        while (await api("GET", f"{path}/roles", user=user)).status != 200:  # noqa: ASYNC110 - it ends
            await asyncio.sleep(0.02)
    return path


def bound(role: str, user: str, kind: str = "Role") -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}
    subjects = [{"kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io"}]
    return {"metadata": {"name": f"b-{role}"}, "roleRef": reference, "subjects": subjects}


def rule(verbs: str, *resources: str, group: str = "", **more: Any) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": verbs.split(), **more}


_MANAGES = rule("get list create update patch", "roles", "rolebindings", group=RBAC.split("/")[2])


async def test_nobody_grants_what_he_has_not(api: Api) -> None:
    path = await granted(api, "mary", _MANAGES, rule("get", "configmaps"))
    own = {"metadata": {"name": "own"}, "rules": [rule("get", "configmaps")]}
    assert (await api("POST", f"{path}/roles", own, user="mary")).status == 201
    more = {"metadata": {"name": "more"}, "rules": [rule("get list", "secrets", "configmaps")]}
    for method, where, body in (
        ("POST", f"{path}/roles", more),
        ("POST", f"{path}/roles?dryRun=All", more),
        ("PUT", f"{path}/roles/own", {**more, "metadata": {"name": "own"}}),
        ("PUT", f"{path}/roles/more", more),
    ):
        answer = await api(method, where, body, user="mary")
        assert answer.status == 403
        assert answer.message.endswith(
            "is attempting to grant RBAC permissions not currently held:\n"
            '{APIGroups:[""], Resources:["configmaps"], Verbs:["list"]}\n'
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}'
        )
    assert (await api("POST", f"{path}/rolebindings", bound("own", "x"), user="mary")).status == 201
    everything = bound("cluster-admin", "mary", "ClusterRole")
    answer = await api("POST", f"{path}/rolebindings", everything, user="mary")
    assert answer.status == 403
    assert '{APIGroups:["*"], Resources:["*"], Verbs:["*"]}' in answer.message
    missing = await api("POST", f"{path}/rolebindings", bound("gone", "x"), user="mary")
    assert missing.status == 404


async def test_what_is_not_held_is_told_by_resource(api: Api) -> None:
    path = await granted(api, "max", _MANAGES)
    body = {"metadata": {"name": "r"}, "rules": [rule("get list", "pods", "pods")]}
    answer = await api("POST", f"{path}/roles", body, user="max")
    told = answer.message.partition("not currently held:\n")[2]
    assert told == '{APIGroups:[""], Resources:["pods"], Verbs:["get" "list" "get" "list"]}'


async def test_prefixes_of_names_of_roles_are_names_too(api: Api) -> None:
    path = RBAC + "/clusterroles?dryRun=All"
    assert (await api("POST", path, {"metadata": {"generateName": "a"}})).status == 201
    answer = await api("POST", path, {"metadata": {"generateName": "."}})
    assert answer.status == 422
    assert "metadata.generateName: Invalid value: \".\": may not be '.'" in answer.message


async def test_escalate_and_bind(api: Api) -> None:
    group = RBAC.split("/")[2]
    escalates = rule("escalate", "roles", group=group)
    binds = rule("bind", "roles", group=group, resourceNames=["a"])
    path = await granted(api, "nora", _MANAGES, escalates, binds)
    for name in ("a", "b"):
        role = {"metadata": {"name": name}, "rules": [rule("*", "*", group="*")]}
        assert (await api("POST", f"{path}/roles", role, user="nora")).status == 201
    for name, status in (("b", 403), ("a", 201)):
        answer = await api("POST", f"{path}/rolebindings", bound(name, "nora"), user="nora")
        assert answer.status == status


SELF = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


async def test_who_one_is_when_acting_as_someone_else(api: Api) -> None:
    async def groups(**headers: str) -> list[str]:
        answer = await api("POST", SELF, {}, **headers)
        found: list[str] = answer.json["status"]["userInfo"]["groups"]
        return found

    assert await groups(Impersonate_User="x") == ["system:authenticated"]
    one = await groups(Impersonate_User="x", Impersonate_Group="a,b")
    assert one == ["a,b", "system:authenticated"], "a comma is part of a name"
    account = await groups(Impersonate_User="system:serviceaccount:ns:x")
    assert account[:2] == ["system:serviceaccounts", "system:serviceaccounts:ns"]
    answer = await api("POST", SELF, {}, Impersonate_Group="a")
    assert answer.status == 400
    assert 'Groups:[]string{"a"}, Extra:map[string][]string(nil)}' in answer.message


async def test_a_right_to_act_as_one_is_no_right_to_act_as_another(api: Api) -> None:
    group = "authentication.k8s.io"
    rules = [
        rule("impersonate", "users", resourceNames=["bob"]),
        rule("impersonate", "userextras/k", group=group, resourceNames=["v"]),
    ]
    await api("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "acts"}, "rules": rules})
    await api("POST", f"{RBAC}/clusterrolebindings", bound("acts", "olga", "ClusterRole"))
    async with asyncio.timeout(5):
        while (await api("POST", SELF, {}, user="olga", Impersonate_User="bob")).status != 201:  # noqa: ASYNC110 - it ends
            await asyncio.sleep(0.02)
    for headers, status in (
        ({"Impersonate_User": "bob", "Impersonate_Extra_K": "v"}, 201),
        ({"Impersonate_User": "bob", "Impersonate_Extra_K": "w"}, 403),
        ({"Impersonate_User": "bob", "Impersonate_Group": "system:masters"}, 403),
        ({"Impersonate_User": "carol"}, 403),
    ):
        assert (await api("POST", SELF, {}, user="olga", **headers)).status == status
