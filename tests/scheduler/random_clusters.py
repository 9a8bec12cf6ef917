"""Clusters at random, the same ones for the same seed, in which every rule of scheduling occurs."""

import random
from collections.abc import Callable
from typing import Any

from pykube_cp.machinery.objects import Object
from tests.scheduler.scheduling import HOSTNAME, ZONE, node, pod

APPS = ("web", "db", "cache")
TOPOLOGIES = (HOSTNAME, ZONE, "rack")
IMAGES = (
    ("busybox:latest", 5_000_000),
    ("img:v1", 200_000_000),
    ("registry:5000/x:latest", 400_000_000),
    ("big:v1", 3_000_000_000),
)
IMAGE_NAMES = ("busybox", "img:v1", "registry:5000/x", "big:v1")
LABEL_VALUES = {
    "disk": ("ssd", "hdd"),
    "cores": ("1", "4", "8", "many"),
    "rack": ("r1", "r2"),
    HOSTNAME: ("n0", "n1", "n2"),
}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


class RandomCluster:
    """One cluster and the pod that is to be scheduled there."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.size = self._pick(range(1, 8))
        self.objects = [
            *(self._node(number) for number in range(self.size)),
            *self._surroundings(),
            *self._storage(),
            *(self._running(number) for number in range(self._pick(range(15)))),
        ]
        self.pod = self._incoming()

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _pick(self, options: Any) -> Any:
        return options[int(self._random.random() * len(options))]

    def _some(self, options: tuple[Any, ...], most: int) -> list[Any]:
        """One to ``most`` different ones."""
        left = list(options)
        return [left.pop(int(self._random.random() * len(left))) for _ in range(self._count(most))]

    def _count(self, most: int) -> int:
        return 1 + int(self._random.random() * most)

    def _several(self, most: int, make: Callable[[], Object]) -> list[Object]:
        return [make() for _ in range(self._count(most))]

    def _maybe(self, probability: float, **fields: Any) -> dict[str, Any]:
        """The fields, or none; a callable field is called."""
        if not self._chance(probability):
            return {}
        return {name: value() if callable(value) else value for name, value in fields.items()}

    # Nodes

    def _node(self, number: int) -> Object:
        labels = {
            **self._maybe(0.7, disk=lambda: self._pick(("ssd", "hdd"))),
            **self._maybe(0.6, cores=lambda: self._pick(("1", "4", "8", "many", "05"))),
            **self._maybe(0.6, rack=lambda: self._pick(("r1", "r2"))),
        }
        allocatable = {
            "cpu": self._pick(("1", "2", "4", "3900m")),
            "memory": self._pick(("2Gi", "4Gi", "8Gi")),
            "pods": self._pick(("3", "110", "110")),
        }
        if self._chance(0.4):
            allocatable["example.com/gpu"] = self._pick("12")
        if self._chance(0.2):
            allocatable["hugepages-2Mi"] = "8Mi"
        images = [
            {"names": [name], "sizeBytes": size} for name, size in IMAGES if self._chance(0.4)
        ]
        return node(
            f"n{number}",
            labels=labels,
            allocatable=allocatable,
            images=images,
            **self._maybe(0.8, zone=lambda: self._pick("abc")),
            **self._maybe(0.25, taints=lambda: self._several(2, self._taint)),
            **self._maybe(0.1, unschedulable=True),
        )

    def _taint(self) -> Object:
        effects = ("NoSchedule", "NoExecute", "PreferNoSchedule", "PreferNoSchedule")
        key, value = self._pick(("k1", "k2")), self._pick(("", "v"))
        return {"key": key, "value": value, "effect": self._pick(effects)}

    def _toleration(self) -> Object:
        keys = ("k1", "k2", "node.kubernetes.io/unschedulable")
        toleration = self._maybe(0.9, key=lambda: self._pick(keys))
        if not toleration or self._chance(0.5):
            toleration["operator"] = "Exists"
        else:
            toleration["value"] = self._pick(("", "v"))
        effects = ("NoSchedule", "NoExecute", "PreferNoSchedule")
        return {**toleration, **self._maybe(0.6, effect=lambda: self._pick(effects))}

    # Pods

    def _requests(self) -> dict[str, str]:
        cpus = ("100m", "500m", "1", "1500m", "2", "0", "3.3333", "1e-1")
        memories = ("100Mi", "1Gi", "3Gi", "1500M", "12345678")
        requests = {
            **self._maybe(0.7, cpu=lambda: self._pick(cpus)),
            **self._maybe(0.6, memory=lambda: self._pick(memories)),
        }
        if self._chance(0.1):
            requests["ephemeral-storage"] = self._pick(("1Gi", "90Gi"))
        if self._chance(0.15):
            requests["example.com/gpu"] = self._pick("120")
        if self._chance(0.05):
            requests["hugepages-2Mi"] = "4Mi"
        return requests

    def _labels(self) -> dict[str, str]:
        return {
            **self._maybe(0.85, app=lambda: self._pick(APPS)),
            **self._maybe(0.4, tier="back"),
            **self._maybe(0.5, rev=lambda: self._pick("12")),
        }

    def _any_pod(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "labels": self._labels(),
            "requests": self._requests(),
            "image": self._pick(IMAGE_NAMES),
            **self._maybe(0.1, overhead={"cpu": "50m", "memory": "10Mi"}),
            **self._maybe(0.15, ports=lambda: [self._port()]),
            **self._maybe(0.3, tolerations=lambda: self._several(3, self._toleration)),
        }
        if self._chance(0.15):
            containers = self._several(3, self._init_container)
            for number, container in enumerate(containers):
                container["name"] = f"init{number}"
            fields["initContainers"] = containers
        if self._chance(0.1):
            whole = {name: n for name, n in self._requests().items() if name in {"cpu", "memory"}}
            fields["resources"] = {"requests": whole}
        return fields

    def _init_container(self) -> Object:
        return {
            "image": self._pick(IMAGE_NAMES),
            "resources": {"requests": self._requests()},
            **self._maybe(0.5, restartPolicy="Always"),
        }

    def _port(self) -> Object:
        return {
            "containerPort": 80,
            "hostPort": self._pick((80, 81)),
            **self._maybe(0.4, hostIP=lambda: self._pick(("10.0.0.1", "10.0.0.2"))),
            **self._maybe(0.2, protocol="UDP"),
        }

    def _running(self, number: int) -> Object:
        """A pod on a node, or one that waits for the node it is nominated for."""
        fields = self._any_pod()
        fields["namespace"] = self._pick(("default",) * 4 + ("other",))
        fields["priority"] = self._pick((0, 0, 5, 10))
        fields |= self._maybe(0.25, affinity=self._pod_affinity)
        fields |= self._maybe(0.1, deletionTimestamp="2026-01-01T00:00:00Z")
        fields |= self._maybe(0.15, volumes=lambda: [self._volume()])
        name, place = f"p{number}", f"n{self._pick(range(self.size))}"
        if self._chance(0.1):
            return pod(name, status={"nominatedNodeName": place, "phase": "Pending"}, **fields)
        started = f"2026-01-0{self._count(9)}T00:00:00Z"
        status: Object = {"phase": "Running", "startTime": started}
        if self._chance(0.1):
            status["containerStatuses"] = [self._container_status()]
            reason = self._pick(("Infeasible", "Deferred", "Other"))
            pending = {"type": "PodResizePending", "status": "True", "reason": reason}
            status["conditions"] = [pending]
        return pod(name, node=place, status=status, **fields)

    def _container_status(self) -> Object:
        return {
            "name": "main",
            "image": "",
            "imageID": "",
            "ready": True,
            "restartCount": 0,
            "allocatedResources": self._requests(),
            "resources": {"requests": self._requests()},
        }

    def _volume(self) -> Object:
        sources: tuple[Object, ...] = (
            {"awsElasticBlockStore": {"volumeID": "v1"}},
            {"gcePersistentDisk": {"pdName": "g1", "readOnly": self._chance(0.5)}},
            {"iscsi": {"iqn": "q", "targetPortal": "", "lun": 0, "readOnly": self._chance(0.5)}},
            {"persistentVolumeClaim": {"claimName": f"c{self._pick(range(5))}"}},
            {"persistentVolumeClaim": {"claimName": f"c{self._pick(range(5))}"}},
        )
        return {"name": "data", **self._pick(sources)}

    def _incoming(self) -> Object:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "rs", "uid": "rs"}
        affinity = {
            **(self._pod_affinity() if self._chance(0.35) else {}),
            **self._maybe(0.3, nodeAffinity=self._node_affinity),
        }
        return pod(
            "incoming",
            priority=self._pick((0, 7, 20, 20)),
            **self._any_pod(),
            **({"affinity": affinity} if affinity else {}),
            **self._maybe(0.15, nodeSelector={"disk": "ssd"}),
            **self._maybe(0.3, topologySpreadConstraints=lambda: self._several(2, self._spread)),
            **self._maybe(0.3, ownerReferences=[{**owner, "controller": True}]),
            **self._maybe(0.35, volumes=lambda: [self._volume()]),
            **self._maybe(0.05, preemptionPolicy="Never"),
        )

    # Selectors

    def _selector(self) -> Object:
        if self._chance(0.05):
            return {}
        if self._chance(0.7):
            return {"matchLabels": {"app": self._pick(APPS)}}
        values = self._some(APPS, 2)
        expressions = [{"key": "app", "operator": self._pick(("In", "NotIn")), "values": values}]
        if self._chance(0.5):
            operator = self._pick(("Exists", "DoesNotExist"))
            expressions.append({"key": "tier", "operator": operator})
        return {"matchExpressions": expressions}

    def _term(self) -> Object:
        namespace_selectors: tuple[Object, ...] = (
            {},
            {"matchLabels": {"team": "x"}},
            {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
        )
        return {
            "topologyKey": self._pick(TOPOLOGIES),
            "labelSelector": self._selector(),
            **self._maybe(0.2, namespaces=lambda: self._some(("default", "other", "third"), 2)),
            **self._maybe(0.2, namespaceSelector=lambda: self._pick(namespace_selectors)),
        }

    def _weighted_term(self) -> Object:
        return {"weight": self._count(100), "podAffinityTerm": self._term()}

    def _pod_affinity(self) -> Object:
        affinity = {}
        for kind in ("podAffinity", "podAntiAffinity"):
            if self._chance(0.5):
                affinity[kind] = {
                    **self._maybe(0.6, **{REQUIRED: lambda: self._several(2, self._term)}),
                    **self._maybe(
                        0.6, **{PREFERRED: lambda: self._several(2, self._weighted_term)}
                    ),
                }
        return affinity

    def _node_expression(self) -> Object:
        operator = self._pick(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"))
        if operator in {"Gt", "Lt"}:
            return {"key": "cores", "operator": operator, "values": [self._pick("0123456789")]}
        key = self._pick(tuple(LABEL_VALUES))
        if operator in {"In", "NotIn"}:
            return {"key": key, "operator": operator, "values": self._some(LABEL_VALUES[key], 2)}
        return {"key": key, "operator": operator}

    def _node_term(self) -> Object:
        field = {
            "key": "metadata.name",
            "operator": self._pick(("In", "In", "NotIn")),
            "values": [f"n{self._pick(range(5))}"],
        }
        return {
            **self._maybe(0.9, matchExpressions=lambda: self._several(2, self._node_expression)),
            **self._maybe(0.2, matchFields=[field]),
        }

    def _node_affinity(self) -> Object:
        def preference() -> Object:
            return {"weight": self._count(100), "preference": self._node_term()}

        terms = self._several(2, self._node_term)
        return {
            **self._maybe(0.5, **{REQUIRED: {"nodeSelectorTerms": terms}}),
            **self._maybe(0.6, **{PREFERRED: lambda: self._several(3, preference)}),
        }

    def _spread(self) -> Object:
        action = self._pick(("DoNotSchedule", "ScheduleAnyway"))
        policies = ("Honor", "Ignore")
        return {
            "maxSkew": self._count(3),
            "topologyKey": self._pick(TOPOLOGIES),
            "whenUnsatisfiable": action,
            "labelSelector": self._selector(),
            **(self._maybe(0.2, minDomains=self._count(4)) if action == "DoNotSchedule" else {}),
            **self._maybe(0.3, nodeAffinityPolicy=lambda: self._pick(policies)),
            **self._maybe(0.3, nodeTaintsPolicy=lambda: self._pick(policies)),
            **self._maybe(0.3, matchLabelKeys=lambda: self._some(("rev", "app"), 1)),
        }

    # Everything else

    def _surroundings(self) -> list[Object]:
        found = [
            _named("v1", "Namespace", "default", labels=self._maybe(0.5, team="x")),
            _named("v1", "Namespace", "other", labels={"team": self._pick("xy")}),
            {
                **_named("apps/v1", "ReplicaSet", "rs", "default"),
                "spec": {"selector": {"matchLabels": {"app": "web"}}},
            },
        ]
        if self._chance(0.4):
            service = _named("v1", "Service", "s", "default")
            found.append({**service, "spec": {"selector": {"app": self._pick(APPS)}}})
        for number in range(self._pick(range(3))):
            budget = _named("policy/v1", "PodDisruptionBudget", f"b{number}", "default")
            budget["spec"] = {"selector": {"matchLabels": {"app": self._pick(APPS)}}}
            budget["status"] = {"disruptionsAllowed": self._pick((0, 1))}
            found.append(budget)
        return found

    def _storage(self) -> list[Object]:
        found = [
            self._class("now", "csi.x", "Immediate"),
            self._class("late", "csi.x", "WaitForFirstConsumer"),
            self._class("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
        ]
        for number in range(self.size):
            if self._chance(0.3):
                driver = {"name": "csi.x", "nodeID": "x", "allocatable": {"count": self._count(3)}}
                csi_node = _named("storage.k8s.io/v1", "CSINode", f"n{number}")
                found.append({**csi_node, "spec": {"drivers": [driver]}})
        for number in range(5):
            volume = self._persistent_volume(number)
            found.append(volume)
            if self._chance(0.8):
                found.append(self._claim(number, volume))
        return found

    def _class(self, name: str, provisioner: str, mode: str) -> Object:
        found = _named("storage.k8s.io/v1", "StorageClass", name)
        found |= {"provisioner": provisioner, "volumeBindingMode": mode}
        if name == "late" and self._chance(0.3):
            zones = {"key": ZONE, "values": self._some(("a", "b", "c"), 2)}
            found["allowedTopologies"] = [{"matchLabelExpressions": [zones]}]
        return found

    def _persistent_volume(self, number: int) -> Object:
        labels = {ZONE: self._pick(("a", "b", "a__b"))} if self._chance(0.2) else {}
        volume = _named("v1", "PersistentVolume", f"pv{number}", labels=labels)
        volume["spec"] = {
            "storageClassName": self._pick(("local", "late")),
            "accessModes": ["ReadWriteOnce", "ReadWriteOncePod"],
            "capacity": {"storage": self._pick(("1Gi", "2Gi", "5Gi"))},
            "csi": {"driver": "csi.x", "volumeHandle": f"h{number}"},
        }
        if self._chance(0.5):
            zones = {"key": ZONE, "operator": "In", "values": self._some(("a", "b", "c"), 2)}
            terms = [{"matchExpressions": [zones]}]
            volume["spec"]["nodeAffinity"] = {"required": {"nodeSelectorTerms": terms}}
        volume["status"] = {"phase": "Available"}
        return volume

    def _claim(self, number: int, volume: Object) -> Object:
        claim = _named("v1", "PersistentVolumeClaim", f"c{number}", "default")
        claim["spec"] = {
            "storageClassName": self._pick(("local", "late", "late", "now")),
            "accessModes": [self._pick(("ReadWriteOnce", "ReadWriteOncePod"))],
            "resources": {"requests": {"storage": self._pick(("1Gi", "2Gi"))}},
        }
        claim["status"] = {"phase": "Pending"}
        annotations = claim["metadata"]["annotations"] = {}
        if self._chance(0.5):
            annotations["pv.kubernetes.io/bind-completed"] = "yes"
            claim["status"]["phase"] = "Bound"
            claim["spec"]["volumeName"] = self._pick((f"pv{number}",) * 9 + ("gone",))
            if claim["spec"]["volumeName"] != "gone":
                volume["status"]["phase"] = "Bound"
                ref = {"namespace": "default", "name": f"c{number}", "uid": f"uid-c{number}"}
                volume["spec"]["claimRef"] = ref
        elif self._chance(0.2):
            annotations["volume.kubernetes.io/selected-node"] = f"n{self._pick(range(4))}"
        return claim


def _named(version: str, kind: str, name: str, namespace: str = "", **meta: Any) -> Object:
    metadata = {"name": name, "uid": f"uid-{name}", **meta}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
