from typing import Any

from pykube_cp.resources.shared.pod_fields import drop_disabled


def pod(*, mode: Any = "x", protocol: Any = "x", user: Any = 1) -> dict[str, Any]:
    action = {"httpGet": {"path": "/", "protocol": protocol}, "grpc": {"port": 1, "mode": mode}}
    volume = {
        "name": "v",
        "emptyDir": {"mode": mode},
        "projected": {"sources": [{"secret": {"items": [{"key": "k", "user": user}]}}]},
    }
    containers = [{"name": "c", "livenessProbe": action, "lifecycle": {"preStop": {**action}}}]
    return {
        "metadata": {"annotations": {"a": "b", "pod.beta.kubernetes.io/init-containers": "[]"}},
        "spec": {"containers": containers, "volumes": [volume], "schedulingGroup": {}},
    }


def shown(obj: dict[str, Any]) -> tuple[Any, ...]:
    """Which of the fields are there: probe, hook, grpc, emptyDir, projected file, spec."""
    (container,), (volume,) = obj["spec"]["containers"], obj["spec"]["volumes"]
    (source,) = volume["projected"]["sources"]
    return (
        "protocol" in container["livenessProbe"]["httpGet"],
        "protocol" in container["lifecycle"]["preStop"]["httpGet"],
        "mode" in container["livenessProbe"]["grpc"],
        "mode" in volume["emptyDir"],
        "user" in source["secret"]["items"][0],
        "schedulingGroup" in obj["spec"],
    )


def test_fields_that_are_off_go_wherever_they_stand() -> None:
    obj = pod()
    drop_disabled(obj, None)
    assert shown(obj) == (False,) * 6
    assert obj["metadata"]["annotations"] == {"a": "b"}


def test_what_was_in_use_stays_with_all_of_its_group() -> None:
    old, obj = pod(mode=None, user=None), pod()
    del old["spec"]["containers"][0]["lifecycle"]
    old["spec"]["volumes"][0]["emptyDir"]["mode"] = "was"
    drop_disabled(obj, old)
    # protocol was used by a probe, emptyDir's mode as well; schedulingGroup was there, though empty
    assert shown(obj) == (True, True, False, True, False, True)


def test_absent_branches_are_no_trouble() -> None:
    for obj in ({}, {"spec": None}, {"spec": {"volumes": None, "containers": [{"name": "c"}]}}):
        before = repr(obj)
        drop_disabled(obj, None)
        assert repr(obj) == before
