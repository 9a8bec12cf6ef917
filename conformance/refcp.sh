#!/bin/bash
# The reference: upstream's control plane of the same version (etcd, kube-apiserver,
# kube-controller-manager, kube-scheduler) on this machine, beside ours or instead of it.
#   refcp.sh up | down | kill | reset | status      kill: kill -9; reset: down, and delete its data
# CONTROL_PLANE=swapped runs upstream's controllers and scheduler on our API server, swapped-back runs ours on
# upstream's.
# Without root, or with HOST_IP=127.0.0.1, it runs without nodes and touches no network settings.
# ONLY="etcd kube-apiserver" starts only these.
# ETCD_ARGS, APISERVER_ARGS, KCM_ARGS, SCHEDULER_ARGS add flags; API_PORT and ETCD_PORT choose ports.
set -euo pipefail
CONTROL_PLANE="${CONTROL_PLANE:-reference}"
[ "$CONTROL_PLANE" != pykube-cp ] || CONTROL_PLANE=reference
. "$(dirname "$0")/env.sh"
ETCD_PORT="${ETCD_PORT:-12379}"
KCM_PORT="${KCM_PORT:-10257}"
SCHEDULER_PORT="${SCHEDULER_PORT:-10259}"
case $CONTROL_PLANE in
  reference) ALL=(etcd kube-apiserver kube-controller-manager kube-scheduler) ;;
  swapped) ALL=(apiserver kube-controller-manager kube-scheduler) ;;
  swapped-back) ALL=(etcd kube-apiserver controller-manager scheduler) ;;
esac
# shellcheck disable=SC2206
WANTED=(${ONLY:-${ALL[@]}})

start_etcd() {
  mkdir -p "$DATA/etcd"; chmod 700 "$DATA/etcd"
  local peer="http://127.0.0.1:$((ETCD_PORT + 1))" client="https://127.0.0.1:$ETCD_PORT"
  # shellcheck disable=SC2086
  start etcd etcd --name reference --data-dir "$DATA/etcd" --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "reference=$peer" \
    --cert-file "$PKI/etcd/server.crt" --key-file "$PKI/etcd/server.key" --client-cert-auth --trusted-ca-file "$PKI/etcd/ca.crt" \
    --quota-backend-bytes 4294967296 --log-level warn ${ETCD_ARGS:-}
}
start_kube-apiserver() {
  local advertise=(--advertise-address "$HOST_IP")
  # upstream refuses to advertise a loopback address, and finds another one when none is given
  case $HOST_IP in 127.*) advertise=() ;; esac
  # shellcheck disable=SC2086
  start kube-apiserver "$BIN/kube-apiserver" "${advertise[@]}" --bind-address "$HOST_IP" --secure-port "$API_PORT" \
    --etcd-servers "https://127.0.0.1:$ETCD_PORT" --etcd-cafile "$PKI/etcd/ca.crt" \
    --etcd-certfile "$PKI/apiserver-etcd-client.crt" --etcd-keyfile "$PKI/apiserver-etcd-client.key" \
    --service-cluster-ip-range "$SERVICE_CIDR" --authorization-mode Node,RBAC --allow-privileged \
    --enable-admission-plugins NodeRestriction --enable-bootstrap-token-auth \
    --client-ca-file "$PKI/ca.crt" --tls-cert-file "$PKI/apiserver.crt" --tls-private-key-file "$PKI/apiserver.key" \
    --kubelet-client-certificate "$PKI/apiserver-kubelet-client.crt" --kubelet-client-key "$PKI/apiserver-kubelet-client.key" \
    --kubelet-certificate-authority "$PKI/ca.crt" --kubelet-preferred-address-types InternalIP,Hostname \
    --proxy-client-cert-file "$PKI/front-proxy-client.crt" --proxy-client-key-file "$PKI/front-proxy-client.key" \
    --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --requestheader-allowed-names front-proxy-client \
    --requestheader-username-headers X-Remote-User --requestheader-group-headers X-Remote-Group \
    --requestheader-extra-headers-prefix X-Remote-Extra- --enable-aggregator-routing \
    --service-account-issuer https://kubernetes.default.svc.cluster.local \
    --service-account-key-file "$PKI/sa.pub" --service-account-signing-key-file "$PKI/sa.key" --v "${V:-1}" ${APISERVER_ARGS:-}
}
start_kube-controller-manager() {
  # shellcheck disable=SC2086
  start kube-controller-manager "$BIN/kube-controller-manager" --kubeconfig "$DATA/controller-manager.conf" \
    --authentication-kubeconfig "$DATA/controller-manager.conf" --authorization-kubeconfig "$DATA/controller-manager.conf" \
    --bind-address 127.0.0.1 --secure-port "$KCM_PORT" --leader-elect=false --client-ca-file "$PKI/ca.crt" \
    --requestheader-client-ca-file "$PKI/front-proxy-ca.crt" --root-ca-file "$PKI/ca.crt" \
    --cluster-signing-cert-file "$PKI/ca.crt" --cluster-signing-key-file "$PKI/ca.key" \
    --service-account-private-key-file "$PKI/sa.key" --use-service-account-credentials \
    --controllers '*,bootstrap-signer-controller,token-cleaner-controller' --allocate-node-cidrs \
    --cluster-cidr "$POD_CIDR" --node-cidr-mask-size 24 --service-cluster-ip-range "$SERVICE_CIDR" --v "${V:-1}" ${KCM_ARGS:-}
}
start_kube-scheduler() {
  # shellcheck disable=SC2086
  start kube-scheduler "$BIN/kube-scheduler" --kubeconfig "$DATA/scheduler.conf" \
    --authentication-kubeconfig "$DATA/scheduler.conf" --authorization-kubeconfig "$DATA/scheduler.conf" \
    --bind-address 127.0.0.1 --secure-port "$SCHEDULER_PORT" --leader-elect=false --v "${V:-1}" ${SCHEDULER_ARGS:-}
}
# ours, each a process of its own
start_apiserver() {
  mkdir -p "$DATA"; chmod 700 "$DATA"
  # shellcheck disable=SC2086
  start apiserver "$PYKUBE_CP" apiserver --data-dir "$DATA" --bind-address "$HOST_IP" --advertise-address "$HOST_IP" \
    --port "$API_PORT" --service-cidr "$SERVICE_CIDR" ${PYKUBE_CP_ARGS:-}
}
start_controller-manager() {
  start controller-manager "$PYKUBE_CP" controller-manager --kubeconfig "$DATA/controller-manager.conf" --pki-dir "$PKI" \
    --service-cidr "$SERVICE_CIDR" --cluster-cidr "$POD_CIDR" --node-cidr-mask-size 24
}
start_scheduler() { start scheduler "$PYKUBE_CP" scheduler --kubeconfig "$DATA/scheduler.conf"; }

ready() {
  local identity=()
  [ ! -s "$PKI/admin.crt" ] || identity=(--cert "$PKI/admin.crt" --key "$PKI/admin.key")
  curl -sf --cacert "$PKI/ca.crt" "${identity[@]}" "$API_SERVER/readyz"
}
upstreams() { printf '%s\n' "${WANTED[@]}" | grep '^kube-' || true; }

up() {
  local api=kube-apiserver name begin
  [ "$CONTROL_PLANE" != swapped ] || api=apiserver
  if alive "$api" && alive "${WANTED[-1]}"; then say "the $CONTROL_PLANE control plane runs already"; return 0; fi
  # shellcheck disable=SC2046
  "$CONFORMANCE/tools.sh" kubectl $(upstreams)
  if [ $api = kube-apiserver ]; then "$CONFORMANCE/deps.sh" reference; "$CONFORMANCE/pki.sh" reference; fi
  if is_root && [ "$HOST_IP" = "$NODE_NET.1" ]; then "$CONFORMANCE/net.sh" up; fi
  begin=$(date +%s%N)
  for name in "${WANTED[@]}"; do
    "start_$name"
    [ "$name" = "$api" ] || continue
    until ready >/dev/null 2>&1; do
      alive "$api" || { log_tail "$api"; fail "$api ended"; }
      sleep 0.05
    done
    say "$api: /readyz after $((($(date +%s%N) - begin) / 1000000)) ms"
  done
}
down() { # [SIGNAL]: whatever of them runs, users before what they use
  local name
  for name in scheduler kube-scheduler controller-manager kube-controller-manager apiserver kube-apiserver etcd; do
    stop "$name" "${1:-TERM}"
  done
}
status() {
  local name pid; for name in "${ALL[@]}"; do
    if pid=$(pid_of "$name"); then echo "$name: pid $pid, $(awk '/^VmRSS/ {printf "%.0f MiB resident", $2 / 1024}' "/proc/$pid/status")"
    else echo "$name: down"; fi
  done
}

case "${1:-}" in
  up | down | status) "$1" ;;
  kill) down KILL ;;
  reset) down; rm -rf "$DATA" "$JOIN" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
