import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer

from tests.integration.cluster import until

PATIENCE = 15
"""Seconds that a watch lasts when nothing more happens."""


class Maps:
    """ConfigMaps of one namespace, made and changed in one line."""

    def __init__(self, core: client.CoreV1Api, namespace: str) -> None:
        self.core, self.namespace = core, namespace

    def create(self, name: str, **labels: str) -> str:
        body = {"metadata": {"name": name, "labels": labels}}
        return str(
            self.core.create_namespaced_config_map(self.namespace, body).metadata.resource_version
        )

    def change(self, name: str, **data: str) -> str:
        patched = self.core.patch_namespaced_config_map(name, self.namespace, {"data": data})
        return str(patched.metadata.resource_version)

    def label(self, name: str, **labels: str | None) -> None:
        self.core.patch_namespaced_config_map(
            name, self.namespace, {"metadata": {"labels": labels}}
        )

    def delete(self, name: str) -> None:
        self.core.delete_namespaced_config_map(name, self.namespace)

    def version(self) -> str:
        listed = self.core.list_namespaced_config_map(self.namespace)
        return str(listed.metadata.resource_version)

    def stream(self, **options: Any) -> Iterator[Any]:
        options = {"timeout_seconds": PATIENCE, **options}
        return iter(
            watch.Watch().stream(self.core.list_namespaced_config_map, self.namespace, **options)
        )

    def events(self, count: int, **options: Any) -> list[tuple[str, str]]:
        found = []
        for event in self.stream(**options):
            found.append((event["type"], event["object"].metadata.name))
            if len(found) == count:
                break
        return found


@pytest.fixture
def maps(core: client.CoreV1Api, namespace: str) -> Maps:
    found = Maps(core, namespace)
    # the controllers' own object is not what the tests are about
    assert until(lambda: core.list_namespaced_config_map(namespace).items)
    return found


def test_a_watch_goes_on_where_a_list_ended(maps: Maps) -> None:
    version = maps.version()
    maps.create("a")
    maps.change("a", x="1")
    maps.delete("a")
    wanted = [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]
    assert maps.events(3, resource_version=version) == wanted


def test_a_watch_resumes_at_any_version_it_saw(maps: Maps) -> None:
    first = maps.create("a")
    second = maps.change("a", x="1")
    maps.change("a", x="2")
    assert maps.events(2, resource_version=first) == [("MODIFIED", "a")] * 2
    assert maps.events(1, resource_version=second) == [("MODIFIED", "a")]


def test_short_watches_in_a_row_see_everything_once(maps: Maps) -> None:
    watching = watch.Watch()
    watching.resource_version = maps.version()
    names = [f"n{number}" for number in range(20)]
    writing = threading.Thread(target=lambda: [maps.create(name) for name in names])
    writing.start()
    seen: list[str] = []
    for _ in range(PATIENCE):
        events = watching.stream(
            maps.core.list_namespaced_config_map,
            maps.namespace,
            resource_version=watching.resource_version,
            timeout_seconds=1,
        )
        for number, event in enumerate(events):
            seen.append(event["object"].metadata.name)
            if number == 2:
                watching.stop()
        if len(seen) >= len(names):
            break
    writing.join()
    assert seen == names


def test_without_a_version_a_watch_begins_with_what_is_there(maps: Maps) -> None:
    maps.create("a")
    assert ("ADDED", "a") in maps.events(2)
    maps.create("b")
    assert sorted(maps.events(2, field_selector="metadata.name!=kube-root-ca.crt")) == [
        ("ADDED", "a"),
        ("ADDED", "b"),
    ]


def test_initial_events_end_with_a_bookmark(maps: Maps) -> None:
    maps.create("a", own="yes")
    options = {
        "send_initial_events": True,
        "allow_watch_bookmarks": True,
        "resource_version_match": "NotOlderThan",
        "label_selector": "own",
    }
    stream = maps.stream(**options)
    first, second = next(stream), next(stream)
    assert (first["type"], second["type"]) == ("ADDED", "BOOKMARK")
    annotations = second["raw_object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}
    assert second["raw_object"]["kind"] == "ConfigMap"


def test_what_a_selector_loses_is_deleted_and_what_it_gains_is_added(maps: Maps) -> None:
    version = maps.version()
    maps.create("a", colour="red")
    maps.label("a", colour="blue")
    maps.label("a", colour="red")
    wanted = [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]
    assert maps.events(3, resource_version=version, label_selector="colour=red") == wanted


def test_a_watch_ends_after_the_seconds_it_asked_for(maps: Maps) -> None:
    begin = time.monotonic()
    assert maps.events(1, resource_version=maps.version(), timeout_seconds=2) == []
    assert 1.5 < time.monotonic() - begin < 10


def test_a_version_that_never_was_is_refused(maps: Maps) -> None:
    with pytest.raises(ApiException) as caught:
        maps.core.list_namespaced_config_map(maps.namespace, resource_version="abc")
    assert caught.value.status == 400
    with pytest.raises(ApiException) as caught:
        maps.core.list_namespaced_config_map(
            maps.namespace, resource_version="999999999", resource_version_match="NotOlderThan"
        )
    assert caught.value.status == 504
    assert "Too large resource version" in str(caught.value.body)


def test_an_informer_keeps_a_copy_and_calls_its_handlers(maps: Maps) -> None:
    maps.create("before")
    informer = SharedInformer(maps.core.list_namespaced_config_map, namespace=maps.namespace)
    calls: list[tuple[str, str]] = []
    for kind in (ADDED, MODIFIED, DELETED):
        informer.add_event_handler(
            kind, lambda item, kind=kind: calls.append((kind, item.metadata.name))
        )
    informer.start()
    try:
        assert until(lambda: (ADDED, "before") in calls)
        maps.create("after")
        maps.change("after", x="1")
        maps.delete("before")
        wanted = [(ADDED, "before"), (ADDED, "after"), (MODIFIED, "after"), (DELETED, "before")]
        assert until(lambda: [call for call in calls if call[1] != "kube-root-ca.crt"] == wanted), (
            calls
        )
        assert informer.cache.get_by_key(f"{maps.namespace}/after").data == {"x": "1"}
        assert informer.cache.get_by_key(f"{maps.namespace}/before") is None
    finally:
        # its stop() waits for the next event, so there has to be one
        informer._stop_event.set()
        maps.change("after", x="end")
        informer.stop()
