import json

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.utils import retry

from tests.integration.cluster import until

Api = client.ApiClient
PAUSE = "registry.k8s.io/pause:3.10.2"


def config_map(name: str, **data: str) -> client.V1ConfigMap:
    return client.V1ConfigMap(metadata=client.V1ObjectMeta(name=name), data=data)


def deployment(name: str, replicas: int = 2) -> client.V1Deployment:
    labels = {"app": name}
    template = client.V1PodTemplateSpec(
        metadata=client.V1ObjectMeta(labels=labels),
        spec=client.V1PodSpec(containers=[client.V1Container(name="c", image=PAUSE)]),
    )
    spec = client.V1DeploymentSpec(
        replicas=replicas, selector=client.V1LabelSelector(match_labels=labels), template=template
    )
    return client.V1Deployment(metadata=client.V1ObjectMeta(name=name, labels=labels), spec=spec)


def test_an_object_from_creation_to_deletion(core: client.CoreV1Api, namespace: str) -> None:
    created = core.create_namespaced_config_map(namespace, config_map("a", colour="red"))
    assert created.metadata.uid
    assert created.metadata.creation_timestamp.tzinfo is not None
    created.data["colour"] = "blue"
    replaced = core.replace_namespaced_config_map("a", namespace, created)
    assert int(replaced.metadata.resource_version) > int(created.metadata.resource_version)
    assert core.read_namespaced_config_map("a", namespace).data == {"colour": "blue"}
    deleted = core.delete_namespaced_config_map("a", namespace)
    assert deleted["status"] == "Success"
    assert deleted["details"]["uid"] == created.metadata.uid
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("a", namespace)
    assert caught.value.status == 404


def test_the_usual_kinds_can_be_made_and_read(api: Api, namespace: str) -> None:
    core, apps, batch = client.CoreV1Api(api), client.AppsV1Api(api), client.BatchV1Api(api)
    web = deployment("web")
    secret = core.create_namespaced_secret(
        namespace, client.V1Secret(metadata={"name": "s"}, string_data={"password": "x"})
    )
    assert secret.data == {"password": "eA=="}
    service = core.create_namespaced_service(
        namespace,
        client.V1Service(
            metadata={"name": "web"},
            spec=client.V1ServiceSpec(
                selector={"app": "web"}, ports=[client.V1ServicePort(port=80)]
            ),
        ),
    )
    assert service.spec.cluster_ip.startswith("10.96.")
    assert service.spec.ports[0].target_port == 80
    made = apps.create_namespaced_deployment(namespace, web)
    assert made.spec.strategy.rolling_update.max_surge == "25%"
    stateful = client.V1StatefulSetSpec(
        service_name="web", selector=web.spec.selector, template=web.spec.template
    )
    apps.create_namespaced_stateful_set(
        namespace, client.V1StatefulSet(metadata={"name": "db"}, spec=stateful)
    )
    pod_spec = client.V1PodSpec(
        restart_policy="Never", containers=[client.V1Container(name="c", image=PAUSE)]
    )
    job = client.V1JobSpec(template=client.V1PodTemplateSpec(spec=pod_spec))
    batch.create_namespaced_cron_job(
        namespace,
        client.V1CronJob(
            metadata={"name": "nightly"},
            spec=client.V1CronJobSpec(
                schedule="0 3 * * *", job_template=client.V1JobTemplateSpec(spec=job)
            ),
        ),
    )
    assert [item.metadata.name for item in apps.list_stateful_set_for_all_namespaces().items] == [
        "db"
    ]
    nightly = batch.read_namespaced_cron_job("nightly", namespace)
    assert nightly.spec.job_template.spec.template.spec.restart_policy == "Never"
    assert nightly.spec.concurrency_policy == "Allow"


def test_a_deployment_becomes_pods_that_wait_for_a_node(api: Api, namespace: str) -> None:
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    apps.create_namespaced_deployment(namespace, deployment("web", replicas=3))

    def pods() -> list[client.V1Pod]:
        found: list[client.V1Pod] = core.list_namespaced_pod(
            namespace, label_selector="app=web", field_selector="status.phase=Pending"
        ).items
        return found

    def refused() -> bool:
        told = [condition for pod in pods() for condition in pod.status.conditions or []]
        return len(told) == 3 and all(each.reason == "Unschedulable" for each in told)

    assert until(refused)
    assert pods()[0].status.conditions[0].message.startswith("no nodes available to schedule pods")
    status = apps.read_namespaced_deployment_status("web", namespace).status
    assert (status.replicas, status.unavailable_replicas) == (3, 3)


def test_scale_and_status_are_objects_of_their_own(api: Api, namespace: str) -> None:
    apps = client.AppsV1Api(api)
    apps.create_namespaced_deployment(namespace, deployment("web"))

    def grow() -> client.V1Scale:
        scale = apps.read_namespaced_deployment_scale("web", namespace)
        scale.spec.replicas = 5
        return apps.replace_namespaced_deployment_scale("web", namespace, scale)

    # the controller writes the status at the same time
    assert retry.retry_on_conflict(grow).spec.replicas == 5
    assert apps.read_namespaced_deployment("web", namespace).spec.replicas == 5
    patched = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 1}})
    assert patched.spec.replicas == 1
    changed = apps.patch_namespaced_deployment_status(
        "web", namespace, {"spec": {"replicas": 9}, "metadata": {"labels": {"x": "y"}}}
    )
    assert changed.spec.replicas == 1


def test_every_form_of_patch(api: Api, namespace: str) -> None:
    core = client.CoreV1Api(api)
    core.create_namespaced_config_map(namespace, config_map("p", a="1", b="2"))

    def patch(body: object, content_type: str) -> dict[str, str]:
        answer: dict[str, str] = core.patch_namespaced_config_map(
            "p", namespace, body, _content_type=content_type
        ).data
        return answer

    assert patch({"data": {"a": None}}, "application/merge-patch+json") == {"b": "2"}
    assert patch({"data": {"c": "3"}}, "application/strategic-merge-patch+json") == {
        "b": "2",
        "c": "3",
    }
    steps = [
        {"op": "test", "path": "/data/c", "value": "3"},
        {"op": "move", "from": "/data/c", "path": "/data/d"},
    ]
    assert patch(steps, "application/json-patch+json") == {"b": "2", "d": "3"}
    with pytest.raises(ApiException) as caught:
        patch([{"op": "test", "path": "/data/d", "value": "4"}], "application/json-patch+json")
    assert caught.value.status == 422


def test_server_side_apply_and_its_conflict(core: client.CoreV1Api, namespace: str) -> None:
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}}
    apply = "application/apply-patch+yaml"
    first = core.patch_namespaced_config_map(
        "applied",
        namespace,
        {**wanted, "data": {"a": "1", "b": "2"}},
        field_manager="one",
        _content_type=apply,
    )
    assert [(each.manager, each.operation) for each in first.metadata.managed_fields] == [
        ("one", "Apply")
    ]
    other = {**wanted, "data": {"b": "3"}}
    with pytest.raises(ApiException) as caught:
        core.patch_namespaced_config_map(
            "applied", namespace, other, field_manager="two", _content_type=apply
        )
    assert caught.value.status == 409
    cause = json.loads(caught.value.body)["details"]["causes"][0]
    assert (cause["field"], cause["message"]) == (".data.b", 'conflict with "one"')
    forced = core.patch_namespaced_config_map(
        "applied", namespace, other, field_manager="two", force=True, _content_type=apply
    )
    assert forced.data == {"a": "1", "b": "3"}


def test_pages_of_a_list(core: client.CoreV1Api, namespace: str) -> None:
    for number in range(7):
        core.create_namespaced_config_map(namespace, config_map(f"n{number}"))
    names: list[str] = []
    page = core.list_namespaced_config_map(namespace, limit=3)
    total = len(page.items) + page.metadata.remaining_item_count
    version = page.metadata.resource_version
    core.create_namespaced_config_map(namespace, config_map("n9"))
    while True:
        names += [item.metadata.name for item in page.items]
        assert page.metadata.resource_version == version
        if not page.metadata._continue:
            break
        page = core.list_namespaced_config_map(
            namespace, limit=3, _continue=page.metadata._continue
        )
    assert len(names) == total
    assert [name for name in names if name.startswith("n")] == [f"n{number}" for number in range(7)]


def test_selectors(core: client.CoreV1Api, namespace: str) -> None:
    for name, tier in (("a", "front"), ("b", "back"), ("c", None)):
        body = config_map(name)
        body.metadata.labels = {"test": "selectors", **({"tier": tier} if tier else {})}
        core.create_namespaced_config_map(namespace, body)

    def names(**selectors: str) -> list[str]:
        found = core.list_namespaced_config_map(namespace, **selectors).items
        return [item.metadata.name for item in found]

    assert names(label_selector="tier=front") == ["a"]
    assert names(label_selector="test=selectors,tier!=front") == ["b", "c"]
    assert names(label_selector="tier in (front,back)") == ["a", "b"]
    assert names(label_selector="test,!tier") == ["c"]
    assert names(field_selector="metadata.name=b") == ["b"]
    with pytest.raises(ApiException) as caught:
        names(field_selector="data.x=1")
    assert caught.value.status == 400
    core.delete_collection_namespaced_config_map(namespace, label_selector="tier")
    assert names(label_selector="test=selectors") == ["c"]


def test_deletion_with_options(api: Api, namespace: str) -> None:
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    apps.create_namespaced_deployment(namespace, deployment("web"))
    sets = lambda: apps.list_namespaced_replica_set(namespace).items  # noqa: E731 - asked twice below
    assert until(lambda: len(core.list_namespaced_pod(namespace).items) == 2)
    apps.delete_namespaced_deployment("web", namespace, propagation_policy="Orphan")
    assert until(lambda: [each.metadata.owner_references for each in sets()] == [None])
    name = sets()[0].metadata.name
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="another"))
    with pytest.raises(ApiException) as caught:
        apps.delete_namespaced_replica_set(name, namespace, body=wrong)
    assert caught.value.status == 409
    foreground = client.V1DeleteOptions(propagation_policy="Foreground", grace_period_seconds=0)
    apps.delete_namespaced_replica_set(name, namespace, body=foreground)
    assert until(lambda: not sets() and not core.list_namespaced_pod(namespace).items)


def test_a_namespace_goes_with_everything_in_it(core: client.CoreV1Api, namespace: str) -> None:
    core.create_namespaced_config_map(namespace, config_map("left"))
    core.delete_namespace(namespace)

    def gone() -> bool:
        return namespace not in [item.metadata.name for item in core.list_namespace().items]

    assert until(gone)
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_config_map("left", namespace)
    assert caught.value.status == 404
