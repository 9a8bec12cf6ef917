#!/bin/bash
# A whole cluster on this machine: a control plane, worker nodes, CoreDNS.
#   cluster.sh up [--minimal-images]   brings up what is missing
#   cluster.sh addons                  CoreDNS and its Service
#   cluster.sh down                    everything of ours and of the reference, with all it left on the machine
#   cluster.sh reset                   down, and delete the cluster's data
#   cluster.sh status
# CONTROL_PLANE: pykube-cp (default), reference, swapped or swapped-back. NODES: how many nodes (default 1).
set -euo pipefail
. "$(dirname "$0")/env.sh"

addons() {
  local forward="" replicas=2
  [ "$NODE_INTERNET" != 1 ] || [ ! -s "$STATE/node1/resolv.conf" ] || forward="forward . /etc/resolv.conf"
  [ "$NODES" -gt 1 ] || replicas=1
  sed -e "s|@DNS_IP@|$DNS_IP|" -e "s|@FORWARD@|$forward|" -e "s|@REPLICAS@|$replicas|" "$CONFORMANCE/addons.yaml" |
    kubectl apply -f - >/dev/null
}
all_ready() {
  local n; for ((n = 1; n <= NODES; n++)); do
    kubectl get node "node$n" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null | grep -q True || return 1
  done
}

up() {
  need_root
  "$CONFORMANCE/deps.sh" node
  "$CONFORMANCE/tools.sh" kubectl kubelet kube-proxy
  "$CONFORMANCE/images/build.sh" ${1:+--minimal}
  "$CONFORMANCE/$CONTROL_SCRIPT" up
  "$CONFORMANCE/registry.sh" up
  local n; for ((n = 1; n <= NODES; n++)); do "$CONFORMANCE/node.sh" up "$n"; done
  addons
  say "waiting for the nodes"
  try_for 120 all_ready || { kubectl get nodes -o wide >&2; fail "not every node is Ready; see $STATE/node*/log/"; }
  say "waiting for CoreDNS"
  kubectl -n kube-system rollout status deployment/coredns --timeout=180s >/dev/null ||
    { kubectl -n kube-system get pods -o wide >&2; fail "CoreDNS does not start"; }
  say "the cluster is up: $NODES node(s), $CONTROL_PLANE at $API_SERVER"
}

down() {
  local d
  for d in "$STATE"/node*/; do [ ! -d "$d" ] || { d=${d%/}; "$CONFORMANCE/node.sh" down "${d##*/node}"; }; done
  "$CONFORMANCE/registry.sh" down
  "$CONFORMANCE/controlplane.sh" down
  "$CONFORMANCE/refcp.sh" down
  ! is_root || "$CONFORMANCE/net.sh" down
}
reset() {
  down
  rm -rf "$STATE"/node*/ "$STATE"/{,join-}{pykube-cp,reference,swapped,swapped-back}
}
status() {
  "$CONFORMANCE/controlplane.sh" status; "$CONFORMANCE/refcp.sh" status; "$CONFORMANCE/node.sh" status
}

case "${1:-}" in
  up) up "${2:-}" ;;
  addons | down | reset | status) "$1" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
