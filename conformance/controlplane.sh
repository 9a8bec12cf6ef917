#!/bin/bash
# pykube-cp itself, in the background, as the cluster's scripts and checks need it.
#   controlplane.sh up | down | kill | reset | status    kill: kill -9, as a crash would end it
# PYKUBE_CP_ARGS adds flags to `pykube-cp up`; PYKUBE_CP names another program than .venv's.
set -euo pipefail
CONTROL_PLANE=pykube-cp
. "$(dirname "$0")/env.sh"

# without nodes on this machine it listens on every address, so that nodes elsewhere can join
bind_address() { if is_root; then echo "$HOST_IP"; else echo 0.0.0.0; fi; }
ready() { kubectl get --raw /readyz >/dev/null 2>&1; }

up() {
  if alive pykube-cp; then say "pykube-cp runs already"; return 0; fi
  [ -x "$PYKUBE_CP" ] || fail "no $PYKUBE_CP; make up sets it up"
  "$CONFORMANCE/tools.sh" kubectl
  ! is_root || "$CONFORMANCE/net.sh" up
  mkdir -p "$DATA"; chmod 700 "$DATA"
  local begin; begin=$(date +%s%N)
  # shellcheck disable=SC2086
  start pykube-cp "$PYKUBE_CP" up --data-dir "$DATA" --bind-address "$(bind_address)" --port "$API_PORT" \
    --advertise-address "$HOST_IP" --service-cidr "$SERVICE_CIDR" --cluster-cidr "$POD_CIDR" --node-cidr-mask-size 24 \
    ${PYKUBE_CP_ARGS:-}
  until ready; do
    alive pykube-cp || { log_tail pykube-cp; fail "pykube-cp ended; its log is $STATE/log/pykube-cp.log"; }
    [ $(($(date +%s%N) - begin)) -lt 60000000000 ] || { log_tail pykube-cp; fail "pykube-cp is not ready after a minute"; }
    sleep 0.05
  done
  say "pykube-cp: $API_SERVER/readyz after $((($(date +%s%N) - begin) / 1000000)) ms"
}
status() {
  local pid
  if pid=$(pid_of pykube-cp); then echo "pykube-cp: pid $pid, $(awk '/^VmRSS/ {printf "%.0f MiB resident", $2 / 1024}' "/proc/$pid/status")"
  else echo "pykube-cp: down"; fi
}

case "${1:-}" in
  up | status) "$1" ;;
  down) stop pykube-cp ;;
  kill) stop pykube-cp KILL ;;
  reset) stop pykube-cp; rm -rf "$DATA" "$JOIN" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
