#!/bin/bash
# The host's side of the nodes' network: one bridge, forwarding, routes to Pods and Services.
#   net.sh up         idempotent; every sysctl it changes is remembered
#   net.sh routes     routes to the Pods of the nodes that run; Services go through one of them
#   net.sh down       takes all of it back
# NODE_INTERNET=1 lets the nodes reach whatever this machine reaches; else nothing leaves the bridge.
set -euo pipefail
. "$(dirname "$0")/env.sh"
SAVED="$STATE/run/sysctl.saved"

tune() { # KEY=VALUE...: remembers what was there before the first change
  local pair key old
  for pair in "$@"; do
    key=${pair%%=*}
    old=$(sysctl -n "$key" 2>/dev/null) || continue
    [ "$old" != "${pair#*=}" ] || continue
    grep -q "^$key=" "$SAVED" 2>/dev/null || echo "$key=$old" >>"$SAVED"
    sysctl -qw "$pair" || true
  done
}

rules() {
  nft delete table inet pykube-cp 2>/dev/null || true
  if [ "$NODE_INTERNET" = 1 ]; then
    nft -f - <<N
table inet pykube-cp {
  chain postrouting { type nat hook postrouting priority 100;
    ip saddr { $NODE_NET.0/24, $POD_CIDR } oifname != "$BRIDGE" ip daddr != { $NODE_NET.0/24, $POD_CIDR, $SERVICE_CIDR } masquerade
  }
}
N
  else
    nft -f - <<N
table inet pykube-cp {
  chain forward { type filter hook forward priority -10;
    iifname "$BRIDGE" oifname != "$BRIDGE" drop
    oifname "$BRIDGE" iifname != "$BRIDGE" drop
  }
}
N
  fi
}

up() {
  mkdir -p "$STATE/run"
  if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
    ! ip -4 route show | grep -q "^$NODE_NET\.0/24" || fail "$NODE_NET.0/24 is in use on this machine; choose another with NODE_NET"
    ip link add "$BRIDGE" type bridge
  fi
  ip addr replace "$HOST_IP/24" dev "$BRIDGE"; ip link set "$BRIDGE" up
  # rp_filter: a Service's answer may come back by another node than the request went
  tune net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 "net.ipv4.conf.$BRIDGE.rp_filter=0" \
    fs.inotify.max_user_instances=8192 fs.inotify.max_user_watches=524288 \
    net.bridge.bridge-nf-call-iptables=0
  rules
}

routes() {
  local dir n via=""
  for dir in "$STATE"/node*/; do
    [ -s "$dir/pod-cidr" ] || continue
    n=${dir%/}; n=${n##*/node}
    alive "node$n" || continue
    ip route replace "$(cat "$dir/pod-cidr")" via "$(node_ip "$n")"
    via=${via:-$(node_ip "$n")}
  done
  if [ -n "$via" ]; then ip route replace "$SERVICE_CIDR" via "$via"; else ip route del "$SERVICE_CIDR" 2>/dev/null || true; fi
}

down() {
  nft delete table inet pykube-cp 2>/dev/null || true
  ip link del "$BRIDGE" 2>/dev/null || true
  [ ! -e "$SAVED" ] || { sysctl -qp "$SAVED" 2>/dev/null || true; rm -f "$SAVED"; }
}

case "${1:-}" in
  up | routes | down) need_root; "$1" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
