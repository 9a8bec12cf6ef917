#!/bin/bash
# A worker node on this machine: stock kubelet, kube-proxy and containerd in their own network, mount,
# process, hostname, IPC and cgroup namespaces, at their usual paths.
#   node.sh up N               make it join the control plane that $CONTROL_PLANE names
#   node.sh down N             stop it, with everything in it; its files stay
#   node.sh rm N               down, and delete its files
#   node.sh exec N CMD...      run CMD inside
#   node.sh stop N DAEMON      stop kubelet, kube-proxy or containerd there, until...
#   node.sh start N DAEMON     ...this
#   node.sh pull N [PATTERN]   pull the built images ahead of their use
#   node.sh status
# Credentials come from pki.sh, signed by the control plane's CA, or from these files: NODE_CA, NODE_CERT,
# NODE_KEY, KUBELET_KUBECONFIG, PROXY_KUBECONFIG. NODE_BARE=1 starts containerd alone and leaves
# /etc/kubernetes empty, as kubeadm join expects it. PROXY_MODE: nftables (default) or iptables.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$CONFORMANCE/cgroup.sh"
PROXY_MODE="${PROXY_MODE:-nftables}"

init_pid() { pid_of "node$1"; }
inside() { local n=$1; shift; nsenter -t "$(init_pid "$n" || fail "node$n does not run")" -a -- "$@"; }
all_nodes() { local d; for d in "$STATE"/node*/; do d=${d%/}; [ ! -d "$d" ] || echo "${d##*/node}"; done; }

credentials() { # N
  local n=$1 k="$STATE/node$1/etc-kubernetes"
  if [ -z "${KUBELET_KUBECONFIG:-}" ]; then "$CONFORMANCE/pki.sh" node "$n"; fi
  local ca="${NODE_CA:-$PKI/ca.crt}"
  # a kubelet that knew another cluster would bring that cluster's pods along
  if [ -s "$k/pki/ca.crt" ] && ! cmp -s "$ca" "$k/pki/ca.crt"; then rm -rf "$STATE/node$n"; fi
  mkdir -p "$k/pki"; chmod 700 "$k"
  cp "$ca" "$k/pki/ca.crt"
  cp "${NODE_CERT:-$JOIN/node$n.crt}" "$k/pki/node.crt"; cp "${NODE_KEY:-$JOIN/node$n.key}" "$k/pki/node.key"
  cp "${KUBELET_KUBECONFIG:-$JOIN/node$n.conf}" "$k/kubelet.conf"
  cp "${PROXY_KUBECONFIG:-$JOIN/kube-proxy.conf}" "$k/kube-proxy.conf"
}

resolvers() { # of this machine, as far as a node can reach them
  [ "$NODE_INTERNET" = 1 ] || return 0
  local f; for f in /run/systemd/resolve/resolv.conf /etc/resolv.conf; do
    if [ -r "$f" ]; then grep -E '^nameserver ' "$f" | grep -vE ' (127\.|::1)' || true; return 0; fi
  done
}
identity_files() { # N
  local n=$1 r="$STATE/node$1"
  resolvers >"$r/resolv.conf"
  printf '127.0.0.1 localhost\n%s node%s\n' "$(node_ip "$n")" "$n" >"$r/hosts"
  echo "node$n" >"$r/hostname"
  printf '%032x\n' "$((0xab0000 + n))" >"$r/machine-id"
}

can_raise_priority() { # CAP_SYS_RESOURCE, which containers and small VMs may lack
  (( 0x$(awk '/^CapEff/ {print $2}' /proc/self/status) >> 24 & 1 ))
}
containerd_files() { # N
  local r="$STATE/node$1/etc-containerd" restrict=true
  ! can_raise_priority || restrict=false
  mkdir -p "$r/certs.d/_default"
  printf '[host."http://%s"]\n  capabilities = ["pull", "resolve"]\n' "$HOST_IP:$REGISTRY_PORT" >"$r/certs.d/_default/hosts.toml"
  cat >"$r/config.toml" <<T
version = 3
root = "/var/lib/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "registry.k8s.io/pause:3.10.2"
  [plugins."io.containerd.cri.v1.images".registry]
    config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.cri.v1.runtime"]
  max_container_log_line_size = 16384
  restrict_oom_score_adj = $restrict
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["$(cni_bin)"]
    conf_dir = "/etc/cni/net.d"
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
    # the handler that the tests of RuntimeClass expect
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.test-handler]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.test-handler.options]
        SystemdCgroup = false
T
}

kubernetes_files() { # N
  local k="$STATE/node$1/etc-kubernetes" adjust="" proxy_adjust=""
  can_raise_priority || { adjust="oomScoreAdj: 0"; proxy_adjust="oomScoreAdj: 0"; }
  cat >"$k/kubelet.yaml" <<T
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
failSwapOn: false
$adjust
cgroupDriver: cgroupfs
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: /etc/kubernetes/pki/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: /etc/kubernetes/pki/node.crt
tlsPrivateKeyFile: /etc/kubernetes/pki/node.key
clusterDomain: cluster.local
clusterDNS: ["$DNS_IP"]
resolvConf: /etc/resolv.conf
maxPods: 250
serializeImagePulls: false
imageGCHighThresholdPercent: 100
evictionHard: {memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}
T
  cat >"$k/kube-proxy.yaml" <<T
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: $PROXY_MODE
clientConnection: {kubeconfig: /etc/kubernetes/kube-proxy.conf}
clusterCIDR: "$POD_CIDR"
hostnameOverride: "node$1"
bindAddress: 0.0.0.0
$proxy_adjust
conntrack: {maxPerCore: 0, min: 0}
nftables: {syncPeriod: 30s, minSyncPeriod: 1s}
T
}

files() { # N
  local r="$STATE/node$1"
  [ -n "${NODE_BARE:-}" ] || credentials "$1"
  mkdir -p "$r"/{kubelet,containerd,cni,etc-cni,etc-kubernetes,etc-containerd,pods,containers,log,run,want}
  rm -f "$r"/run/* "$r"/want/* "$r"/pod-cidr "$r"/etc-cni/*
  : >"$r/want/containerd"
  identity_files "$1"; containerd_files "$1"
  [ -n "${NODE_BARE:-}" ] || { kubernetes_files "$1"; : >"$r/want/kubelet"; : >"$r/want/kube-proxy"; }
}

launch() { # N: from here the node's cgroups, then its namespaces, then node-init.sh
  local n=$1 outer init="" i
  export CONTROL_PLANE STATE BIN BRIDGE NODE="$1" NODE_IP CGROUP_V1; NODE_IP=$(node_ip "$n"); CGROUP_V1=$(cgroup_v1)
  export PYKUBE_CP_STATE="$STATE" PYKUBE_CP_CACHE="$CACHE"
  # a proxy of this machine must not stand between the nodes and the cluster
  export NO_PROXY="${NO_PROXY:+$NO_PROXY,}$NODE_NET.0/24,$POD_CIDR,$SERVICE_CIDR" no_proxy="${no_proxy:+$no_proxy,}$NODE_NET.0/24,$POD_CIDR,$SERVICE_CIDR"
  cgroup_make "node$n"
  mkdir -p "$STATE/log"
  setsid nohup bash -c '. "$0/env.sh"; . "$0/cgroup.sh"; cgroup_join "node$NODE"
    exec unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child bash "$0/node-init.sh"' "$CONFORMANCE" \
    >>"$STATE/log/node$n.log" 2>&1 </dev/null &
  outer=$!
  for ((i = 0; i < 100; i++)); do
    # children of the shell before it becomes unshare do not count
    if [ "$(cat "/proc/$outer/comm" 2>/dev/null)" = unshare ]; then
      init=$(tr -d ' \n' <"/proc/$outer/task/$outer/children"); [ -z "$init" ] || break
    fi
    sleep 0.05
  done
  [ -n "$init" ] || { log_tail "node$n"; fail "node$n does not start"; }
  remember "node$n" "$init"
  cgroup_settle "node$n"
}

wire() { # N: eth0 on the bridge, and routes between the nodes
  local n=$1 p; p=$(init_pid "$n")
  ip link del "$(node_link "$n")" 2>/dev/null || true
  ip link add "$(node_link "$n")" type veth peer name eth0 netns "$p"
  ip link set "$(node_link "$n")" master "$BRIDGE" up
  nsenter -t "$p" -n ip addr add "$(node_ip "$n")/24" dev eth0
  nsenter -t "$p" -n ip link set lo up; nsenter -t "$p" -n ip link set eth0 up
  nsenter -t "$p" -n ip route add default via "$HOST_IP"
}

cni_config() { # N CIDR; in place, because containerd does not see a file that is moved there
  cat >"$STATE/node$1/etc-cni/10-pykube-cp.conflist" <<T
{ "cniVersion": "1.0.0", "name": "pykube-cp", "plugins": [
  { "type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true, "ipMasq": false, "mtu": 1500,
    "ipam": { "type": "host-local", "ranges": [[{ "subnet": "$2" }]], "routes": [{ "dst": "0.0.0.0/0" }] } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }
T
}
given_cidr() { local c; c=$(kubectl get node "node$1" -o 'jsonpath={.spec.podCIDR}' 2>/dev/null) && [ -n "$c" ] && echo "$c"; }

pod_network() { # N: the addresses that the control plane gave to the node
  local n=$1 m cidr
  try_for 60 kubectl get node "node$n" || { tail -5 "$STATE/node$n/log/kubelet.log" >&2; fail "node$n does not register; see $STATE/node$n/log/kubelet.log"; }
  try_for 20 given_cidr "$n" || true
  cidr=$(given_cidr "$n") || { cidr="${POD_CIDR%.*.*}.$n.0/24"; say "node$n: the control plane gives no Pod addresses; taking $cidr"; }
  echo "$cidr" >"$STATE/node$n/pod-cidr"
  cni_config "$n" "$cidr"
  for m in $(all_nodes); do
    if [ "$m" = "$n" ] || ! alive "node$m" || [ ! -s "$STATE/node$m/pod-cidr" ]; then continue; fi
    nsenter -t "$(init_pid "$m")" -n ip route replace "$cidr" via "$(node_ip "$n")"
    nsenter -t "$(init_pid "$n")" -n ip route replace "$(cat "$STATE/node$m/pod-cidr")" via "$(node_ip "$m")"
  done
  "$CONFORMANCE/net.sh" routes
}

up() { # N
  local n=$1
  if alive "node$n"; then say "node$n runs already"; return 0; fi
  "$CONFORMANCE/net.sh" up
  files "$n"
  launch "$n"; wire "$n"
  : >"$STATE/node$n/run/go"
  [ -n "${NODE_BARE:-}" ] || pod_network "$n"
  say "node$n is up: $(node_ip "$n"), Pods in $(cat "$STATE/node$n/pod-cidr" 2>/dev/null || echo "a network still to come")"
}

down() { # N
  local n=$1 i
  ! alive "node$n" || say "node$n goes down"
  stop "node$n"
  for ((i = 0; i < 100; i++)); do [ -n "$(cgroup_pids "$n")" ] || break; sleep 0.1; done
  ip link del "$(node_link "$n")" 2>/dev/null || true
  cgroup_remove "node$n"
  ! ip link show "$BRIDGE" >/dev/null 2>&1 || "$CONFORMANCE/net.sh" routes
}
cgroup_pids() { local d; for d in $(cgroup_dirs "node$1"); do [ ! -d "$d" ] || find "$d" -name cgroup.procs -exec cat {} + 2>/dev/null; done; }

start_daemon() { : >"$STATE/node$1/want/$2"; }
stop_daemon() {
  rm -f "$STATE/node$1/want/$2"
  inside "$1" kill -TERM "$(cat "$STATE/node$1/run/$2")" || true
}

pull() { # N [PATTERN]
  local name
  python3 -c 'import json, sys
for m in json.load(open(sys.argv[1]))["manifests"]: print(m["annotations"]["io.containerd.image.name"])' "$IMAGES/index.json" |
    grep -E "${2:-.}" | while read -r name; do
    inside "$1" ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d "$name" >/dev/null || say "node$1: cannot pull $name"
  done
}

status() {
  local n; for n in $(all_nodes); do
    if alive "node$n"; then echo "node$n: $(node_ip "$n"), init $(init_pid "$n"), runs: $(ls "$STATE/node$n/run" | tr '\n' ' ')"
    else echo "node$n: down"; fi
  done
}

case "${1:-}" in
  up | down) need_root; "$1" "${2:?number of the node}" ;;
  rm) need_root; down "${2:?number of the node}"; rm -rf "$STATE/node$2" ;;
  exec) n=${2:?number of the node}; shift 2; inside "$n" "$@" ;;
  start | stop) "${1}_daemon" "${2:?number of the node}" "${3:?daemon}" ;;
  pull) pull "${2:?number of the node}" "${3:-}" ;;
  status) status ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
