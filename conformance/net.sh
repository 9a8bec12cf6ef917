#!/bin/bash
# The host's side of the nodes' network: one bridge, forwarding, routes to Pods and Services.
#   net.sh up         idempotent
#   net.sh routes     routes to the Pods of the nodes that run; Services go through one of them
#   net.sh down       takes it back
# NODE_INTERNET=1 lets the nodes reach whatever this machine reaches; else nothing leaves the bridge.
# Several clusters may run on one machine, with a BRIDGE, NODE_NET, POD_CIDR, SERVICE_CIDR and
# PYKUBE_CP_STATE each. What they share (sysctls, the directories that nodes mount over) is taken back by
# the last one that leaves: a directory removed earlier would vanish from under the nodes of the others.
set -euo pipefail
. "$(dirname "$0")/env.sh"
OWNER="$SHARED/clusters/$BRIDGE"              # names the state directory that the bridge belongs to
SAVED="$SHARED/sysctl.saved"
MADE="$SHARED/made-directories"
TABLE="pykube-cp-$BRIDGE"
MOUNT_POINTS=(/etc/kubernetes /etc/cni /etc/cni/net.d /etc/containerd /var/lib/kubelet /var/lib/containerd
  /var/lib/cni /var/log/pods /var/log/containers)

exists() { [ -e "/sys/class/net/$1" ]; }
is_ours() { [ "$(cat "$OWNER" 2>/dev/null)" = "$STATE" ]; }

claim() {
  [ ${#BRIDGE} -le 11 ] || fail "the name $BRIDGE is too long for a bridge; 11 characters at most"
  if exists "$BRIDGE" && ! is_ours; then
    fail "the bridge $BRIDGE belongs to the cluster in $(cat "$OWNER" 2>/dev/null || echo "an unknown place"); choose another BRIDGE and NODE_NET"
  fi
  mkdir -p "$SHARED/clusters" "$STATE/run"
  echo "$STATE" >"$OWNER"
}
others() { # clusters besides this one: by bridge, or by the cgroups of their nodes
  local file
  for file in "$SHARED"/clusters/*; do
    if [ -e "$file" ] && [ "$file" != "$OWNER" ] && exists "${file##*/}"; then return 0; fi
  done
  find /sys/fs/cgroup -maxdepth 2 -name 'pykube-cp-*' ! -name "pykube-cp-$BRIDGE-*" 2>/dev/null | grep -q .
}

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
  nft delete table inet "$TABLE" 2>/dev/null || true
  if [ "$NODE_INTERNET" = 1 ]; then
    nft -f - <<N
table inet $TABLE {
  chain postrouting { type nat hook postrouting priority 100;
    ip saddr { $NODE_NET.0/24, $POD_CIDR } oifname != "$BRIDGE" ip daddr != { $NODE_NET.0/24, $POD_CIDR, $SERVICE_CIDR } masquerade
  }
}
N
  else
    nft -f - <<N
table inet $TABLE {
  chain forward { type filter hook forward priority -10;
    iifname "$BRIDGE" oifname != "$BRIDGE" drop
    oifname "$BRIDGE" iifname != "$BRIDGE" drop
  }
}
N
  fi
}

bridge() {
  if ! exists "$BRIDGE"; then
    ! ip -4 route show | grep -q "^$NODE_NET\.0/24" || fail "$NODE_NET.0/24 is in use on this machine; choose another with NODE_NET"
    ip link add "$BRIDGE" type bridge
  fi
  ip addr replace "$HOST_IP/24" dev "$BRIDGE"; ip link set "$BRIDGE" up
}

up() {
  claim
  local dir; for dir in "${MOUNT_POINTS[@]}"; do [ -d "$dir" ] || { mkdir "$dir"; echo "$dir" >>"$MADE"; }; done
  bridge
  # its own settings vanish with the bridge; rp_filter: a Service's answer may come by another node
  sysctl -qw "net.ipv4.conf.$BRIDGE.rp_filter=0"
  tune net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 fs.inotify.max_user_instances=8192 \
    fs.inotify.max_user_watches=524288 net.bridge.bridge-nf-call-iptables=0
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
  if [ -n "$via" ]; then ip route replace "$SERVICE_CIDR" via "$via"
  else ip route del "$SERVICE_CIDR" dev "$BRIDGE" 2>/dev/null || true; fi
}

take_back() { # what the clusters share
  [ ! -e "$SAVED" ] || sysctl -qp "$SAVED" 2>/dev/null || true
  [ ! -e "$MADE" ] || tac "$MADE" | while read -r dir; do rmdir "$dir" 2>/dev/null || true; done
  rm -f "$SAVED" "$MADE"
}
down() {
  is_ours || return 0
  nft delete table inet "$TABLE" 2>/dev/null || true
  ip link del "$BRIDGE" 2>/dev/null || true
  rm -f "$OWNER"
  if others; then say "another cluster runs on this machine: what both share stays"; else take_back; fi
}

case "${1:-}" in
  up | routes | down)
    need_root
    mkdir -p "$SHARED"; exec 9>"$SHARED/lock"; flock 9
    "$1" ;;
  -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
