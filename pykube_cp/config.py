"""Settings of each component, as frozen dataclasses.

Times are in seconds. Certificates and keys are PEM texts, already read; empty means there is none.
Defaults are upstream's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

_DAY = 24 * 3600.0
_NO_NUMBERS: Mapping[str, int] = MappingProxyType({})
_NO_ARGUMENTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaderElectionConfig:
    """Whether and how instances of a component agree on the one that works."""

    # upstream: component-base config/v1alpha1/defaults.go
    # RecommendedDefaultLeaderElectionConfiguration

    enabled: bool = False
    lease_duration: float = 15
    renew_deadline: float = 10
    retry_period: float = 2
    lease_name: str
    namespace: str = "kube-system"
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerManagerConfig:
    """Settings of the controller manager.

    Attributes:
        controllers: names to run: ``*`` for all that are on by default, ``name``, ``-name``.
        workers: controller name -> workers of its main queue, instead of the page's number.
        allocate_node_cidrs: give each node a ``podCIDR`` out of ``cluster_cidrs``.
        root_ca_pem: CA bundle published in each namespace and put into token secrets.
        signing_cert_pem, signing_key_pem: CA that signs certificate requests.
        signing_duration: longest life of such a certificate.
        service_account_key_pem: private key that signs service account tokens.
        node_monitor_grace_period: a node silent for so long is taken for unreachable.
        node_eviction_rate, secondary_node_eviction_rate: nodes per second whose pods are evicted,
            while a zone is healthy and while it is partly down.
        large_cluster_size_threshold: zones up to this size use no secondary rate but stop.
        unhealthy_zone_threshold: share of nodes not ready from which a zone is partly down.
        terminated_pod_gc_threshold: pods that ended are deleted beyond this number; 0 never.
    """

    controllers: tuple[str, ...] = ("*",)
    workers: Mapping[str, int] = field(default_factory=lambda: _NO_NUMBERS)
    leader_election: LeaderElectionConfig = LeaderElectionConfig(
        lease_name="kube-controller-manager"
    )

    cluster_name: str = "kubernetes"
    allocate_node_cidrs: bool = False
    cluster_cidrs: tuple[str, ...] = ()
    service_cidrs: tuple[str, ...] = ()
    node_cidr_mask_size_ipv4: int = 24
    node_cidr_mask_size_ipv6: int = 64

    root_ca_pem: str = field(default="", repr=False)
    signing_cert_pem: str = field(default="", repr=False)
    signing_key_pem: str = field(default="", repr=False)
    signing_duration: float = 365 * _DAY
    service_account_key_pem: str = field(default="", repr=False)
    legacy_token_clean_up_period: float = 365 * _DAY

    # upstream: pkg/controller/nodelifecycle/config/v1alpha1/defaults.go,
    # cmd/kube-controller-manager/app/options/nodelifecyclecontroller.go
    node_monitor_period: float = 5
    node_monitor_grace_period: float = 50
    node_startup_grace_period: float = 60
    node_eviction_rate: float = 0.1
    secondary_node_eviction_rate: float = 0.01
    large_cluster_size_threshold: int = 50
    unhealthy_zone_threshold: float = 0.55

    terminated_pod_gc_threshold: int = 12500
    namespace_sync_period: float = 300
    resource_quota_sync_period: float = 300
    max_endpoints_per_slice: int = 100
    mirroring_max_endpoints_per_subset: int = 1000
    endpoint_updates_batch_period: float = 0
    attach_detach_sync_period: float = 60
    attach_detach_max_wait_for_unmount: float = 360
    disable_force_detach_on_timeout: bool = False
    pv_claim_binder_sync_period: float = 15
    enable_dynamic_provisioning: bool = True

    # upstream: pkg/controller/podautoscaler/config/v1alpha1/defaults.go
    autoscaler_sync_period: float = 15
    autoscaler_downscale_stabilization: float = 300
    autoscaler_cpu_initialization_period: float = 300
    autoscaler_initial_readiness_delay: float = 30
    autoscaler_tolerance: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerProfile:
    """Plugins of the pods that name ``scheduler_name``.

    Attributes:
        enabled: further plugins, name -> weight.
        disabled: names of default plugins left out; ``*`` for all.
        arguments: plugin name -> its ``args``, as in KubeSchedulerConfiguration.
    """

    scheduler_name: str = "default-scheduler"
    enabled: Mapping[str, int] = field(default_factory=lambda: _NO_NUMBERS)
    disabled: tuple[str, ...] = ()
    arguments: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_ARGUMENTS)
    percentage_of_nodes_to_score: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerConfig:
    """Settings of the scheduler.

    Attributes:
        percentage_of_nodes_to_score: share of feasible nodes looked for; 0 adapts to the cluster.
        unschedulable_flush: pods unschedulable for so long are tried again whatever happened.
    """

    # upstream: pkg/scheduler/apis/config/v1/defaults.go SetDefaults_KubeSchedulerConfiguration

    profiles: tuple[SchedulerProfile, ...] = (SchedulerProfile(),)
    leader_election: LeaderElectionConfig = LeaderElectionConfig(lease_name="kube-scheduler")
    percentage_of_nodes_to_score: int = 0
    pod_initial_backoff: float = 1
    pod_max_backoff: float = 10
    unschedulable_flush: float = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServerConfig:
    """Settings of the API server.

    Attributes:
        bind_address, port: where it listens.
        advertise_address: where members of the cluster reach it.
        service_cidrs: addresses of services; the first address of the first is the API server's.
        node_port_range: first and last port of NodePort services.
        kubelet_ca_file: who signs kubelets' serving certificates; empty: kubelets are trusted.
        runtime_config: which resources are served, see ``registry/enablement.py``.
        feature_gates: see ``registry/feature_gates.py``.
        components_beside: whether controllers and scheduler run in the same process.
    """

    bind_address: str = "127.0.0.1"
    port: int = 6443
    advertise_address: str = "127.0.0.1"
    service_cidrs: tuple[str, ...] = ("10.96.0.0/16",)
    node_port_range: tuple[int, int] = (30000, 32767)

    # upstream: apiserver pkg/server/config.go NewConfig
    request_timeout_seconds: float = 60
    max_requests_inflight: int = 400
    max_mutating_requests_inflight: int = 200

    kubelet_ca_file: str = ""
    kubelet_client_certificate: str = ""
    kubelet_client_key: str = ""
    kubelet_preferred_address_types: tuple[str, ...] = ("InternalIP", "Hostname", "ExternalIP")

    service_account_issuer: str = "https://kubernetes.default.svc.cluster.local"
    jwks_uri: str = ""
    anonymous_auth: bool = True
    runtime_config: Mapping[str, str] = field(default_factory=dict)
    feature_gates: Mapping[str, bool] = field(default_factory=dict)
    disabled_admission_plugins: tuple[str, ...] = ()
    compaction_seconds: float = 300
    components_beside: bool = False
