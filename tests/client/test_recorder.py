import asyncio
from typing import Any

import pytest

from pykube_cp.client.recorder import EVENTS, MAX_QUEUED, Recorder
from pykube_cp.machinery import errors
from pykube_cp.testing.fake_client import FakeClient

pytestmark = pytest.mark.virtual_time

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "ns", "uid": "u", "resourceVersion": "7"},
}


def by_message(client: FakeClient) -> dict[str, dict[str, Any]]:
    return {event["message"]: event for event in client.all(EVENTS)}


async def test_an_event_has_all_its_parts(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "test-controller", "host-1")
    recorder.event(POD, "Normal", "Started", "It started", field_path="spec.containers{c}")
    await recorder.flush()
    (event,) = fake_client.all(EVENTS)
    name = event["metadata"].pop("name")
    assert name == f"web.{1_800_000_000_000_000_000:x}"
    for part in ("uid", "resourceVersion", "creationTimestamp"):
        del event["metadata"][part]
    assert event == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "ns"},
        "involvedObject": {
            "kind": "Pod",
            "apiVersion": "v1",
            "namespace": "ns",
            "name": "web",
            "uid": "u",
            "resourceVersion": "7",
            "fieldPath": "spec.containers{c}",
        },
        "reason": "Started",
        "message": "It started",
        "source": {"component": "test-controller", "host": "host-1"},
        "firstTimestamp": "2027-01-15T08:00:00Z",
        "lastTimestamp": "2027-01-15T08:00:00Z",
        "count": 1,
        "type": "Normal",
        "reportingComponent": "test-controller",
        "reportingInstance": "host-1",
    }
    fake_client._written.clear()


async def test_events_of_cluster_scoped_objects_are_in_default(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    recorder.event(node, "Normal", "Seen", "m")
    await recorder.flush()
    assert fake_client.all(EVENTS)[0]["metadata"]["namespace"] == "default"


async def test_the_same_again_raises_the_count(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    for _ in range(3):
        recorder.event(POD, "Normal", "R", "same")
        await recorder.flush()
        await asyncio.sleep(60)
    (event,) = fake_client.all(EVENTS)
    assert event["count"] == 3
    assert event["firstTimestamp"] == "2027-01-15T08:00:00Z"
    assert event["lastTimestamp"] == "2027-01-15T08:02:00Z"


async def test_a_counted_event_that_expired_is_made_anew(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    recorder.event(POD, "Normal", "R", "same")
    await recorder.flush()
    (event,) = fake_client.all(EVENTS)
    fake_client.remove(EVENTS, event["metadata"]["name"], "ns")
    recorder.event(POD, "Normal", "R", "same")
    await recorder.flush()
    assert [found["count"] for found in fake_client.all(EVENTS)] == [2]


async def test_many_similar_events_are_combined(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    for number in range(15):
        recorder.event(POD, "Normal", "R", f"m{number}")
        await recorder.flush()
    found = by_message(fake_client)
    assert len(found) == 10
    assert found["(combined from similar events): m14"]["count"] == 6


async def test_a_chatterbox_is_held_to_its_rate(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    for number in range(40):
        recorder.event(POD, "Normal", f"R{number}", "m")
    await recorder.flush()
    assert len(fake_client.all(EVENTS)) == 25
    await asyncio.sleep(300)
    recorder.event(POD, "Normal", "Later", "m")
    recorder.event(POD, "Normal", "Later2", "m")
    await recorder.flush()
    assert len(fake_client.all(EVENTS)) == 26


async def test_it_tries_again_while_the_server_is_away(fake_client: FakeClient) -> None:
    recorder = Recorder(fake_client, "c")
    running = asyncio.ensure_future(recorder.run())
    fake_client.fail("create", "events", ConnectionError("down"), times=3)
    recorder.event(POD, "Normal", "R", "m")
    await asyncio.sleep(60)
    assert len(fake_client.all(EVENTS)) == 1
    fake_client.fail("create", "events", errors.forbidden(("", "events"), "x", "no"))
    recorder.event(POD, "Normal", "R", "refused")
    recorder.event(POD, "Normal", "R", "accepted")
    await asyncio.sleep(60)
    assert set(by_message(fake_client)) == {"m", "accepted"}
    running.cancel()


async def test_a_full_queue_drops(
    fake_client: FakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = Recorder(fake_client, "c")
    for number in range(MAX_QUEUED + 1):
        recorder.event(POD, "Normal", "R", str(number))
    assert len(recorder.pending) == MAX_QUEUED
    assert "too many queued events" in caplog.text
