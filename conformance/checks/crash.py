#!/usr/bin/env python3
"""kill -9 the control plane under write load, start it again, three times over.

Nothing that was acknowledged is lost, watches resume where they were without gap or repetition,
and running containers are not restarted.
"""

import argparse
import http.client
import itertools
import os
import sys
import threading
import time
from dataclasses import dataclass, field

import kube
from kube import Client, Json, Tally

WRITERS = 8
ROUNDS = 3
Containers = dict[str, list[tuple[str, int, str]]]

UNREACHABLE = (OSError, http.client.HTTPException)


@dataclass
class Written:
    """What the writers know: acknowledged revision and content by name, and what was in flight."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: dict[str, tuple[int, str]] = field(default_factory=dict)
    in_flight: dict[str, set[str]] = field(default_factory=dict)
    interrupted: int = 0

    def attempt(self, name: str, value: str) -> None:
        with self.lock:
            self.in_flight.setdefault(name, set()).add(value)

    def keep(self, name: str, revision: int, value: str) -> None:
        with self.lock:
            self.acknowledged[name] = (revision, value)


class Writer(threading.Thread):
    """Creates objects one after the other and updates each once, as fast as it is answered."""

    def __init__(self, number: int, client: Client, maps: str, written: Written) -> None:
        super().__init__(daemon=True)
        self.number, self.client, self.maps, self.written = number, client, maps, written
        self.over = threading.Event()

    def run(self) -> None:
        for count in itertools.count():
            if self.over.is_set():
                return
            try:
                self.write(f"w{self.number}-{count}")
            except UNREACHABLE:
                self.written.interrupted += 1
                time.sleep(0.05)

    def write(self, name: str) -> None:
        body: Json = {"metadata": {"name": name}, "data": {"v": "created"}}
        if self.send("POST", self.maps, name, body):
            body["data"]["v"] = "updated"
            self.send("PUT", f"{self.maps}/{name}", name, body)

    def send(self, method: str, path: str, name: str, body: Json) -> bool:
        value = body["data"]["v"]
        self.written.attempt(name, value)
        answer = self.client.request(method, path, body)
        if answer.code not in (200, 201):
            return False
        self.written.keep(name, int(answer.content["metadata"]["resourceVersion"]), value)
        return True


class Watcher(threading.Thread):
    """One watch over the whole check, resumed at the last revision it saw, as informers do."""

    def __init__(self, client: Client, maps: str, revision: int) -> None:
        super().__init__(daemon=True)
        self.client, self.maps, self.revision = client, maps, revision
        self.latest: dict[str, int] = {}
        self.events = self.resumed = self.listed = 0
        self.faults: list[str] = []
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.is_set():
            try:
                self.follow()
            except (*UNREACHABLE, ValueError, KeyError):
                time.sleep(0.05)

    def follow(self) -> None:
        """Until the stream ends; an ERROR event is its last."""
        path = f"{self.maps}?watch=1&resourceVersion={self.revision}&allowWatchBookmarks=1"
        for count, event in enumerate(self.client.watch(path)):
            if event["type"] == "ERROR":
                self.refused(event["object"])
                return
            self.resumed += count == 0
            self.take(event)

    def refused(self, status: Json) -> None:
        if status.get("code") == 410:
            # upstream's watch cache begins anew with the process, and clients list again
            self.listed += 1
            found = self.client.request("GET", self.maps).content
            for item in found["items"]:
                self.see(item["metadata"])
            self.revision = int(found["metadata"]["resourceVersion"])
        elif status.get("code") not in (429, 504):
            # those two ask to wait for a server that is not yet where the client was
            self.faults.append(f"ERROR {status.get('message')}")
        time.sleep(0.05)

    def take(self, event: Json) -> None:
        metadata = event["object"]["metadata"]
        revision = int(metadata["resourceVersion"])
        if event["type"] != "BOOKMARK":
            self.events += 1
            if revision <= self.revision:
                self.faults.append(f"{metadata['name']} at {revision} after {self.revision}")
            self.see(metadata)
        self.revision = max(self.revision, revision)

    def see(self, metadata: Json) -> None:
        revision = int(metadata["resourceVersion"])
        self.latest[metadata["name"]] = max(revision, self.latest.get(metadata["name"], 0))


def control_plane(env: dict[str, str], what: str) -> None:
    kube.script(env["CONTROL_SCRIPT"], what)


def survivors(client: Client, base: str) -> Containers:
    """Container id, restart count and start time of each container of the check's Pods."""
    pods = client.request("GET", f"{base}/pods").content.get("items", [])
    return {
        pod["metadata"]["name"]: [
            (status["containerID"], status["restartCount"], status["state"]["running"]["startedAt"])
            for status in pod["status"].get("containerStatuses", [])
            if "running" in status["state"]
        ]
        for pod in pods
    }


def start_containers(client: Client, base: str) -> Containers:
    container = {
        "name": "c",
        "image": "registry.k8s.io/e2e-test-images/agnhost:2.66.1",
        "args": ["pause"],
    }
    template = {"metadata": {"labels": {"app": "survivor"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "survivor"}}, "template": template}
    path = base.replace("/api/v1", "/apis/apps/v1") + "/deployments"
    created = client.request("POST", path, {"metadata": {"name": "survivor"}, "spec": spec})
    if created.code != 201:
        sys.exit(f"cannot create a deployment: {created.message}")

    def running() -> bool:
        found = survivors(client, base)
        return len(found) == 2 and all(found.values())

    if not kube.until(90, running):
        sys.exit("the deployment's Pods do not run")
    return survivors(client, base)


def crash(env: dict[str, str], written: Written) -> None:
    before = len(written.acknowledged)
    time.sleep(4)
    control_plane(env, "kill")
    print(f"killed with {len(written.acknowledged) - before} writes acknowledged since it started")
    time.sleep(0.5)
    control_plane(env, "up")


def stored(client: Client, maps: str) -> dict[str, tuple[int, str]]:
    items = client.request("GET", maps).content["items"]
    return {
        item["metadata"]["name"]: (
            int(item["metadata"]["resourceVersion"]),
            item.get("data", {}).get("v", ""),
        )
        for item in items
    }


def judge_writes(tally: Tally, written: Written, found: dict[str, tuple[int, str]]) -> None:
    lost = [name for name in written.acknowledged if name not in found]
    # an update in flight when the crash came may or may not have been kept
    stale = [
        name
        for name, (revision, value) in written.acknowledged.items()
        if name in found
        and found[name] != (revision, value)
        and not (found[name][0] > revision and found[name][1] in written.in_flight[name])
    ]
    invented = [name for name in found if name.startswith("w") and name not in written.in_flight]
    saw = f"{len(written.acknowledged)} acknowledged, {written.interrupted} interrupted"
    tally.check("nothing acknowledged is lost", holds=not lost, saw=f"{saw}, lost {lost[:5]}")
    tally.check("each has its last acknowledged content", holds=not stale, saw=f"stale {stale[:5]}")
    tally.check("nothing is there that nobody wrote", holds=not invented, saw=f"{invented[:5]}")


def judge_watch(tally: Tally, watcher: Watcher, written: Written) -> None:
    def unseen() -> list[str]:
        pairs = ((name, revision) for name, (revision, _) in written.acknowledged.items())
        return [name for name, revision in pairs if watcher.latest.get(name, 0) < revision]

    kube.until(20, lambda: not unseen())
    saw = f"{watcher.events} events, {watcher.resumed} streams, {watcher.listed} times listed anew"
    tally.check("the watch resumed", holds=watcher.resumed > ROUNDS, saw=saw)
    tally.check("it saw every acknowledged write", holds=not unseen(), saw=f"unseen {unseen()[:5]}")
    faults = watcher.faults
    tally.check("in order and without repetition", holds=not faults, saw=f"{faults[:3]}")


def load(env: dict[str, str], client: Client, maps: str) -> tuple[Written, Watcher]:
    """Writers and a watcher over the crashes; the watcher still runs afterwards."""
    written = Written()
    begin = client.request("GET", maps).content["metadata"]["resourceVersion"]
    watcher = Watcher(client.clone(), maps, int(begin))
    writers = [Writer(n, client.clone(), maps, written) for n in range(WRITERS)]
    for thread in (watcher, *writers):
        thread.start()
    for _ in range(ROUNDS):
        crash(env, written)
    time.sleep(2)
    for writer in writers:
        writer.over.set()
    for writer in writers:
        writer.join(40)
    return written, watcher


def judge_containers(tally: Tally, before: Containers, client: Client, base: str) -> None:
    time.sleep(10)
    after = survivors(client, base)
    saw = f"{len(after)} Pods" if after == before else f"{before} then {after}"
    tally.check("running containers were not restarted", holds=after == before, saw=saw)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-nodes", action="store_true", help="leave out what needs nodes")
    with_nodes = not parser.parse_args().no_nodes
    os.environ.setdefault("NODES", "2")
    env, tally = kube.settings(), Tally()
    if with_nodes:
        kube.script("cluster.sh", "up")
    else:
        control_plane(env, "up")
    client = kube.admin(env)
    base = kube.namespace(client, "check-crash")
    containers = start_containers(client, base) if with_nodes else {}
    written, watcher = load(env, client, f"{base}/configmaps")
    client = client.clone()
    judge_writes(tally, written, stored(client, f"{base}/configmaps"))
    judge_watch(tally, watcher, written)
    watcher.over.set()
    if with_nodes:
        judge_containers(tally, containers, client, base)
    client.request("DELETE", base)
    return tally.status()


if __name__ == "__main__":
    sys.exit(main())
