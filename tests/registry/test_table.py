"""Tables: what kubectl prints of objects."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pykube_cp.api import transforms
from pykube_cp.machinery import clock
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Resource
from pykube_cp.resources import catalog

NOW = "2026-11-24T10:00:00Z"
PODS = Path(__file__).parent.parent / "cases" / "table" / "pods.yaml"
ROWS = {row.gvk: row for row in catalog.RESOURCES}

CRD = ROWS[GVK("apiextensions.k8s.io", "v1", "CustomResourceDefinition")]
CORE_EVENT = ROWS[GVK("", "v1", "Event")]
EVENT = ROWS[GVK("events.k8s.io", "v1", "Event")]
FLOW_SCHEMA = ROWS[GVK("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema")]
HPA_V1 = ROWS[GVK("autoscaling", "v1", "HorizontalPodAutoscaler")]
IP_ADDRESS = ROWS[GVK("networking.k8s.io", "v1", "IPAddress")]
NODE = ROWS[GVK("", "v1", "Node")]
POD = ROWS[GVK("", "v1", "Pod")]
QUOTA = ROWS[GVK("", "v1", "ResourceQuota")]
ROLE = ROWS[GVK("rbac.authorization.k8s.io", "v1", "Role")]
SERVICE = ROWS[GVK("", "v1", "Service")]
STORAGE_CLASS = ROWS[GVK("storage.k8s.io", "v1", "StorageClass")]


@pytest.fixture(autouse=True)
def fixed_time() -> Iterator[None]:
    clock.use(lambda: clock.parse_time(NOW), lambda: 0.0)
    yield
    clock.use_system()


def shown(resource: Resource, obj: Object) -> dict[str, object]:
    """Cells by the name of their column."""
    names = [column["name"] for column in table.definitions(resource)]
    [row] = table.rows(resource, [obj], listed=False)
    return dict(zip(names, row.cells, strict=True))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-2, "<invalid>"),
        (-1.9, "0s"),
        (0.9, "0s"),
        (119, "119s"),
        (120, "2m"),
        (125, "2m5s"),
        (600, "10m"),
        (10799, "179m"),
        (10800, "3h"),
        (11100, "3h5m"),
        (8 * 3600, "8h"),
        (48 * 3600 - 1, "47h"),
        (2 * 86400, "2d"),
        (5 * 86400 + 3 * 3600, "5d3h"),
        (8 * 86400, "8d"),
        (730 * 86400 - 1, "729d"),
        (730 * 86400, "2y"),
        (740 * 86400, "2y10d"),
        (8 * 365 * 86400 + 86400, "8y"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert table.human_duration(seconds) == text


def test_no_time_has_no_age() -> None:
    assert table.age(None) == "<unknown>"


@pytest.mark.parametrize(
    "case", yaml.safe_load(PODS.read_text()), ids=lambda case: case["name"].replace(" ", "-")
)
def test_pod(case: Object) -> None:
    pod = {"metadata": {"name": "p"}} | case["pod"]
    row = shown(POD, pod)
    assert [row["Ready"], row["Status"], row["Restarts"]] == case["cells"]
    [found] = table.rows(POD, [pod], listed=False)
    assert list(found.conditions) == ([case["condition"]] if "condition" in case else [])


def test_gates_count_conditions_that_are_true() -> None:
    gates = [{"conditionType": "a"}, {"conditionType": "b"}]
    conditions = [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}]
    pod = {
        "metadata": {"name": "p"},
        "spec": {"readinessGates": gates},
        "status": {"conditions": conditions},
    }
    assert shown(POD, pod)["Readiness Gates"] == "1/2"


def event(**fields: object) -> Object:
    involved = {"kind": "Pod", "name": "p", "fieldPath": "spec.containers{a}"}
    return {"metadata": {"name": "e"}, "involvedObject": involved, **fields}


@pytest.mark.parametrize(
    ("fields", "last", "first", "count"),
    [
        (
            {"firstTimestamp": "2026-11-24T09:00:00Z", "lastTimestamp": NOW, "count": 7},
            "0s",
            "60m",
            7,
        ),
        ({"eventTime": "2026-11-24T09:59:00.500000Z"}, "59s", "59s", 1),
        (
            {
                "eventTime": "2026-11-24T09:00:00.000000Z",
                "series": {"count": 4, "lastObservedTime": "2026-11-24T09:59:50.000000Z"},
            },
            "10s",
            "60m",
            4,
        ),
        ({}, "<unknown>", "<unknown>", 1),
    ],
)
def test_event_times(fields: Object, last: str, first: str, count: int) -> None:
    row = shown(CORE_EVENT, event(**fields))
    assert (row["Last Seen"], row["First Seen"], row["Count"]) == (last, first, count)


def test_event_source_falls_back_to_the_reporter() -> None:
    reporter = {"reportingComponent": "kubelet", "reportingInstance": "node-1"}
    assert shown(CORE_EVENT, event(**reporter))["Source"] == "kubelet, node-1"
    source = {"source": {"component": "scheduler"}}
    assert shown(CORE_EVENT, event(**source))["Source"] == "scheduler"


def test_events_look_the_same_in_both_groups() -> None:
    stored = event(
        message=" Started \n", count=2, lastTimestamp=NOW, source={"component": "kubelet"}
    )
    assert EVENT.conversion is not None
    served = EVENT.conversion.from_storage(dict(stored))
    assert served["note"] == " Started \n"
    assert shown(EVENT, served) == shown(CORE_EVENT, stored)
    assert shown(EVENT, served)["Message"] == "Started"


def test_events_are_shown_by_the_letters_of_go() -> None:
    row = shown(CORE_EVENT, event(message="\u2003\x1cx\x85\x1f\n", involvedObject={"kind": "ÄİB"}))
    assert (row["Message"], row["Object"]) == ("\x1cx\x85\x1f", "äib")


def test_older_versions_show_what_only_the_stored_one_has() -> None:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    pods = {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "100m"}}
    metrics = [{"type": "Pods", "pods": pods}, {"type": "Resource", "resource": cpu}]
    reference = {"kind": "Deployment", "name": "web"}
    stored = {
        "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": reference, "maxReplicas": 3, "metrics": metrics},
        "status": {"currentReplicas": 1},
    }
    assert HPA_V1.conversion is not None
    served = HPA_V1.conversion.from_storage(stored)
    row = shown(HPA_V1, served)
    assert row["Targets"] == "<unknown>/100m, cpu: <unknown>/50%"
    assert row["MinPods"] == "<unset>"


def test_what_is_stored_is_shown_though_an_older_version_has_no_place_for_it() -> None:
    cpu = {"name": "cpu", "target": {"type": "AverageValue", "averageValue": "1"}}
    measured = {"type": "Resource", "resource": {"name": "cpu", "current": {}}}
    stored = {
        "metadata": {"name": "web"},
        "spec": {"metrics": [{"type": "Resource", "resource": cpu}]},
        "status": {"currentMetrics": [measured]},
    }
    [row] = table.rows(HPA_V1, [stored], listed=False, stored=True)
    assert row.cells[2] == "cpu: <nil>/1"
    assert "metrics" not in row.obj["spec"]


def test_node_roles_and_cordon() -> None:
    labels = {
        "node-role.kubernetes.io/worker": "",
        "node-role.kubernetes.io/control-plane": "",
        "node-role.kubernetes.io/": "",
        "kubernetes.io/role": "edge",
    }
    node = {
        "metadata": {"name": "n", "labels": labels},
        "spec": {"unschedulable": True},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]},
    }
    row = shown(NODE, node)
    assert row["Status"] == "NotReady,SchedulingDisabled"
    assert row["Roles"] == "control-plane,edge,worker"
    assert row["Kernel-Version"] == "<unknown>"


def test_service_addresses_and_ports() -> None:
    ports = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
    spec = {"type": "LoadBalancer", "clusterIPs": ["10.96.0.7", "fd00::7"], "ports": ports}
    service: Object = {"metadata": {"name": "s"}, "spec": spec, "status": {"loadBalancer": {}}}
    row = shown(SERVICE, service)
    assert (row["Cluster-IP"], row["External-IP"]) == ("10.96.0.7", "<pending>")
    assert row["Port(s)"] == "80:30080/TCP,53/UDP"
    points = [{"ip": "192.0.2.9"}, {"hostname": "lb.example.org"}, {"ip": "192.0.2.10"}]
    service["status"]["loadBalancer"]["ingress"] = points
    spec["externalIPs"] = ["198.51.100.1"]
    assert (
        shown(SERVICE, service)["External-IP"] == "192.0.2.10,192.0.2.9,lb.example.org,198.51.100.1"
    )


def test_quota_parts_requests_from_limits() -> None:
    hard = {"pods": "10", "limits.cpu": "2000m", "limits": "1", "cpu": "1"}
    quota = {"metadata": {"name": "q"}, "status": {"hard": hard, "used": {"cpu": "500m"}}}
    row = shown(QUOTA, quota)
    assert row["Request"] == "cpu: 500m/1, limits: 0/1, pods: 0/10"
    assert row["Limit"] == "limits.cpu: 0/2"


def storage_class(name: str, created: str, *, default: bool) -> Object:
    value = {"storageclass.kubernetes.io/is-default-class": str(default).lower()}
    metadata = {"name": name, "creationTimestamp": created, "annotations": value}
    return {"metadata": metadata, "provisioner": "x"}


def test_a_list_marks_the_youngest_default_class() -> None:
    classes = [
        storage_class("a", "2026-01-01T00:00:00Z", default=True),
        storage_class("b", "2026-02-01T00:00:00Z", default=True),
        storage_class("c", "2026-02-01T00:00:00Z", default=True),
        storage_class("d", "2026-03-01T00:00:00Z", default=False),
    ]
    rows = table.rows(STORAGE_CLASS, classes, listed=True)
    assert [row.cells[0] for row in rows] == ["a", "b (default)", "c", "d"]
    [alone] = table.rows(STORAGE_CLASS, classes[1:2], listed=False)
    assert alone.cells[0] == "b"


def test_flow_schemas_are_listed_in_order_of_matching() -> None:
    schemas = [
        {"metadata": {"name": name}, "spec": {"matchingPrecedence": precedence}}
        for name, precedence in [("z", 500), ("b", 2), ("a", 500)]
    ]
    rows = table.rows(FLOW_SCHEMA, schemas, listed=True)
    assert [row.cells[0] for row in rows] == ["b", "a", "z"]


def test_upstreams_cell_without_a_column() -> None:
    parent = {"resource": "services", "namespace": "default", "name": "kubernetes"}
    address = {"metadata": {"name": "10.96.0.1"}, "spec": {"parentRef": parent}}
    assert len(table.definitions(IP_ADDRESS)) == 2
    cells = table.cells(IP_ADDRESS, address)
    assert cells == ["10.96.0.1", "services/default/kubernetes", "<unknown>"]


def test_kinds_without_columns() -> None:
    role = {"metadata": {"name": "r", "creationTimestamp": "2026-11-24T09:00:00Z"}}
    assert shown(ROLE, role) == {"Name": "r", "Created At": "2026-11-24T09:00:00Z"}
    custom = replace(ROLE, is_custom=True)
    assert shown(custom, role) == {"Name": "r", "Age": "60m"}
    assert [column["type"] for column in table.definitions(custom)] == ["string", "date"]


@pytest.mark.parametrize(
    "resource",
    [row for row in ROWS.values() if row.columns],
    ids=lambda row: f"{row.api_version}-{row.kind}",
)
def test_hardly_anything_is_enough_for_a_row(resource: Resource) -> None:
    obj: Object = {"metadata": {"name": "x"}}
    assert len(table.cells(resource, obj)) >= len(table.definitions(resource))


@pytest.mark.parametrize(("row", "rows"), [(CRD, None), (ROLE, None), (NODE, [])])
def test_where_there_are_no_rows_some_tables_have_null(row: Resource, rows: object) -> None:
    assert transforms.table(row, "meta.k8s.io/v1", "None", [], {})["rows"] == rows
