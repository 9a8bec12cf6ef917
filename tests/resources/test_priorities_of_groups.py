"""Priorities of groups of pods, which follow from a class; texts are upstream's."""

from typing import Any

import pytest

from tests.api.serving import Answer, Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

GROUPS = "/apis/scheduling.k8s.io/v1beta1/namespaces/fixtures/podgroups"
PODS = "/api/v1/namespaces/fixtures/pods"


async def group(api: Api, **spec: Any) -> Answer:
    spec |= {"schedulingPolicy": {"gang": {"minCount": 2}}, "disruptionMode": {"single": {}}}
    return await api("POST", f"{GROUPS}?dryRun=All", {"metadata": {"name": "g"}, "spec": spec})


async def test_the_class_says_the_priority(everything: Api) -> None:
    assert (await group(everything, priorityClassName="urgent")).json["spec"]["priority"] == 500
    assert (await group(everything)).json["spec"]["priority"] == 0
    answer = await group(everything, priorityClassName="urgent", priority=7)
    assert answer.message == (
        'podgroups.scheduling.k8s.io "g" is forbidden: priority set in the pod group (7) must match '
        "the priority computed (500) based on the priority class set in the spec"
    )


@pytest.mark.parametrize("name", ["absent", "Not/a_Name!"])
async def test_classes_that_are_not_there(everything: Api, name: str) -> None:
    text = f"no PriorityClass with name {name} was found"
    answer = await group(everything, priorityClassName=name)
    assert (answer.status, answer.message.partition(": ")[2]) == (403, text)
    container = {"name": "c", "image": "i"}
    spec = {"containers": [container], "priorityClassName": name}
    body = {"metadata": {"name": "p"}, "spec": spec}
    answer = await everything("POST", f"{PODS}?dryRun=All", body)
    assert (answer.status, answer.message.partition(": ")[2]) == (403, text)
